"""Evidence by a model of the truth: a regression that has seen trusted samples alone."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from mainstem.evidence.contract import Floats, Known, Trusted, standardised
from mainstem.evidence.neighbours import of_length_one
from mainstem.logistic import Logistic

__all__ = ["Truth"]

_BENDS: Final = (0.25, 0.5, 0.75)  # quantiles at which the log-odds of a number may bend
_DIRECTIONS: Final = 64  # of a representation
_SEEN: Final = 4000  # samples that the directions are taken from
_LENGTH: Final = 1.5  # of a representation; longer ones are held back less by the penalty
_LEAST: Final = 1e-3  # share of every class in a probability, so that its logarithm is finite


@dataclass(frozen=True)
class Truth:
    """Logistic regression of the true label, learnt on the trusted samples alone.

    fit of class c = log p(c), where p is the softmax of one regression for each class against the
    rest. It takes no notice of the given label, and so it needs no idea of how often that is
    wrong: two thirds of the given yes may be.

    Attributes:
        of: `numbers` reads the newest scores and the features, each number as itself and bent at
            its quartiles; `representation` reads the first 64 principal directions of that.
        penalty: factor of half the squared weights.

    Source:
        Patrini et al., Making Deep Neural Networks Robust to Label Noise, CVPR 2017,
        https://arxiv.org/abs/1609.03683, and Hendrycks et al., Using Trusted Data to Train Deep
        Networks on Labels Corrupted by Severe Noise, NeurIPS 2018,
        https://arxiv.org/abs/1802.05300, learn how labels go wrong from trusted samples.
    """

    of: Literal["numbers", "representation"] = "numbers"
    penalty: float = 1.0

    learns = True

    @property
    def name(self) -> str:
        """Name of the part."""
        return "truth" if self.of == "numbers" else "truth of representation"

    def read(self, known: Known) -> "_Inputs | None":
        """Read the columns; None if neither scores nor features are known."""
        if not len(known):
            return None
        if self.of == "representation":
            if known.representation is None:
                return None
            return _Inputs(_directions(known.representation), known.classes, self.penalty)
        columns = []
        if known.scores is not None:
            centred = known.scores - known.scores.mean(axis=1, keepdims=True)
            columns.append(standardised(centred[:, known.classes == 2 :]))
        if known.features is not None:
            columns.append(standardised(known.features))
        if not columns:
            return None
        return _Inputs(_bent(np.concatenate(columns, axis=1)), known.classes, self.penalty)


@dataclass(frozen=True)
class _Inputs:
    """What the regressions read of each sample, shape (N, F)."""

    inputs: Floats
    classes: int
    penalty: float

    def fits(self, trusted: Trusted, rows: NDArray[np.int64]) -> Floats:
        """Log-probability of each class, shape (B, C)."""
        taught, asked = self.inputs[trusted.rows], self.inputs[rows]
        log_odds = np.full((len(rows), self.classes), np.log(_LEAST))
        for one in range(self.classes):
            its = (trusted.truth == one).astype(np.int64)
            if self.classes == 2 and one == 0:
                log_odds[:, 0] = 0.0
                continue
            fitted = Logistic.fit(taught, its, self.penalty)
            if fitted is not None:
                log_odds[:, one] = fitted.scores(asked)
            elif its.any():
                log_odds[:, one] = -np.log(_LEAST)
        share = np.exp(log_softmax(log_odds, axis=1))
        return np.asarray(np.log(share * (1 - self.classes * _LEAST) + _LEAST))


def _bent(numbers: Floats) -> Floats:
    """Each number as itself, and what it exceeds each of its quartiles by; shape (N, 4 F)."""
    bends = np.quantile(numbers, _BENDS, axis=0)  # (3, F)
    return np.concatenate([numbers, *(np.maximum(numbers - bend, 0) for bend in bends)], axis=1)


def _directions(representation: NDArray[Any]) -> Floats:
    """Representations in their principal directions, shape (N, at most 64)."""
    vectors = of_length_one(representation)
    middle = vectors.mean(axis=0)
    step = max(1, len(vectors) // _SEEN)
    seen = (vectors[::step] - middle).astype(np.float64)
    _, found = np.linalg.eigh(seen.T @ seen)
    main = found[:, ::-1][:, :_DIRECTIONS]  # the eigenvalues of `eigh` ascend
    return np.asarray((vectors - middle) @ main * _LENGTH, np.float64)
