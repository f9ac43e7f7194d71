"""Examples that a network is about to read: encoded once, padded again for each batch."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from mainstem.errors import ModelError
from mainstem.models.encoder import CrossEncoder
from mainstem.models.tokenizer import Batch, encode_pairs, on_device
from mainstem.objectives import UNKNOWN, Examples
from mainstem.objectives.layout import Layout
from mainstem.objectives.pointwise import loss_of
from mainstem.process.stopwatch import SPENT

__all__ = ["Read"]


class Read:
    """The token ids of N examples, with their features and positions, on a device.

    Args:
        encoder: network and tokenizer that read them.
        examples: the examples.
        max_tokens: the most tokens of a pair; longer ones are cut.
        device: device of the network.
        layout: which of the network's logits belong to which objective.

    Attributes:
        examples: the examples.
        loss: the loss of each sample that training, responses and gradients are of.
        lengths: number of tokens of each pair, shape (N,).

    Raises:
        ModelError: if the examples have another number of features than the network reads.
    """

    def __init__(
        self,
        encoder: CrossEncoder,
        examples: Examples,
        max_tokens: int,
        device: torch.device,
        layout: Layout,
    ) -> None:
        self.examples, self.loss = examples, loss_of(layout)
        self._padding, self._device = encoder.padding_id, device
        ids, segments, self.lengths = _encoded(encoder.tokenizer, examples.pairs, max_tokens)
        starts = np.cumsum(self.lengths) - self.lengths
        self._ids, self._segments = self._there(ids), self._there(segments)
        self._starts, self._lengths = self._there(starts), self._there(self.lengths)
        features = _features_of(encoder, examples)
        self._features = None if features is None else self._there(features)
        self._positions = self._there(examples.positions)
        told = examples.labels if layout.is_plain else _targets_of(examples, len(layout.parts))
        self._targets = self._there(told)
        self._weights = self._there(examples.weights)

    def __len__(self) -> int:
        """The number of examples, N."""
        return len(self.examples)

    @property
    def has_features(self) -> bool:
        """Whether the network reads features and the examples have them."""
        return self._features is not None

    def batch(
        self,
        places: NDArray[np.int64] | Sequence[int],
        *,
        examined: bool = False,
        behaviour: bool = True,
    ) -> Batch:
        """One batch of B examples, padded to the longest pair.

        Args:
            places: places of the examples among the N, at least one.
            examined: whether the positions go in, so that the examination tower counts.
            behaviour: whether the features go in; without them each is at its mean.
        """
        rows = np.asarray(places, np.int64)
        width = int(self.lengths[rows].max())
        chosen = self._there(rows)
        within = torch.arange(width, device=self._device)  # (T,)
        mask = within < self._lengths[chosen].unsqueeze(1)  # (B, T)
        index = (self._starts[chosen].unsqueeze(1) + within).clamp_max(len(self._ids) - 1)
        known = self._features if behaviour else None
        return Batch(
            ids=torch.where(mask, self._ids[index], self._padding),
            segments=torch.where(mask, self._segments[index], 0),
            mask=mask.long(),
            positions=within.repeat(len(rows), 1),
            features=None if known is None else known[chosen],
            shown_at=self._positions[chosen] if examined else None,
        )

    def passed(self, factor: float, places: NDArray[np.int64] | None = None) -> None:
        """Count a pass over examples in what the stage of this thread costs.

        Args:
            factor: forward-equivalents of each token, by the kind of the pass.
            places: places of the examples that it read; None means all.
        """
        lengths = self.lengths if places is None else self.lengths[places]
        SPENT.passed(samples=len(lengths), tokens=int(lengths.sum()), factor=factor)

    def targets(self, places: NDArray[np.int64] | Sequence[int]) -> Tensor:
        """What `loss` compares the logits of some examples with: labels (B,), or targets (B, J)."""
        return self._targets[self._there(np.asarray(places, np.int64))]

    def weights(self, places: NDArray[np.int64] | Sequence[int]) -> Tensor:
        """Factors of the losses of some examples, shape (B,)."""
        return self._weights[self._there(np.asarray(places, np.int64))]

    def _there(self, column: NDArray[np.int64] | NDArray[np.float32]) -> Tensor:
        return on_device(torch.from_numpy(column), self._device)


def _encoded(
    tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]], max_tokens: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Ids and segments of all pairs one after the other, and the number of tokens of each."""
    encoded = encode_pairs(tokenizer, pairs, max_tokens)
    lengths = np.array([len(ids) for ids, _ in encoded], np.int64)
    total = int(lengths.sum())
    each_id = (one for ids, _ in encoded for one in ids)
    each_segment = (one for _, segments in encoded for one in segments)
    return (
        np.fromiter(each_id, np.int64, total),
        np.fromiter(each_segment, np.int64, total),
        lengths,
    )


def _targets_of(examples: Examples, objectives: int) -> NDArray[np.float32]:
    """Targets, shape (N, J); unknown where the examples have fewer, as a text with a label has."""
    missing = objectives - examples.targets.shape[1]
    return np.pad(examples.targets, ((0, 0), (0, missing)), constant_values=UNKNOWN)


def _features_of(encoder: CrossEncoder, examples: Examples) -> NDArray[np.float32] | None:
    """The features that the network reads; None if it reads none, or none are known."""
    names, features = encoder.features, examples.features
    if not names or features is None:
        return None
    if features.shape[1] != len(names):
        msg = (
            f"the model reads {len(names)} features, {', '.join(names)}; "
            f"got {features.shape[1]} of each sample: compute those of the version's manifest"
        )
        raise ModelError(msg)
    return features
