"""A version that is ready: responses for scoring, logits for evaluation, on CPU and GPU alike.

Results stay on the device until all samples are done, and are then copied at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mainstem.errors import ModelError
from mainstem.kinds import Kind
from mainstem.models.adapting import counted
from mainstem.models.aligning import of_length_one, weighed_by
from mainstem.models.device import device_of, precision_of
from mainstem.models.encoder import CrossEncoder
from mainstem.models.kept import MOST_LOGITS, in_order, responses_of
from mainstem.models.kinds import Probes
from mainstem.models.passes import factors_of
from mainstem.models.reading import Read
from mainstem.models.tokenizer import Batch
from mainstem.objectives import Examples, targets_of_label
from mainstem.objectives.layout import Layout
from mainstem.objectives.losses import with_weights
from mainstem.responses import Responses, gradient_of
from mainstem.settings import Settings

__all__ = ["ActiveVersion"]

Pair: TypeAlias = tuple[str, str]
Given: TypeAlias = Examples | Sequence[Pair] | Read
"""Examples, or their texts alone, or what `ActiveVersion.read` made of them."""
_EVALUATION_BATCH: Final = 256
_UNLIKE: Final = [
    [("red", "a cup"), ("a red cup", "a blue cup of tea"), ("", "tea")],
    [("cup", "tea"), ("tea", "cup")],
]
"""Pairs for a check of a model, in two batches of different size and length."""


class ActiveVersion:
    """Scores text pairs with the weights of one version, which it does not change.

    Args:
        encoder: network and tokenizer of the version; the network is moved to the device.
        settings: settings for batch size, tokens, device, precision and layers.
        direction: trusted gradient at this version by parameter name, for alignments; None or
            empty for no alignments.
        sketch: length of each response's sketch in floats; 0 for no sketch.

    Attributes:
        encoder: as given.
        factors: forward-equivalents of each token, by the kind of the pass; see `models.passes`.

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
        self._settings, self._layout = settings, Layout.of(settings.objectives)
        self._device = device_of(settings)
        self._precision = precision_of(settings)
        # of one pass, padding counted
        self._tokens = settings.responses.score_batch * settings.model.max_tokens
        counted(encoder, settings).to(self._device)
        directions = of_length_one(encoder, direction, settings) if direction else []
        logits = encoder.network.config.num_labels
        self.factors = factors_of(direction=bool(directions), sketch=bool(sketch))
        self._kept_logits = logits if logits <= MOST_LOGITS else 0
        self._probes = Probes(encoder, settings, directions=directions, sketch=sketch)

    @property
    def parameters(self) -> int:
        """The number of trained weights that responses are taken over."""
        return sum(one.numel() for one in self._probes.of(Kind.FULL).parameters.values())

    @property
    def parameter_names(self) -> frozenset[str]:
        """The names of the parameters that responses are taken over."""
        return frozenset(self._probes.of(Kind.FULL).parameters)

    def read(self, given: Given) -> Read:
        """Encode examples, so that several passes over them need not do it again."""
        if isinstance(given, Read):
            return given
        examples = given if isinstance(given, Examples) else Examples.of(given)
        longest = self._settings.model.max_tokens
        return Read(self.encoder, examples, longest, self._device, self._layout)

    def responses(
        self,
        given: Given,
        labels: Sequence[int] | None = None,
        weights: Sequence[float] | None = None,
        *,
        kind: Kind = Kind.FULL,
    ) -> Responses[NDArray[np.float32]]:
        """Responses of N samples, in the order given; inside, pairs of similar length go together.

        The position of a sample counts, as in training. A pass that does not fit into the device's
        memory is repeated in halves, and later passes stay that small.

        Args:
            given: the samples, or their texts alone, for which `labels` are needed.
            labels: class of each text pair.
            weights: factor of each pair's loss, and so of its norm, dots and sketch, but not of
                its margin; None means 1.
            kind: how much of the responses is computed. Norms of different kinds are taken over
                different layers; only full responses have dots and a sketch.

        Returns:
            The responses, with the logits of all objectives if there are at most eight, and with
            representations if the settings keep them. With a direction `dots` has one column: the
            dot of each gradient with the direction at length 1.

        Raises:
            ModelError: if one sample alone does not fit into the device's memory, or the model
                reads other features.
        """
        read = self.read(self._with_labels(given, labels, weights))
        order = _by_length(read)
        found: list[Responses[Tensor]] = []
        done = 0
        while done < len(order):
            end = _end_of_pass(read.lengths[order], done, self._tokens)
            one = self._responses_of(read, order[done:end], kind)
            if one is not None:
                found.append(one)
                done = end
        read.passed(self.factors[kind])
        widths = (*self._probes.widths(kind), self._kept_logits)
        return weighed_by(in_order(found, order, widths), read.examples.weights)

    def check(self) -> float:
        """Compare responses with ordinary backward passes, on two small batches in float32.

        Returns:
            The largest relative difference of the norms that were compared.

        Raises:
            ModelError: if they differ; then no response of this model would be right.
        """
        batches = []
        for pairs in _UNLIKE:
            read = self.read(_unlike(pairs, len(self.encoder.features), len(self._layout.parts)))
            batch = read.batch(range(len(pairs)), examined=True)
            batches.append((partial(self.encoder.network, batch), read.targets(range(len(pairs)))))
        kinds = self._settings.responses.kinds
        return max(self._probes.of(kind).check(batches=batches, loss=read.loss) for kind in kinds)

    def gradient(
        self,
        given: Given,
        labels: Sequence[int] | None = None,
        weights: Sequence[float] | None = None,
    ) -> dict[str, Tensor]:
        """The mean gradient of N samples' losses.

        Args:
            given, labels, weights: as in `responses`.

        Returns:
            The gradient by parameter name, float32, on the CPU; empty without samples.
        """
        read = self.read(self._with_labels(given, labels, weights))
        batches = (
            (partial(self.encoder.network, batch), (read.targets(places), read.weights(places)))
            for places, batch in self._batches(read, self._tokens, examined=True)
        )
        found = gradient_of(self.encoder.network, batches, with_weights(read.loss))
        read.passed(self.factors["plain"])
        return {name: part.cpu() for name, part in found.items()}

    def logits(
        self, given: Given, *, examined: bool = False, behaviour: bool = True
    ) -> NDArray[np.float64]:
        """Logits of N samples under the objective that ranks, shape (N, C).

        C is the number of its classes; a single logit becomes those of no and yes, (0, logit).

        Args:
            given: the samples, or their texts alone.
            examined: whether the examination tower is added at the position of each sample, as for
                clicks that were logged there; a ranking leaves it out.
            behaviour: whether the features are read; without them each is at its mean, so that a
                ranking can be told by part.

        Raises:
            ModelError: if the model reads other features.
        """
        return self._layout.ranked(self.answers(given, examined=examined, behaviour=behaviour))

    @torch.no_grad()
    def answers(
        self, given: Given, *, examined: bool = False, behaviour: bool = True
    ) -> NDArray[np.float64]:
        """Logits of N samples under all objectives, side by side, as `logits` takes them."""
        self.encoder.network.eval()
        read = self.read(given)
        logits = np.empty((len(read), self.encoder.network.config.num_labels))
        tokens = _EVALUATION_BATCH * self._settings.model.max_tokens
        batches = self._batches(read, tokens, examined=examined, behaviour=behaviour)
        for places, batch in batches:
            logits[places] = self.encoder.network(batch).double().cpu().numpy()
        read.passed(self.factors["forward"])
        return logits

    def _responses_of(
        self, read: Read, places: NDArray[np.int64], kind: Kind
    ) -> Responses[Tensor] | None:
        """Responses of one pass; None if memory is too small, and then later passes are smaller."""
        try:
            batch = read.batch(places, examined=True)
            run = partial(self._run, batch)
            kept = self._settings.responses.representations
            targets, probe = read.targets(places), self._probes.of(kind)
            return responses_of(probe, self.encoder, run, targets, read.loss, representation=kept)
        except torch.OutOfMemoryError as error:
            longest = int(read.lengths[places].max())
            if len(places) == 1:
                msg = (
                    f"the memory of {self._device} is too small for the responses of one sample of "
                    f"{longest} tokens; "
                    "set MAINSTEM_MODEL__MAX_TOKENS lower, or MAINSTEM_MODEL__DEVICE=cpu"
                )
                raise ModelError(msg) from error
            self._tokens = max(longest * len(places) // 2, longest)
        # subtle: the error keeps its frames' tensors alive, so memory is freed only now
        torch.cuda.empty_cache()
        return None

    def _run(self, batch: Batch) -> Tensor:
        is_lower = self._precision != torch.float32
        with torch.autocast(self._device.type, self._precision, enabled=is_lower):
            logits: Tensor = self.encoder.network(batch)
            return logits

    def _with_labels(
        self, given: Given, labels: Sequence[int] | None, weights: Sequence[float] | None
    ) -> Examples | Read:
        if isinstance(given, Examples | Read):
            return given
        names = [part.name for part in self._layout.parts]
        targets = [targets_of_label(label, names) for label in labels or ()]
        return Examples.of(given, labels, weights, targets=targets)

    def _batches(
        self, read: Read, tokens: int, *, examined: bool = False, behaviour: bool = True
    ) -> Iterator[tuple[NDArray[np.int64], Batch]]:
        """Batches of at most `tokens` tokens, padding counted; similar lengths go together."""
        order = _by_length(read)
        done = 0
        while done < len(order):
            places = order[done : _end_of_pass(read.lengths[order], done, tokens)]
            yield places, read.batch(places, examined=examined, behaviour=behaviour)
            done += len(places)


def _unlike(pairs: Sequence[Pair], features: int, objectives: int) -> Examples:
    """Examples of a check: texts, features and positions that differ."""
    drawn = np.random.default_rng(len(pairs)).normal(size=(len(pairs), features))
    labels = [0, 1, 0][: len(pairs)]
    return Examples.of(
        pairs,
        labels,
        targets=[[float(label)] * objectives for label in labels],
        features=drawn.tolist(),
        positions=range(1, len(pairs) + 1),
    )


def _by_length(read: Read) -> NDArray[np.int64]:
    """Places of the examples, from the shortest pair to the longest."""
    return np.argsort(read.lengths, kind="stable")


def _end_of_pass(lengths: NDArray[np.int64], start: int, tokens: int) -> int:
    """The end of a pass that starts at `start` and holds at most `tokens` tokens, or one sample.

    Args:
        lengths: numbers of tokens, ascending.
        start: where the pass starts.
        tokens: the most tokens of a pass, padding counted.
    """
    end = start + 1
    while end < len(lengths) and (end + 1 - start) * lengths[end] <= tokens:
        end += 1
    return end
