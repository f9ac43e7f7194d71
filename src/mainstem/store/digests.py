"""The content of every sample as one digest each, by id and label version: what the hashes are made of."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from mainstem.join import Sample, digest_0_1_of
from mainstem.store.store import Store

__all__ = ["SampleDigest", "digests", "digests_0_1"]

_NAMES: Final = Sample.__struct_fields__[: Sample.__struct_fields__.index("item_text") + 1]
_COLUMNS: Final = ", ".join(
    {"event_time": "toUnixTimestamp64Milli(samples.event_time) AS event_time"}.get(name, name)
    for name in _NAMES
)
_DIGESTS: Final = "SELECT toString(sample_id) AS id, label_version, digest FROM samples FINAL ORDER BY id, label_version"


class SampleDigest(NamedTuple):
    """A sample at one label version, and 32 hex digits over what it says."""

    sample_id: str
    label_version: int
    digest: str


def digests(store: Store) -> Iterator[SampleDigest]:
    """All samples at all label versions, in order, as they were written."""
    for sample_id, label_version, digest in store.stream(_DIGESTS):
        yield SampleDigest(
            sample_id, label_version, digest.decode() if isinstance(digest, bytes) else str(digest)
        )


def digests_0_1(store: Store) -> Iterator[SampleDigest]:
    """The same over what samples said in 0.1, made again out of their columns."""
    sql = f"SELECT {_COLUMNS} FROM samples FINAL ORDER BY toString(sample_id), label_version"
    for row in store.stream(sql):
        sample = _sample(row)
        yield SampleDigest(str(sample.sample_id), sample.label_version, digest_0_1_of(sample))


def _sample(row: tuple[Any, ...]) -> Sample:
    told = dict(zip(_NAMES, row, strict=True))
    return Sample(**told | {"outcomes": tuple(told["outcomes"]), "history": tuple(told["history"])})
