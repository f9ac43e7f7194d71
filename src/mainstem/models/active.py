"""A version that is ready: responses for scoring, logits for evaluation, on CPU and GPU alike.

Results stay on the device until all samples are done, and are then copied at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mainstem.errors import ModelError
from mainstem.models.encoder import CrossEncoder
from mainstem.models.tokenizer import Batch, encode_pairs, on_device, pad
from mainstem.objectives.losses import cross_entropy, with_weights
from mainstem.responses import Probe, Responses, gradient_of, length_of
from mainstem.settings import Settings

__all__ = ["ActiveVersion", "alignments_of", "device_of", "precision_of"]

Pair: TypeAlias = tuple[str, str]
Encoded: TypeAlias = tuple[list[int], list[int]]
_EVALUATION_BATCH: Final = 256
_UNLIKE: Final = [
    [("red", "a cup"), ("a red cup", "a blue cup of tea"), ("", "tea")],
    [("cup", "tea"), ("tea", "cup")],
]
"""Pairs for a check of a model, in two batches of different size and length."""


def device_of(settings: Settings) -> torch.device:
    """The device that the settings ask for; "auto" means a GPU where there is one."""
    if settings.model.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(settings.model.device)


def precision_of(settings: Settings) -> torch.dtype:
    """The type in which a scoring pass computes.

    "auto" means bfloat16 on a GPU that has it, and float32 elsewhere.
    """
    asked = settings.responses.precision
    if asked == "auto":
        is_gpu = device_of(settings).type == "cuda"
        with_bfloat16 = is_gpu and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if with_bfloat16 else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[asked]


class ActiveVersion:
    """Scores text pairs with the weights of one version, which it does not change.

    Args:
        encoder: network and tokenizer of the version; the network is moved to the device.
        settings: settings for batch size, tokens, device, precision and layers.
        direction: trusted gradient at this version by parameter name, for alignments; None or
            empty for no alignments.
        sketch: length of each response's sketch in floats; 0 for no sketch.

    Raises:
        ModelError: if a trained layer of the model has no formula.
    """

    def __init__(
        self,
        encoder: CrossEncoder,
        settings: Settings,
        *,
        direction: Mapping[str, Tensor] | None = None,
        sketch: int = 0,
    ) -> None:
        self.encoder = encoder
        self._settings = settings
        self._device = device_of(settings)
        self._precision = precision_of(settings)
        # of one pass, padding counted
        self._tokens = settings.responses.score_batch * settings.model.max_tokens
        encoder.network.to(self._device)
        directions = _of_length_one(encoder, direction, settings) if direction else []
        self._directions, self._sketch = len(directions), sketch
        self._probe = Probe(
            encoder.network,
            directions=directions,
            sketch=sketch,
            seed=settings.run.seed,
            layers=settings.responses.layer_patterns,
        )

    @property
    def parameters(self) -> int:
        """The number of trained weights that responses are taken over."""
        return sum(parameter.numel() for parameter in self._probe.parameters.values())

    def responses(
        self, pairs: Sequence[Pair], labels: Sequence[int], weights: Sequence[float] | None = None
    ) -> Responses[NDArray[np.float32]]:
        """Responses of N samples, in the order given; inside, pairs of similar length go together.

        A pass that does not fit into the device's memory is repeated in halves, and later passes
        stay that small.

        Args:
            pairs: context and item of each sample.
            labels: class of each sample.
            weights: factor of each sample's loss, and so of its norm, dots and sketch, but not of
                its margin; None means 1.

        Returns:
            The responses. With a direction `dots` has one column: the dot of each gradient with
            the direction at length 1.

        Raises:
            ModelError: if one sample alone does not fit into the device's memory.
        """
        encoded, order = self._by_length(pairs)
        ordered = torch.tensor([labels[place] for place in order], dtype=torch.int64)
        targets = on_device(ordered, self._device)
        found: list[Responses[Tensor]] = []
        done = 0
        while done < len(order):
            end = _end_of_pass(encoded, order, done, self._tokens)
            some = [encoded[place] for place in order[done:end]]
            one = self._responses_of(some, targets[done:end])
            if one is not None:
                found.append(one)
                done = end
        return _weighed(self._in_order(found, order), weights)

    def check(self) -> None:
        """Compare responses with ordinary backward passes, on two small batches in float32.

        Raises:
            ModelError: if they differ; then no response of this model would be right.
        """
        batches = []
        for pairs in _UNLIKE:
            batch = self._padded(encode_pairs(self.encoder.tokenizer, pairs, 16))
            labels = torch.tensor([0, 1, 0][: len(batch.ids)], device=self._device)
            batches.append((partial(self.encoder.network, batch), labels))
        self._probe.check(batches=batches)

    def gradient(
        self, pairs: Sequence[Pair], labels: Sequence[int], weights: Sequence[float] | None = None
    ) -> dict[str, Tensor]:
        """The mean gradient of N samples' losses.

        Args:
            pairs: context and item of each sample.
            labels: class of each sample.
            weights: factor of each sample's loss; None means 1.

        Returns:
            The gradient by parameter name, float32, on the CPU; empty without samples.
        """
        told = torch.tensor(labels, dtype=torch.int64, device=self._device)
        given = np.ones(len(pairs)) if weights is None else weights
        weighing = torch.tensor(given, dtype=torch.float32, device=self._device)
        batches = (
            (partial(self.encoder.network, batch), (told[places], weighing[places]))
            for places, batch in self._batches(pairs, self._tokens)
        )
        found = gradient_of(self.encoder.network, batches, with_weights(cross_entropy))
        return {name: part.cpu() for name, part in found.items()}

    @torch.no_grad()
    def logits(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """Logits of N pairs, shape (N, C)."""
        self.encoder.network.eval()
        logits = np.empty((len(pairs), self.encoder.network.config.num_labels))
        tokens = _EVALUATION_BATCH * self._settings.model.max_tokens
        for places, batch in self._batches(pairs, tokens):
            logits[places] = self.encoder.network(batch).double().cpu().numpy()
        return logits

    def _responses_of(self, encoded: Sequence[Encoded], labels: Tensor) -> Responses[Tensor] | None:
        """Responses of one pass; None if memory is too small, and then later passes are smaller."""
        try:
            batch = self._padded(encoded)
            return self._probe.responses(lambda: self._run(batch), labels)
        except torch.OutOfMemoryError as error:
            longest = max(len(ids) for ids, _ in encoded)
            if len(encoded) == 1:
                msg = (
                    f"the memory of {self._device} is too small for the responses of one sample of "
                    f"{longest} tokens; "
                    "set MAINSTEM_MODEL__MAX_TOKENS lower, or MAINSTEM_MODEL__DEVICE=cpu"
                )
                raise ModelError(msg) from error
            self._tokens = max(longest * len(encoded) // 2, longest)
        # subtle: the error keeps its frames' tensors alive, so memory is freed only now
        torch.cuda.empty_cache()
        return None

    def _run(self, batch: Batch) -> Tensor:
        is_lower = self._precision != torch.float32
        with torch.autocast(self._device.type, self._precision, enabled=is_lower):
            logits: Tensor = self.encoder.network(batch)
            return logits

    def _in_order(
        self, found: Sequence[Responses[Tensor]], order: Sequence[int]
    ) -> Responses[NDArray[np.float32]]:
        """Join the responses of all passes, in the original order of the samples."""
        widths = np.cumsum([1, 1, 1, self._directions, self._sketch])
        rows = np.empty((len(order), widths[-1]), np.float32)
        if found:
            each = [
                torch.column_stack([one.norm, one.loss, one.margin, one.dots, one.sketch])
                for one in found
            ]
            rows[order] = torch.cat(each).float().cpu().numpy()
        norm, loss, margin, dots, sketch = (
            np.ascontiguousarray(part) for part in np.split(rows, widths[:-1], axis=1)
        )
        return Responses(norm[:, 0], loss[:, 0], margin[:, 0], dots, sketch)

    def _by_length(self, pairs: Sequence[Pair]) -> tuple[list[Encoded], list[int]]:
        """Token ids of each pair, and the indices of the pairs from the shortest to the longest."""
        encoded = encode_pairs(self.encoder.tokenizer, pairs, self._settings.model.max_tokens)
        return encoded, sorted(range(len(pairs)), key=lambda place: len(encoded[place][0]))

    def _batches(self, pairs: Sequence[Pair], tokens: int) -> Iterator[tuple[list[int], Batch]]:
        """Batches of at most `tokens` tokens, padding counted; similar lengths go together."""
        encoded, order = self._by_length(pairs)
        done = 0
        while done < len(order):
            places = order[done : _end_of_pass(encoded, order, done, tokens)]
            yield places, self._padded([encoded[place] for place in places])
            done += len(places)

    def _padded(self, encoded: Sequence[Encoded]) -> Batch:
        return pad(encoded, self.encoder.padding_id).to(self._device)


def alignments_of(found: Responses[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Cosine of each response with the direction, in [-1, 1], shape (B,).

    It is NaN where there is no direction, and where the norm is 0.

    Example:
        >>> from dataclasses import replace
        >>> norm, one = np.array([2.0, 0.0], np.float32), np.ones(2, np.float32)
        >>> dots, none = np.array([[-1.0], [0.0]], np.float32), np.zeros((2, 0), np.float32)
        >>> found = Responses(norm, one, one, dots, none)
        >>> alignments_of(found).tolist()
        [-0.5, nan]
        >>> alignments_of(replace(found, dots=none)).tolist()
        [nan, nan]
    """
    alignments = np.full(len(found.norm), np.nan, np.float32)
    if found.dots.shape[1]:
        known = found.norm > 0
        alignments[known] = (found.dots[known, 0] / found.norm[known]).clip(-1, 1)
    return alignments


