"""One version at work: responses for scoring, probabilities for evaluating. The same code on CPU and GPU."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from mainstem.responses import Probe, Responses
from mainstem.settings import Settings
from mainstem.versions.encoder import CrossEncoder
from mainstem.versions.tokenizer import Batch, encode_pairs, pad

__all__ = ["Scorer", "device_of"]

Pair = tuple[str, str]
Encoded = tuple[list[int], list[int]]
_EVALUATION_BATCH = 256


def device_of(settings: Settings) -> torch.device:
    """The device that the settings mean: a GPU where there is one, unless told otherwise."""
    if settings.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(settings.device)


class Scorer:
    """Scores text pairs with one version's weights, which it does not change.

    Args:
        encoder: the version; moved to the device.
        settings: batch size, tokens, device.

    Raises:
        ModelError: if a trained layer of it has no formula.
    """

    def __init__(self, encoder: CrossEncoder, settings: Settings) -> None:
        self.encoder = encoder
        self._settings = settings
        self._device = device_of(settings)
        encoder.network.to(self._device)
        self._probe = Probe(encoder.network)

    def responses(self, pairs: Sequence[Pair], labels: Sequence[int]) -> Responses:
        """Responses of N samples, in their order; inside, pairs of like length go together."""
        norm, loss, margin = (np.empty(len(pairs), np.float32) for _ in range(3))
        for places, batch in self._batches(pairs, self._settings.score_batch):
            targets = torch.tensor([labels[place] for place in places], device=self._device)
            found = self._probe.responses(lambda batch=batch: self.encoder.network(batch), targets)  # type: ignore[misc]
            norm[places], loss[places], margin[places] = found.norm, found.loss, found.margin
        return Responses(norm, loss, margin)

    @torch.no_grad()
    def logits(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """Logits of N pairs, shape (N, C)."""
        self.encoder.network.eval()
        logits = np.empty((len(pairs), self.encoder.network.config.num_labels))
        for places, batch in self._batches(pairs, _EVALUATION_BATCH):
            logits[places] = self.encoder.network(batch).double().cpu().numpy()
        return logits

    def _batches(self, pairs: Sequence[Pair], size: int) -> Iterator[tuple[list[int], Batch]]:
        """Batches of about as many tokens as `size` pairs of full length have, pairs of like length together."""
        encoded = encode_pairs(self.encoder.tokenizer, pairs, self._settings.max_tokens)
        order = sorted(range(len(pairs)), key=lambda place: len(encoded[place][0]))
        places: list[int] = []
        for place in order:
            if (len(places) + 1) * len(encoded[place][0]) > size * self._settings.max_tokens:
                yield places, self._padded(encoded, places)
                places = []
            places.append(place)
        if places:
            yield places, self._padded(encoded, places)

    def _padded(self, encoded: Sequence[Encoded], places: Sequence[int]) -> Batch:
        return pad([encoded[place] for place in places], self.encoder.padding_id).to(self._device)
