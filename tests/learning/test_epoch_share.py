"""Epochs that take a share of a draw, at random anew each time."""

import numpy as np

from mainstem.learning.training.batch_loss import epoch_of, steps_of
from tests.learning.test_batch_loss import QUESTIONS, read


def test_each_epoch_takes_another_share_of_the_draw() -> None:
    """Half of six samples are three of them, and over some epochs all have their turn."""
    encoded, objectives = read()
    random = np.random.default_rng(0)
    epochs = [np.concatenate(epoch_of(encoded, objectives, 2, random, 0.5)) for _ in range(20)]
    assert {3} == {len(set(one.tolist())) for one in epochs}
    assert set(range(6)) == {place for one in epochs for place in one.tolist()}
    assert 2 == steps_of(encoded, objectives, 2, 0.5)


def test_a_whole_share_is_the_epoch_as_it_was() -> None:
    """A share of 1 draws nothing, so the order is that of an epoch without a share."""
    encoded, objectives = read()
    plain = epoch_of(encoded, objectives, 2, np.random.default_rng(3))
    whole = epoch_of(encoded, objectives, 2, np.random.default_rng(3), 1.0)
    assert [one.tolist() for one in plain] == [one.tolist() for one in whole]


def test_a_share_under_a_listwise_loss_takes_whole_questions() -> None:
    """A question is in an epoch with all of its samples or with none."""
    encoded, objectives = read(listwise=1.0)
    for seed in range(5):
        random = np.random.default_rng(seed)
        taken = np.concatenate(epoch_of(encoded, objectives, 3, random, 0.5))
        asked = set(QUESTIONS[taken])
        assert 1 == len(asked)
        assert set(np.flatnonzero(np.isin(QUESTIONS, list(asked)))) == set(taken.tolist())


def test_a_share_of_resampled_labels_has_as_many_samples_as_the_share() -> None:
    """The share is drawn first, and labels are drawn evenly within it."""
    encoded, objectives = read(imbalance="resample")
    taken = np.concatenate(epoch_of(encoded, objectives, 4, np.random.default_rng(1), 0.5))
    assert 3 == len(taken)


def test_the_smallest_share_is_one_sample() -> None:
    """A share that rounds to nothing still trains."""
    encoded, objectives = read()
    assert 1 == len(epoch_of(encoded, objectives, 4, np.random.default_rng(1), 0.0)[0])
