"""One version at work: responses for scoring, probabilities for evaluating. The same code on CPU and GPU.

Results stay on the device until all samples are done; then they come over at once.
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
"""Pairs of two batches of unlike size and length, to check a model on."""


def device_of(settings: Settings) -> torch.device:
    """The device that the settings mean: a GPU where there is one, unless told otherwise."""
    if settings.model.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(settings.model.device)


def precision_of(settings: Settings) -> torch.dtype:
    """The type that a pass of scoring computes in: bfloat16 on a GPU that has it, else float32, unless told otherwise."""
    if settings.responses.precision == "auto":
        with_bfloat16 = device_of(settings).type == "cuda" and torch.cuda.is_bf16_supported(
            including_emulation=False
        )
        return torch.bfloat16 if with_bfloat16 else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[
        settings.responses.precision
    ]


class ActiveVersion:
    """Scores text pairs with one version's weights, which it does not change.

    Args:
        encoder: the version; moved to the device.
        settings: batch size, tokens, device, precision, layers.
        direction: the trusted gradient at this version, by parameter, for alignments; nothing for none.
        sketch: floats of each response's sketch; 0 for none.

    Raises:
        ModelError: if a trained layer of it has no formula, or a single sample is too much for the device's memory.
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
        self._tokens = (
            settings.responses.score_batch * settings.model.max_tokens
        )  # of one pass, padding counted
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
        """How many numbers responses are taken over."""
        return sum(parameter.numel() for parameter in self._probe.parameters.values())

    def responses(
        self, pairs: Sequence[Pair], labels: Sequence[int], weights: Sequence[float] | None = None
    ) -> Responses[NDArray[np.float32]]:
        """Responses of N samples, in their order; inside, pairs of like length go together.

        A weight is a factor of its sample's loss, and so of all but the margin; without weights it is 1.
        `dots` has a column where there is a direction: how far each gradient reaches along it, its length being taken as 1.
        A pass that the device's memory is too small for is made again in halves, and passes stay that small.
        """
        encoded, order = self._by_length(pairs)
        targets = on_device(
            torch.tensor([labels[place] for place in order], dtype=torch.int64), self._device
        )
        found: list[Responses[Tensor]] = []
        done = 0
        while done < len(order):
            end = _end_of_pass(encoded, order, done, self._tokens)
            one = self._responses_of(
                [encoded[place] for place in order[done:end]], targets[done:end]
            )
            if one is not None:
                found.append(one)
                done = end
        return _weighed(self._in_order(found, order), weights)

    def check(self) -> None:
        """Hold responses against ordinary backward passes on two small batches of unlike size and length, in float32.

        Raises:
            ModelError: if they disagree: then no response of this model would be right.
        """
        batches = [
            (
                partial(self.encoder.network, batch),
                torch.tensor([0, 1, 0][: len(batch.ids)], device=self._device),
            )
            for batch in (
                self._padded(encode_pairs(self.encoder.tokenizer, pairs, 16)) for pairs in _UNLIKE
            )
        ]
        self._probe.check(batches=batches)

    def gradient(
        self, pairs: Sequence[Pair], labels: Sequence[int], weights: Sequence[float] | None = None
    ) -> dict[str, Tensor]:
        """The mean gradient of N samples' losses by parameter, in float32, on the CPU; nothing without samples."""
        told = torch.tensor(labels, dtype=torch.int64, device=self._device)
        weighing = (
            torch.ones(len(pairs))
            if weights is None
            else torch.tensor(weights, dtype=torch.float32)
        )
        weighing = weighing.to(self._device)
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
        for places, batch in self._batches(
            pairs, _EVALUATION_BATCH * self._settings.model.max_tokens
        ):
            logits[places] = self.encoder.network(batch).double().cpu().numpy()
        return logits

    def _responses_of(self, encoded: Sequence[Encoded], labels: Tensor) -> Responses[Tensor] | None:
        """Responses of one pass; None where the memory was too small for it, and passes are half as large from now on."""
        try:
            batch = self._padded(encoded)
            return self._probe.responses(lambda: self._run(batch), labels)
        except torch.OutOfMemoryError as error:
            longest = max(len(ids) for ids, _ in encoded)
            if len(encoded) == 1:
                msg = (
                    f"the memory of {self._device} is too small for the responses of one sample of {longest} tokens; "
                    "set MAINSTEM_MODEL__MAX_TOKENS lower, or MAINSTEM_MODEL__DEVICE=cpu"
                )
                raise ModelError(msg) from error
            self._tokens = max(longest * len(encoded) // 2, longest)
        torch.cuda.empty_cache()  # subtle: only here is the error gone, and with it what it held
        return None

    def _run(self, batch: Batch) -> Tensor:
        with torch.autocast(
            self._device.type, self._precision, enabled=self._precision != torch.float32
        ):
            logits: Tensor = self.encoder.network(batch)
            return logits

    def _in_order(
        self, found: Sequence[Responses[Tensor]], order: Sequence[int]
    ) -> Responses[NDArray[np.float32]]:
        """Responses of all passes, one after the other, put back into the order of their samples."""
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
        """Token ids of each pair, and the places of the pairs, the shortest first."""
        encoded = encode_pairs(self.encoder.tokenizer, pairs, self._settings.model.max_tokens)
        return encoded, sorted(range(len(pairs)), key=lambda place: len(encoded[place][0]))

    def _batches(self, pairs: Sequence[Pair], tokens: int) -> Iterator[tuple[list[int], Batch]]:
        """Batches of at most so many tokens, padding counted, pairs of like length together."""
        encoded, order = self._by_length(pairs)
        done = 0
        while done < len(order):
            places = order[done : _end_of_pass(encoded, order, done, tokens)]
            yield places, self._padded([encoded[place] for place in places])
            done += len(places)

    def _padded(self, encoded: Sequence[Encoded]) -> Batch:
        return pad(encoded, self.encoder.padding_id).to(self._device)


def alignments_of(found: Responses[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Cosine of each response with the direction, in [-1, 1]; NaN where there was none, and where the norm is 0.

    Example:
        >>> from dataclasses import replace
        >>> one, none = np.ones(2, np.float32), np.zeros((2, 0), np.float32)
        >>> found = Responses(np.array([2.0, 0.0], np.float32), one, one, np.array([[-1.0], [0.0]], np.float32), none)
        >>> alignments_of(found).tolist(), alignments_of(replace(found, dots=none)).tolist()
        ([-0.5, nan], [nan, nan])
    """
    alignments = np.full(len(found.norm), np.nan, np.float32)
    if found.dots.shape[1]:
        known = found.norm > 0
        alignments[known] = (found.dots[known, 0] / found.norm[known]).clip(-1, 1)
    return alignments


def _weighed(
    found: Responses[NDArray[np.float32]], weights: Sequence[float] | None
) -> Responses[NDArray[np.float32]]:
    """Responses of the weighted losses: a gradient is linear in its loss. How sure the model is, the margin, stays."""
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
    """Where in the order, the shortest first, a pass ends that holds at most so many tokens, or one sample."""
    end = start + 1
    while end < len(order) and (end + 1 - start) * len(encoded[order[end]][0]) <= tokens:
        end += 1
    return end


def _of_length_one(
    encoder: CrossEncoder, direction: Mapping[str, Tensor], settings: Settings
) -> list[dict[str, Tensor]]:
    """The direction over the layers that responses are taken over, at length 1; none where there is nothing of it."""
    taken = Probe(encoder.network, layers=settings.responses.layer_patterns).parameters
    part = {name: direction[name] for name in sorted(taken.keys() & direction.keys())}
    length = length_of(part)
    return [{name: one / length for name, one in part.items()}] if length else []
