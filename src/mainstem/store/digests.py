"""Digests of the content of samples by id and label version, which the hashes of a replay cover."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from mainstem.join import Sample, digest_0_1_of
from mainstem.store.named import Query
from mainstem.store.store import Store

__all__ = ["DIGESTS", "SampleDigest", "digests", "digests_0_1"]

_NAMES: Final = Sample.__struct_fields__[: Sample.__struct_fields__.index("item_text") + 1]
_COLUMNS: Final = ", ".join(
    {"event_time": "toUnixTimestamp64Milli(samples.event_time) AS event_time"}.get(name, name)
    for name in _NAMES
)


class SampleDigest(NamedTuple):
    """A sample at one label version, and the digest of its content, 32 hexadecimal digits."""

    sample_id: str
    label_version: int
    digest: str


DIGESTS: Final = Query(
    SampleDigest,
    """
    SELECT toString(sample_id) AS id, label_version, toString(digest) AS digest
    FROM samples FINAL ORDER BY id, label_version""",
)
"""Digests that were written with the samples, ordered by id and label version."""


def digests(store: Store) -> Iterator[SampleDigest]:
    """Digests that were written with the samples, ordered by id and label version."""
    return DIGESTS.stream(store)


def digests_0_1(store: Store) -> Iterator[SampleDigest]:
    """Digests over only the fields that samples had in 0.1, computed from the columns."""
    sql = f"SELECT {_COLUMNS} FROM samples FINAL ORDER BY toString(sample_id), label_version"
    for row in store.stream(sql):
        sample = _sample(row)
        yield SampleDigest(str(sample.sample_id), sample.label_version, digest_0_1_of(sample))


def _sample(row: tuple[Any, ...]) -> Sample:
    values = dict(zip(_NAMES, row, strict=True))
    lists = {name: tuple(values[name]) for name in ("outcomes", "history")}
    return Sample(**values | lists)
