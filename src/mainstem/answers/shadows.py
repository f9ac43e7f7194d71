"""How estimators in shadow compare with the acting one, and what they cost."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from mainstem.estimators import ACTING, ESTIMATORS, FULL, Estimator, bytes_of
from mainstem.store.estimates import (
    CORRELATIONS,
    DRAWS,
    OVERLAPS,
    PASSES,
    Correlation,
    DrawnBeside,
    Overlap,
    Passes,
)

__all__ = ["QUESTIONS", "Compared", "Shadows", "compared"]

QUESTIONS: Final = (OVERLAPS.sql, CORRELATIONS.sql, DRAWS.sql, PASSES.sql)
"""What `compared` takes the answers of, in this order."""


@dataclass(frozen=True)
class Compared:
    """An estimator beside the acting one.

    Attributes:
        estimator: its name.
        says: what a high figure says of a sample: `worth` learning from, or `sound`.
        samples: samples that it has a figure of.
        spearman: rank correlation with the acting one; None where one of them ranks nothing.
        core, would_be_core, overlap: samples that are core, those that it would call core, as many,
            and the share of these that are core.
        drawn, would_draw, drawn_overlap: the same of what the last round drew.
        bytes: bytes that it adds to each sample.
        visits: visits that hold what it reads; they were made for the acting one.
        extra_passes: passes of samples through a model that only it needs.
        reads, needs: what it reads of a visit, and the cheapest kind of visit that holds it.
    """

    estimator: str
    says: str
    samples: int
    spearman: float | None
    core: int
    would_be_core: int
    overlap: float | None
    drawn: int | None
    would_draw: int | None
    drawn_overlap: float | None
    bytes: int
    visits: int
    extra_passes: int
    reads: str
    needs: str


@dataclass(frozen=True)
class Shadows:
    """All estimators that run, the acting one first.

    Attributes:
        acting: name of the acting one.
        round: number of the last round that drew; None if none has.
        estimators: each beside the acting one.
        correlations: rank correlations of all pairs, each pair in both orders.
    """

    acting: str
    round: int | None
    estimators: list[Compared]
    correlations: list[Correlation]

    def told(self) -> dict[str, Any]:
        """The same as a JSON object."""
        return {**asdict(self), "correlations": [one._asdict() for one in self.correlations]}


def compared(answers: Sequence[Sequence[tuple[Any, ...]]]) -> Shadows:
    """Compare estimators by the answers to `QUESTIONS`.

    Args:
        answers: the rows of each answer.

    Example:
        >>> overlaps = [("aum", 9, 4, 4, 3, 0.75), ("response_norm", 9, 4, 4, 4, 1.0)]
        >>> found = compared([overlaps, [("aum", "response_norm", 9, -0.5)], [], [(20, 20, 0)]])
        >>> [(one.estimator, one.spearman, one.overlap) for one in found.estimators]
        [('response_norm', 1.0, 1.0), ('aum', -0.5, 0.75)]
    """
    overlaps = {one.estimator: one for one in OVERLAPS.typed(answers[0])}
    correlations = CORRELATIONS.typed(answers[1])
    draws = {one.estimator: one for one in DRAWS.typed(answers[2])}
    [passes] = PASSES.typed(answers[3])
    spearman: dict[str, float | None] = {
        one.estimator: one.spearman for one in correlations if one.other == ACTING
    }
    spearman[ACTING] = 1.0
    found = [
        _compared(its, overlaps[name], spearman.get(name), draws.get(name), passes)
        for name, its in ESTIMATORS.items()
        if name in overlaps
    ]
    last = max((one.round for one in draws.values()), default=None)
    return Shadows(ACTING, last, found, correlations)


def _compared(
    its: Estimator,
    overlap: Overlap,
    spearman: float | None,
    draw: DrawnBeside | None,
    passes: Passes,
) -> Compared:
    visits = passes.full if its.needs == FULL else passes.visits
    return Compared(
        estimator=its.name,
        says=its.says,
        samples=overlap.samples,
        spearman=spearman,
        core=overlap.core,
        would_be_core=overlap.would_be_core,
        overlap=overlap.overlap,
        drawn=draw.drawn if draw else None,
        would_draw=draw.would_draw if draw else None,
        drawn_overlap=draw.overlap if draw else None,
        bytes=bytes_of(its),
        visits=passes.represented if its.reads == "representation" else visits,
        extra_passes=0,  # every estimator reads visits that are made anyway
        reads=its.reads,
        needs=its.needs,
    )
