"""Training ends where there is nothing to learn from, or where numbers are no numbers."""

import numpy as np
import pytest
import torch

from mainstem.errors import NonFiniteError
from mainstem.join import PlacedSample
from mainstem.learning.training.fine_tuning import fine_tune
from tests.learning.scripted import HELD_OUT, SAMPLES, SETTINGS, weights
from tests.small_models import given_encoder


def test_nothing_to_train_on_is_no_error() -> None:
    """A round that drew nothing makes a version like its parent."""
    parent = given_encoder()
    trained = fine_tune(parent, [], HELD_OUT, SETTINGS, seed=1)
    assert 0 == trained.steps
    assert np.array_equal(weights(parent.network), weights(trained.encoder.network))


def weighing(weight: float) -> list[PlacedSample]:
    """Return samples with one of another weight in the third batch of eight."""
    return [
        sample._replace(weight=weight if place == 20 else 1.0)
        for place, sample in enumerate(SAMPLES)
    ]


def test_a_sample_that_weighs_nothing_teaches_nothing() -> None:
    """The label of a sample of weight 0 does not change the weights, and with weight 1 it does."""
    settings = SETTINGS.but({"learning.epochs": 1})

    def learnt(weight: float, label: int) -> np.ndarray:
        some = [
            one._replace(weight=weight, label=label) if place % 3 == 0 else one
            for place, one in enumerate(SAMPLES)
        ]
        return weights(fine_tune(given_encoder(), some, [], settings, seed=1).encoder.network)

    assert np.array_equal(learnt(0.0, 0), learnt(0.0, 1))
    assert not np.array_equal(learnt(1.0, 0), learnt(1.0, 1))


@pytest.mark.parametrize("weight", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_the_training_there(weight: float) -> None:
    """Training stops at the first step with such a loss, and the parent keeps its weights."""
    parent, settings = given_encoder(), SETTINGS.but({"learning.epochs": 1})
    before = weights(parent.network)
    with pytest.raises(NonFiniteError, match=r"^non-finite loss at step [1-6]$"):
        fine_tune(parent, weighing(weight), HELD_OUT, settings, seed=1)
    assert torch.equal(before, weights(parent.network))


def test_a_gradient_that_is_no_number_ends_the_training_there() -> None:
    """Training stops when a finite loss has a gradient that overflows."""
    samples = [sample._replace(weight=3e38) for sample in SAMPLES]
    with pytest.raises(NonFiniteError, match=r"^non-finite gradient at step 1$"):
        fine_tune(
            given_encoder(), samples, HELD_OUT, SETTINGS.but({"learning.train_batch": 1}), seed=1
        )


def test_a_rate_that_blows_the_model_up_is_seen() -> None:
    """A step after which weights are finite but logits are not is an error."""
    settings = SETTINGS.but(
        {"learning.epochs": 1, "learning.train_batch": 48, "learning.learning_rate": 1e30}
    )
    with pytest.raises(NonFiniteError, match=r"^non-finite logits for 20 of 20 samples$"):
        fine_tune(given_encoder(), SAMPLES, HELD_OUT, settings, seed=1)


def test_weights_that_are_no_numbers_are_no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that are not finite are an error, even where nothing is held out."""

    class Careless(torch.optim.AdamW):
        @torch.no_grad()
        def step(self, *given: object, **more: object) -> None:
            super().step(*given, **more)
            self.param_groups[0]["params"][0][0, 0] = float("inf")

    monkeypatch.setattr(torch.optim, "AdamW", Careless)
    settings = SETTINGS.but({"learning.epochs": 1, "learning.train_batch": 48})
    with pytest.raises(
        NonFiniteError, match=r"^non-finite weights 'model.bert.embeddings.* after step 1$"
    ):
        fine_tune(given_encoder(), SAMPLES, [], settings, seed=1)
