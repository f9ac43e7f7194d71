"""The loss that a training step lowers, and the batches of an epoch.

L = sum_j alpha_j L_j + gamma L_f + delta L_i: the losses of the objectives, which responses are of
too; L_f, the order of each question's items; and L_i, the losses of the objectives weighed by
importance. Gamma is the setting `listwise`, delta the setting `by_importance`.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mainstem.learning.training.batches import batches_of
from mainstem.learning.training.pieces import WHOLE, Piece, Shares, pieces_of
from mainstem.learning.training.r_drop import divergence
from mainstem.learning.training.smoothing import smoothed
from mainstem.models.reading import Read
from mainstem.objectives.imbalance import balanced_weights, resampled
from mainstem.objectives.layout import Layout
from mainstem.objectives.listwise import LISTWISE
from mainstem.objectives.losses import with_weights
from mainstem.settings import Objectives

__all__ = ["BatchLoss", "epoch_of", "steps_of"]


class BatchLoss:
    """The loss of a batch of samples.

    Args:
        read: the samples, encoded.
        objectives: settings of the losses.
        importance: importance of each sample, shape (N,); None where none is known, and NaN for a
            sample without one: it counts as one of mean importance.
        smoothing: how far targets are moved towards "all answers alike"; see `smoothed`.
    """

    def __init__(
        self,
        read: Read,
        objectives: Objectives,
        importance: Sequence[float] | None = None,
        smoothing: float = 0.0,
    ) -> None:
        self._read, self._layout = read, Layout.of(objectives)
        self._loss = with_weights(smoothed(read.loss, self._layout, smoothing))
        self._gamma = objectives.listwise
        self._listwise = LISTWISE[objectives.listwise_loss]
        self._factor = _factor_of(read, objectives, importance)
        questions = read.examples.questions
        self._questions = np.arange(len(read)) if questions is None else questions

    def __call__(self, logits: Tensor, places: NDArray[np.int64], shares: Shares = WHOLE) -> Tensor:
        """The loss of a batch, one number.

        Args:
            logits: output of the network for the samples of the batch, shape (B, W).
            places: places of these samples among the N.
            shares: how much of a larger batch these samples are; the losses of all its pieces add
                up to its loss.
        """
        targets = self._read.targets(places)
        each = self._loss(logits, (targets, self._weights(places)))
        loss = each.mean() * shares.samples
        if self._gamma:
            order = self._order(logits, targets, places)
            loss = loss + self._gamma * order * shares.questions
        return loss

    def apart(self, first: Tensor, second: Tensor, piece: Piece) -> Tensor:
        """How far the answers of two passes over a piece lie apart, one number; see `divergence`.

        Args:
            first, second: logits of both passes, shape (B, W).
            piece: the piece of B samples, whose weights count.
        """
        targets, weights = self._read.targets(piece.places), self._weights(piece.places)
        each = divergence(self._layout, first, second, targets) * weights
        return each.mean() * piece.shares.samples

    def pieces(self, places: NDArray[np.int64], count: int) -> list[Piece]:
        """A batch in at most `count` pieces whose losses add up to its own.

        Args:
            places: places of the samples of the batch among the N.
            count: the most pieces; under a listwise loss fewer where questions are large.
        """
        if count == 1 or not self._gamma:
            return pieces_of(places, count)
        ranked = self._ranked(self._read.targets(places)).double().cpu().numpy()
        return pieces_of(places, count, self._questions[places], ranked)

    def _weights(self, places: NDArray[np.int64]) -> Tensor:
        """What the losses of some samples are multiplied by, shape (B,)."""
        weights = self._read.weights(places)
        if self._factor is None:
            return weights
        return weights * torch.from_numpy(self._factor[places]).to(weights.device)

    def _order(self, logits: Tensor, targets: Tensor, places: NDArray[np.int64]) -> Tensor:
        """The listwise loss under the objective that ranks."""
        part = self._layout.parts[self._layout.ranking]
        scores = logits[:, part.first + part.width - 1]
        if part.width == 2:
            scores = scores - logits[:, part.first]
        questions = torch.from_numpy(self._questions[places]).to(logits.device)
        return self._listwise(scores, self._ranked(targets).float(), questions)

    def _ranked(self, targets: Tensor) -> Tensor:
        """The targets of the objective that ranks, shape (B,)."""
        return targets if targets.dim() == 1 else targets[:, self._layout.ranking]


def epoch_of(
    read: Read,
    objectives: Objectives,
    size: int,
    random: np.random.Generator,
    share: float = 1.0,
) -> list[NDArray[np.int64]]:
    """The batches of one epoch, each the places of its samples.

    A listwise loss keeps the samples of a question in one batch.

    Args:
        read: the samples, encoded.
        objectives: settings of the losses and of rare labels.
        size: the most samples of a batch.
        random: where the order comes from.
        share: share of the samples that the epoch takes, drawn anew; under a listwise loss, share
            of the questions.

    Source:
        Okanovic et al., Repeated Random Sampling for Minimizing the Time-to-Accuracy of Learning,
        2023 (2305.18424), section 3: a new random subset each epoch.
    """
    questions = read.examples.questions if objectives.listwise else None
    taken = np.arange(len(read))
    if share < 1:
        taken = _drawn(taken if questions is None else questions, share, random)
    if objectives.imbalance == "resample":
        taken = taken[resampled(read.examples.labels[taken], random)]
    of_taken = None if questions is None else questions[taken]
    return [taken[some] for some in batches_of(read.lengths[taken], size, random, of_taken)]


def steps_of(read: Read, objectives: Objectives, size: int, share: float = 1.0) -> int:
    """About how many batches an epoch has; exactly so many where questions may be split."""
    if not objectives.listwise:
        return -(-_count(len(read), share) // size)
    return len(epoch_of(read, objectives, size, np.random.default_rng(0), share))


def _drawn(
    groups: NDArray[np.int64], share: float, random: np.random.Generator
) -> NDArray[np.int64]:
    """Places of the samples in a share of the groups, in order."""
    names = np.unique(groups)
    kept = random.choice(names, _count(len(names), share), replace=False)
    return np.flatnonzero(np.isin(groups, kept))


def _count(whole: int, share: float) -> int:
    """A share of a number of samples or questions, but at least one if there is one."""
    return min(max(round(share * whole), 1), whole)


def _factor_of(
    read: Read, objectives: Objectives, importance: Sequence[float] | None
) -> NDArray[np.float32] | None:
    """What weights are multiplied by, shape (N,): for rare labels, and 1 + delta * importance.

    Importance is divided by its mean. None stands for ones.
    """
    factor = np.ones(len(read), np.float32)
    if objectives.imbalance == "weights":
        factor *= balanced_weights(read.examples.labels)
    if objectives.by_importance:
        known = np.array([] if importance is None else importance, np.float64)
        mean = float(np.nanmean(known)) if np.isfinite(known).any() else 0.0
        share = np.nan_to_num(known / mean, nan=1.0) if mean else np.ones(len(read))
        factor *= (1 + objectives.by_importance * share).astype(np.float32)
    is_plain = objectives.imbalance != "weights" and not objectives.by_importance
    return None if is_plain else factor
