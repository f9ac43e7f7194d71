"""What each kind of evidence says of a home, once some samples are trusted.

The parts read the columns of a home once; each trusted set then asks their readings again. Doubt,
p-values and standings come from the functions that the product has for them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.evidence.columns import Columns
from mainstem.bench.evidence.measures import Judged
from mainstem.bench.evidence.reveal import Revealed
from mainstem.evidence import (
    PARTS,
    CrossFit,
    Known,
    Part,
    Reading,
    Weighed,
    clipped_weights,
    weigh,
)
from mainstem.importance import CANARY, STREAM, Rows
from mainstem.settings import Standing
from mainstem.standing import (
    REASONS,
    Verdicts,
    compared,
    crossed_of,
    judge,
)

__all__ = ["COMBINATION", "Weighing", "read_once"]

COMBINATION: Final = "combination"
"""Name of the combination of all parts; without trusted samples, what decides in its place."""
_DIVISIONS: Final = 3
_DOUBTFUL: Final = 0.2  # of the samples, left out of training where nothing is trusted
_CONTRADICTORY: Final = REASONS.index("contradictory")


@dataclass(frozen=True)
class _ReadOnce:
    """A part whose reading is kept."""

    name: str
    learns: bool
    reading: Reading | None

    def read(self, known: Known) -> Reading | None:  # noqa: ARG002 - the contract of a part
        return self.reading


def read_once(known: Known, parts: Sequence[Part] = PARTS) -> tuple[Part, ...]:
    """Let each part read the columns; the parts returned give that reading again.

    Args:
        known: columns of all samples of a home.
        parts: kinds of evidence.
    """
    return tuple(_ReadOnce(one.name, one.learns, one.read(known)) for one in parts)


@dataclass(frozen=True)
class Weighing:
    """All evidence about a home under one trusted set.

    Attributes:
        judged: what each kind of evidence says, by its name: `combination` and the parts.
        decides: `combined`, or the names of the parts that decide without trusted samples.
        weights: weight of each sample in training, by the combination, shape (N,).
    """

    judged: dict[str, Judged]
    decides: str
    weights: NDArray[np.float64]

    @classmethod
    def of(
        cls, columns: Columns, revealed: Revealed, parts: Sequence[Part], standing: Standing
    ) -> "Weighing":
        """Weigh and judge the samples of a home.

        A part alone has no probability that a label is right, so its core is sound by p-value only.
        With no trusted samples the judge goes by margins, and no part alone gives standings.

        Args:
            columns: columns and rows of the home.
            revealed: the trusted set; it may be empty.
            parts: parts that have read the columns.
            standing: settings of the judge.
        """
        known, teaches = columns.known, revealed.teaches
        if not len(revealed):
            return _untrusted(columns, weigh(known, parts=parts), standing)
        fits: list[CrossFit] = []
        weighed = weigh(known, teaches, parts=parts, divisions=_DIVISIONS, watch=fits.append)
        if not fits:
            return _untrusted(columns, weighed, standing)
        found: dict[str, Judged] = {}
        with _trusting(columns.rows, revealed.rows):
            verdicts = compared(
                known,
                teaches,
                weighed,
                [crossed_of(one, one.log_odds, known, teaches) for one in fits],
            )
            found[COMBINATION] = _judged(columns.rows, standing, verdicts)
            for place, name in enumerate(weighed.parts):
                crossed = [crossed_of(one, one.doubts[:, place], known, teaches) for one in fits]
                alone = _alone(weighed, place)
                verdicts = compared(known, teaches, alone, crossed, expects=False)
                found[name] = _judged(columns.rows, standing, verdicts)
        gate = revealed.measures
        correct = known.label[gate.rows] == gate.truth
        weights = clipped_weights(weighed.right, gate.rows, correct)
        return cls(found, weighed.decides, weights)


def _untrusted(columns: Columns, weighed: Weighed, standing: Standing) -> Weighing:
    """What is said without trusted samples, or with too few of them to learn from."""
    judged = judge(columns.rows, standing, trusted=False)
    nothing = np.zeros(len(columns.known), np.bool_)
    found = {COMBINATION: Judged(weighed.doubt, nothing, judged.standing)}
    for place, name in enumerate(weighed.parts):
        found[name] = Judged(weighed.doubts[:, place], nothing)
    level = np.quantile(weighed.doubt, 1 - _DOUBTFUL) if len(nothing) else 0.0
    return Weighing(found, weighed.decides, (weighed.doubt <= level).astype(np.float64))


def _alone(weighed: Weighed, part: int) -> Weighed:
    doubt = weighed.doubts[:, part]
    return replace(weighed, doubt=doubt, right=np.ones(len(doubt)))


def _judged(rows: Rows, standing: Standing, verdicts: Verdicts) -> Judged:
    judged = judge(rows, standing, trusted=True, verdicts=verdicts)
    return Judged(verdicts.weighed.doubt, judged.reason == _CONTRADICTORY, judged.standing)


@contextmanager
def _trusting(rows: Rows, trusted: NDArray[np.int64]) -> Iterator[None]:
    """Let the judge take some samples, and no others, for trusted ones."""
    before = rows["part"].copy()
    rows["part"][:] = STREAM
    rows["part"][trusted] = CANARY
    try:
        yield
    finally:
        rows["part"][:] = before
