"""The samples that rounds drew, written and read back, and what a draw is made of."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.store.named import Query
from mainstem.store.store import Store

__all__ = [
    "DRAWN",
    "Drawn",
    "DrawnBy",
    "DrawnSample",
    "MadeBy",
    "Sliced",
    "drawn_by",
    "drawn_for_promoted",
    "made_by",
    "sliced_since",
    "write_draw",
]


class Drawn(NamedTuple):
    """The samples of one draw.

    Attributes:
        sample_id, label_version, standing: of each sample, when it was drawn.
        probability: inclusion probability: that a draw from the same samples, with another seed,
            holds the sample; shape (N,).
    """

    sample_id: Sequence[UUID]
    label_version: Sequence[int]
    standing: Sequence[str]
    probability: NDArray[np.float64]


class DrawnSample(NamedTuple):
    """A sample that a promoted version was trained on."""

    version: int
    sample_id: str


class DrawnBy(NamedTuple):
    """A sample that a round drew, and its standing then."""

    sample_id: UUID
    standing: str


class MadeBy(NamedTuple):
    """The round that made a version.

    Attributes:
        offsets: next position of each partition when it started, by partition number.
        beats_counting: 1 if the version ranks better than popularity and than logistic regression
            on the behaviour features, as far as these are known, on the samples that the gate
            judged it on; None where neither is known.
    """

    offsets: list[int]
    beats_counting: int | None


class Sliced(NamedTuple):
    """What the slices of a sample are made of: the hash of its query, 0 if none; its category."""

    sample_id: UUID
    query: int
    category: str


class _DrawnId(NamedTuple):
    version: int
    sample_id: UUID


DRAWN: Final = Query(
    DrawnSample,
    """
    SELECT version, toString(sample_id) FROM versions_of_sample
    WHERE promoted ORDER BY version, sample_id""",
)
"""All samples that promoted versions were trained on, version by version."""
_UP_TO: Final = Query(
    _DrawnId,
    """
    SELECT version, sample_id FROM versions_of_sample
    WHERE promoted AND version <= {version:UInt32}""",
)
_DRAWN_BY: Final = Query(
    DrawnBy,
    "SELECT sample_id, standing FROM draws FINAL WHERE version = {version:UInt32}",
)
_MADE_BY: Final = Query(
    MadeBy,
    """
    SELECT r.offsets,
           if(isNull(e.popularity) AND isNull(e.logistic), NULL,
              e.auc > greatest(ifNull(e.popularity, 0), ifNull(e.logistic, 0)))
    FROM (SELECT * FROM rounds FINAL WHERE version = {version:UInt32}) AS r
    LEFT JOIN (
        SELECT * FROM evaluations FINAL
        WHERE version = {version:UInt32} AND round = {version:UInt32}) AS e
        ON r.version = e.version AND r.judged_on = e.slice""",
)
# subtle: a revision leaves query and item as they were, so any row of a sample will do
_SLICED: Final = Query(
    Sliced,
    """
    SELECT sample_id, if(query = '', 0, cityHash64(query)), category FROM samples
    WHERE event_time >= fromUnixTimestamp64Milli({since:Int64})
    ORDER BY sample_id LIMIT 1 BY sample_id""",
)


def write_draw(store: Store, version: int, drawn: Drawn) -> None:
    """Write the draw of a round, replacing the draw of a killed round for the same version.

    Args:
        store: the history.
        version: number of the version that the round makes.
        drawn: samples that the round drew.
    """
    store.execute("DELETE FROM draws WHERE version = {version:UInt32}", version=version)
    store.write("draws", {"version": [version] * len(drawn.sample_id), **drawn._asdict()})


def drawn_for_promoted(store: Store, version: int) -> dict[int, list[UUID]]:
    """Ids of the samples that each promoted version up to `version` was trained on, by version."""
    drawn: dict[int, list[UUID]] = {}
    for one in _UP_TO.stream(store, version=version):
        drawn.setdefault(one.version, []).append(one.sample_id)
    return drawn


def drawn_by(store: Store, version: int) -> list[DrawnBy]:
    """The samples that the round of a version drew, promoted or not, in no order."""
    return _DRAWN_BY.of(store, version=version)


def made_by(store: Store, version: int) -> MadeBy | None:
    """The round that made a version; None for a first version."""
    return next(iter(_MADE_BY.of(store, version=version)), None)


def sliced_since(store: Store, event_time: int) -> Iterator[Sliced]:
    """What the slices of the samples from an event time on, in milliseconds, are made of."""
    return _SLICED.stream(store, since=event_time)
