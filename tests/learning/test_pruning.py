"""Passes that leave out a part of what the model knows already."""

import numpy as np
import pytest
import torch

from mainstem.learning.training import fine_tuning as training
from mainstem.learning.training.batch_loss import BatchLoss, epoch_of
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.learning.training.pruning import kept_places
from mainstem.settings import Settings
from tests.learning.scripted import SAMPLES
from tests.learning.test_batch_loss import LOGITS, PLACES, WEIGHTS, plain, read
from tests.small_models import scratch_encoder

LOSSES = np.array([0.1, 0.2, 0.3, 3.0, 2.0, np.nan], np.float32)  # the mean is 1.12


def taken_by_passes(monkeypatch: pytest.MonkeyPatch, **given: float) -> list[list[int]]:
    """Train three passes over 48 samples; return the places that each pass took, in order."""
    found = []

    def watched(*asked: object) -> list[np.ndarray]:
        batches = epoch_of(*asked)  # type: ignore[arg-type]
        found.append(sorted(np.concatenate(batches).tolist()))
        return batches

    monkeypatch.setattr(training, "epoch_of", watched)
    asked = {"learning.epochs": 3, "learning.train_batch": 8, "model.device": "cpu", **given}
    fine_tune(scratch_encoder(), SAMPLES, [], Settings.of(asked), seed=1)
    return found


def test_all_hard_samples_and_a_share_of_the_easy_ones_are_taken() -> None:
    """Over 4,000 passes a quarter of those below the mean come, and each time all others."""
    random = np.random.default_rng(0)
    times = np.zeros(6)
    for _ in range(4000):
        times[kept_places(LOSSES, 0.25, random)[0]] += 1
    assert [4000] * 3 == times[3:].tolist()
    assert pytest.approx([1000] * 3, abs=100) == times[:3].tolist()


def test_the_sum_of_the_losses_is_in_the_mean_that_of_all() -> None:
    """What is taken, times what it counts, adds up to what all samples add up to."""
    random = np.random.default_rng(1)
    sums = []
    for _ in range(4000):
        places, times = kept_places(LOSSES[:5], 0.25, random)
        sums.append(float((LOSSES[places] * times[places]).sum()))
    assert pytest.approx(5.6, abs=4 * np.std(sums) / 4000**0.5) == np.mean(sums)


def test_what_was_not_trained_on_yet_is_taken() -> None:
    """Nothing is known of a sample that no step has seen, so none of them is left out."""
    places, times = kept_places(np.full(3, np.nan, np.float32), 0.01, np.random.default_rng(0))
    assert ([0, 1, 2], [1.0, 1.0, 1.0]) == (places.tolist(), times.tolist())


def test_later_passes_take_fewer_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first pass takes all samples, those after it leave some out, each time others."""
    first, second, third = taken_by_passes(monkeypatch)
    assert list(range(48)) == first
    assert len(second) < 48 > len(third)
    assert second != third


@pytest.mark.parametrize("given", [{"learning.easy_share": 1.0}, {"objectives.listwise": 1.0}])
def test_passes_are_whole_if_asked_for_and_under_a_listwise_loss(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, float]
) -> None:
    """A share of 1 leaves nothing out, and questions whose items are compared stay whole."""
    assert [list(range(48))] * 3 == taken_by_passes(monkeypatch, **given)


def test_a_batch_tells_the_loss_of_each_sample() -> None:
    """It is PyTorch's cross-entropy times the weight, and unknown for what was in no batch."""
    loss_of = BatchLoss(*read())
    loss_of(LOGITS, PLACES)
    expected = np.full(6, np.nan, np.float32)
    expected[PLACES] = (plain() * torch.tensor(WEIGHTS[PLACES])).numpy()
    np.testing.assert_array_equal(expected, loss_of.last)


def test_a_sample_counts_as_often_as_the_pass_says() -> None:
    """Its loss is multiplied in the loss of the batch, and remembered as it is."""
    loss_of = BatchLoss(*read())
    loss_of.times = np.array([4, 1, 1, 1, 2, 1], np.float32)
    times = torch.tensor(loss_of.times[PLACES] * WEIGHTS[PLACES])
    assert pytest.approx((plain() * times).mean().item()) == loss_of(LOGITS, PLACES).item()
    assert pytest.approx((plain() * torch.tensor(WEIGHTS[PLACES])).numpy()) == loss_of.last[PLACES]
