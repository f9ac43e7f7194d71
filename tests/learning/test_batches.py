"""Batches of like length: nothing is lost, little is padded, and every epoch differs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mainstem.learning.training.batches import batches_of

LENGTHS = np.random.default_rng(0).integers(4, 65, 2000)


def padded(batches: list[np.ndarray]) -> float:
    """Return how many tokens the batches hold for each token that is no padding."""
    return sum(LENGTHS[one].max() * len(one) for one in batches) / LENGTHS.sum()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 64), max_size=300), st.integers(1, 9), st.integers(0, 9))
def test_each_sample_is_in_one_batch(lengths: list[int], size: int, seed: int) -> None:
    """No sample is lost or repeated, and only one batch is not full."""
    batches = batches_of(np.array(lengths, np.int64), size, np.random.default_rng(seed))
    assert list(range(len(lengths))) == sorted(place for one in batches for place in one.tolist())
    assert -(-len(lengths) // size) == len(batches)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 64), st.integers(0, 20)), max_size=200), st.integers(1, 9))
def test_a_question_stays_together(samples: list[tuple[int, int]], size: int) -> None:
    """With questions, each is in one batch, and a batch is larger than it may be only alone."""
    lengths, questions = np.array(samples, np.int64).reshape(-1, 2).T
    batches = batches_of(lengths, size, np.random.default_rng(0), questions)
    assert list(range(len(samples))) == sorted(place for one in batches for place in one.tolist())
    held = [set(questions[one].tolist()) for one in batches]
    assert sum(map(len, held)) == len(set(questions.tolist()))
    assert all(
        len(one) <= size or len(asked) == 1 for one, asked in zip(batches, held, strict=True)
    )


def test_little_is_padding() -> None:
    """Batches of like length hold a tenth more tokens than the texts, and random ones half more."""
    random = np.random.default_rng(0)
    plain = np.split(random.permutation(2000), range(64, 2000, 64))
    assert padded(plain) > 1.7
    assert padded(batches_of(LENGTHS, 64, random)) < 1.1


def test_an_order_is_of_its_seed_and_each_epoch_has_another() -> None:
    """A seed repeats its batches; the next epoch puts other samples together, in another order."""
    first, second = (batches_of(LENGTHS, 64, random) for random in [np.random.default_rng(1)] * 2)
    again = batches_of(LENGTHS, 64, np.random.default_rng(1))
    assert [one.tolist() for one in first] == [one.tolist() for one in again]
    together = {frozenset(one.tolist()) for one in first}
    assert not together & {frozenset(one.tolist()) for one in second}
    lengths = [float(LENGTHS[one].mean()) for one in first]
    assert abs(float(np.corrcoef(lengths, range(len(lengths)))[0, 1])) < 0.5