def _weighed(
    found: Responses[NDArray[np.float32]], weights: Sequence[float] | None
) -> Responses[NDArray[np.float32]]:
    """Responses of the weighted losses: gradients are linear in the loss, and margins stay."""
    if weights is None:
        return found
    factor = np.array(weights, np.float32)
    column = factor[:, None]
    return replace(
        found,
        norm=found.norm * factor,
        loss=found.loss * factor,
        dots=found.dots * column,
        sketch=found.sketch * column,
    )


def _end_of_pass(encoded: Sequence[Encoded], order: Sequence[int], start: int, tokens: int) -> int:
    """The end of a pass that starts at `start` and holds at most `tokens` tokens, or one sample.

    Start and end are positions in `order`, from the shortest pair to the longest.
    """
    end = start + 1
    while end < len(order) and (end + 1 - start) * len(encoded[order[end]][0]) <= tokens:
        end += 1
    return end


def _of_length_one(
    encoder: CrossEncoder, direction: Mapping[str, Tensor], settings: Settings
) -> list[dict[str, Tensor]]:
    """The part of a direction in the layers that responses are taken over, at length 1.

    The list is empty where that part is 0.
    """
    taken = Probe(encoder.network, layers=settings.responses.layer_patterns).parameters
    part = {name: direction[name] for name in sorted(taken.keys() & direction.keys())}
    length = length_of(part)
    return [{name: one / length for name, one in part.items()}] if length else []
