"""What estimators in shadow say of samples, written and told."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.store.named import Query
from mainstem.store.store import Store

__all__ = [
    "CORRELATIONS",
    "DRAWS",
    "HAS_ESTIMATES",
    "OVERLAPS",
    "PASSES",
    "PLACES",
    "Correlation",
    "DrawnBeside",
    "HasEstimates",
    "Overlap",
    "Passes",
    "Place",
    "write_estimates",
]

_Numbers = NDArray[Any]


class Overlap(NamedTuple):
    """How the set that an estimator would call core agrees with core.

    Attributes:
        estimator: name of the estimator.
        samples: samples that it has a figure of.
        core: those of them that are core.
        would_be_core: as many, the highest of those that are not noise.
        both: those that are in both sets.
        overlap: `both` over `would_be_core`; None if that is 0.
    """

    estimator: str
    samples: int
    core: int
    would_be_core: int
    both: int
    overlap: float | None


class Correlation(NamedTuple):
    """Spearman's rank correlation of two estimators; None where one ranks nothing."""

    estimator: str
    other: str
    samples: int
    spearman: float | None


class DrawnBeside(NamedTuple):
    """What an estimator would have drawn in the last round.

    Attributes:
        round: number of the round.
        estimator: name of the estimator.
        samples: samples that it had a figure of by then, but for noise.
        drawn: those of them that the round drew.
        would_draw: as many, the highest.
        both: those that are in both.
        overlap: `both` over `would_draw`; None if that is 0.
    """

    round: int
    estimator: str
    samples: int
    drawn: int
    would_draw: int
    both: int
    overlap: float | None


class Passes(NamedTuple):
    """How many visits the history holds that estimators can read.

    Attributes:
        visits: visits of any kind.
        full: full ones, which have alignment and sketch.
        represented: those whose representation is kept.
    """

    visits: int
    full: int
    represented: int


class Place(NamedTuple):
    """Where an estimator puts a sample among all that it has a figure of.

    Attributes:
        estimator: name of the estimator.
        value: its figure of the sample.
        samples: samples that it has a figure of.
        place: share of the others whose figure is lower, equal ones counted by half; None if there
            are no others.
    """

    estimator: str
    value: float
    samples: int
    place: float | None


class HasEstimates(NamedTuple):
    """Whether the history has the view of a sample'''s estimates: 1 or 0."""

    views: int


OVERLAPS: Final = Query(
    Overlap, f"SELECT {', '.join(Overlap._fields)} FROM shadow_overlap ORDER BY estimator"
)
CORRELATIONS: Final = Query(
    Correlation,
    f"SELECT {', '.join(Correlation._fields)} FROM shadow_correlations ORDER BY estimator, other",
)
DRAWS: Final = Query(
    DrawnBeside, f"SELECT {', '.join(DrawnBeside._fields)} FROM shadow_draws ORDER BY estimator"
)

# subtle: the history of a server that has not been migrated may lack the view
HAS_ESTIMATES: Final = Query(
    HasEstimates,
    """
    SELECT count() FROM system.tables
    WHERE database = currentDatabase() AND name = 'estimates_of_sample'""",
)
PLACES: Final = Query(
    Place,
    """
    SELECT
        estimator, any(mine) AS its, count() AS samples,
        if(samples = 1, NULL,
           (countIf(value < mine) + (countIf(value = mine) - 1) / 2) / (samples - 1)) AS place
    FROM estimates_of_sample AS e
    INNER JOIN (
        SELECT estimator, value AS mine FROM estimates_of_sample
        WHERE sample_id = {sample:UUID}) AS m ON e.estimator = m.estimator
    GROUP BY estimator ORDER BY estimator""",
)
"""Where each estimator puts a sample."""

PASSES: Final = Query(
    Passes,
    """
    SELECT count(), countIf(kind = 'full'),
           (SELECT count() FROM representations FINAL)
    FROM responses_now""",
)


def write_estimates(
    store: Store,
    sample_id: Sequence[UUID],
    label_version: _Numbers,
    version: _Numbers,
    partition: _Numbers,
    offset: _Numbers,
    event_time: _Numbers,
    *,
    figures: Mapping[str, NDArray[np.float64]],
) -> None:
    """Write what estimators say of samples; NaN, which is no figure, gets no row.

    Args:
        store: the history.
        sample_id: ids of B samples.
        label_version: their label versions, shape (B,).
        version: versions of their newest visits, shape (B,).
        partition: their partitions, shape (B,).
        offset: their positions, shape (B,).
        event_time: their event times in milliseconds, shape (B,).
        figures: by the name of the estimator, its figures of the samples, shape (B,).
    """
    for name, values in figures.items():
        known = np.flatnonzero(np.isfinite(values))
        columns: dict[str, Sequence[Any]] = {
            "label_version": label_version[known].tolist(),
            "version": version[known].tolist(),
            "partition": partition[known].tolist(),
            "offset": offset[known].tolist(),
            "event_time": event_time[known].tolist(),
            "value": values[known].tolist(),
        }
        columns["sample_id"] = [sample_id[place] for place in known.tolist()]
        columns["estimator"] = [name] * len(known)
        store.write("estimates", columns)
