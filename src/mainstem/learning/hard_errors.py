"""Whether labels are wrong on hard samples, or alike on all: what decides whether weights help.

Where hard and easy samples have wrong labels alike, the errors make a ranking slower to learn and
do not bend it. Weights by the evidence then only add the errors of the evidence: it doubts what the
model has still to learn. And a draw by importance takes the wrong labels first. Where people err,
they err on hard samples. A model learns such errors as it learns anything else, and only weights
keep it from that.

Confirmed gate samples tell the two apart at no cost. Nothing is trained on them, so the margin of
their confirmed label says how hard they are for a version, whatever label the log gave them.
"""

import math
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

__all__ = ["HardErrors"]

_FEWEST: Final = 50  # confirmed samples; fewer say nothing
_CLEAR: Final = 2.0  # standard errors above what chance gives


@dataclass(frozen=True)
class HardErrors:
    """How wrong labels are spread over easy and hard samples.

    Attributes:
        wrong, right: number of samples whose label was wrong, and right.
        harder: probability that a sample with a wrong label is harder than one of the same class
            with a right label; 0.5 if errors fall alike. None without samples of both kinds.
        clear: by how many standard errors that is above 0.5; None likewise.
    """

    wrong: int
    right: int
    harder: float | None = None
    clear: float | None = None

    @classmethod
    def of(
        cls, logits: NDArray[np.float64], truth: NDArray[np.int64], given: NDArray[np.int64]
    ) -> Self:
        """Compare the margins of confirmed labels where the log was wrong and where it was right.

        Args:
            logits: logits of N samples that the version was not trained on, shape (N, C).
            truth: their confirmed labels, shape (N,).
            given: their labels in the log, shape (N,).

        Example:
            >>> logits = np.array([[0.0, 3.0], [0.0, 2.0], [0.0, 1.0], [0.0, -1.0]])
            >>> found = HardErrors.of(logits, np.ones(4, np.int64), np.array([1, 1, 0, 0]))
            >>> found.wrong, found.harder
            (2, 1.0)

        Source:
            The rank-sum test of Mann and Whitney within each class, put together by the weights of
            van Elteren (1960), so that classes that are harder or oftener wrong count for nothing.
        """
        margin, wrong = _margins(logits, truth), given != truth
        above, pairs, variance = 0.0, 0.0, 0.0
        for one in np.unique(truth):
            its = wrong[truth == one]
            few, many = int(its.sum()), int((~its).sum())
            weight = 1 / (few + many + 1)
            # how many pairs of a right and a wrong label have the larger margin at the right one
            ranks = rankdata(margin[truth == one])[~its].sum() - many * (many + 1) / 2
            above += weight * float(ranks)
            pairs += weight * few * many
            variance += weight * few * many / 12
        counts = int(wrong.sum()), int((~wrong).sum())
        if not pairs:
            return cls(*counts)
        return cls(*counts, above / pairs, (above - pairs / 2) / math.sqrt(variance))

    @property
    def weights_help(self) -> bool:
        """Whether it is expected to help that samples weigh by importance and evidence.

        It is if too few samples are confirmed to say otherwise, and else only if wrong labels are
        clearly on the harder samples. Where hardly a label is wrong, they are not.
        """
        if self.wrong + self.right < _FEWEST:
            return True
        return self.clear is not None and self.clear >= _CLEAR


def _margins(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """The logit of each true class less the highest of the others, shape (N,)."""
    is_true = np.arange(logits.shape[1]) == truth[:, None]
    others = np.where(is_true, -np.inf, logits).max(axis=1)
    return np.asarray(logits[is_true] - others, np.float64)
