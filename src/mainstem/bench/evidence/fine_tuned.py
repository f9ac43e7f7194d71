"""Quality after training: a given model that is fine-tuned on the labels of the stream.

It is trained by the product's own fine-tuning and measured on the true labels of the test texts.
That takes minutes where a head over frozen features takes seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.evidence.texts import Texts
from mainstem.ids import number_of, uuid_of
from mainstem.join import PlacedSample, examples_of
from mainstem.learning.first import first_encoder
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.models import ActiveVersion
from mainstem.settings import Settings

__all__ = ["EPOCHS", "FineTuning"]

EPOCHS: Final = 2
_TOKENS: Final = 64


@dataclass(frozen=True)
class FineTuning:
    """What a given model is fine-tuned and measured on.

    Attributes:
        model: Hugging Face name or path of the model.
        texts: texts of the set.
        order: row of the set that each of N samples comes from, shape (N,).
        settings: settings that the home was made with.
        told: receives a line of progress after each training.
        known: accuracy of each training so far, by its name.
    """

    model: str
    texts: Texts
    order: NDArray[np.int64]
    settings: Settings
    told: Callable[[str], object]
    known: dict[str, float] = field(default_factory=dict)

    def accuracy(
        self, name: str, label: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> float | None:
        """Fine-tune a copy of the model, and measure it on the true labels of the test texts.

        Args:
            name: name of the training; one with the name of an earlier training is not repeated.
            label: labels to train on, shape (N,).
            weights: weight of each sample in the loss, shape (N,); those with 0 are left out.

        Returns:
            The share of right answers; None if fewer than two classes are left to train on.
        """
        if name in self.known:
            return self.known[name]
        used = np.flatnonzero(weights > 0)
        if len(np.unique(label[used])) < 2:
            return None
        words, seed = self.texts.words, self.settings.run.seed
        settings = self.settings.but(
            {
                "model.model": self.model,
                "model.max_tokens": _TOKENS,
                "model.behaviour": False,
                "learning.epochs": EPOCHS,
            }
        )
        samples = [
            _sample(words[self.order[row]], row, int(label[row]), float(weights[row]))
            for row in used.tolist()
        ]
        encoder = first_encoder(words, settings)
        training = fine_tune(encoder, samples, [], settings, number_of("train", seed, 1))
        tests = [_sample(text, row, 0, 1.0) for row, text in enumerate(self.texts.test)]
        logits = ActiveVersion(training.encoder, settings).logits(examples_of(tests))
        accuracy = float((logits.argmax(axis=1) == self.texts.test_truth).mean())
        self.told(f"{self.model} fine-tuned, {name}, seed {seed}: accuracy {accuracy:.4f}")
        self.known[name] = accuracy
        return accuracy


def _sample(text: str, row: int, label: int, weight: float) -> PlacedSample:
    return PlacedSample(
        sample_id=uuid_of("sample", str(row), ""),
        label_version=0,
        partition=0,
        offset=row,
        event_time=0,
        label=label,
        targets=(float(label),),
        weight=weight,
        sampling_probability=1.0,
        position=0,
        part="stream",
        item_id="",
        history=(),
        context_text=text,
        item_text="",
    )
