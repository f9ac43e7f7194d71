"""A draw in which some samples count less: sizes are multiplied before probabilities are."""

import numpy as np
import pytest

from mainstem.learning.draws.inclusion import inclusion_probabilities
from mainstem.settings import Settings
from tests.learning.test_draw import SETTINGS, drawn_from, pool

ALIKE = {"learning.uniform_share": 1.0, "learning.edge_floor": 0.0}


def probabilities(samples: dict[str, np.ndarray], settings: Settings, counts: np.ndarray) -> dict:
    """The inclusion probability of each sample that any of many draws holds."""
    found: dict[int, float] = {}
    for seed in range(60):
        one = drawn_from(samples, settings, seed=seed, counts=counts)
        found |= dict(zip(one.rows.tolist(), one.probability.tolist(), strict=True))
    return found


@pytest.mark.parametrize("core", [40, 5], ids=["by importance", "cold"])
def test_a_sample_that_counts_half_is_drawn_half_as_often(core: int) -> None:
    """Of samples that are alike but for that, it has half the probability of the others."""
    samples, settings = pool(core, 0), SETTINGS.but(ALIKE | {"learning.draw": core // 2})
    samples["recent_importance"][:] = 1
    counts = np.where(np.arange(core) < core // 2, 0.5, 1.0)
    found = probabilities(samples, settings, counts)
    halves = {found[row] for row in found if counts[row] == 0.5}
    wholes = {found[row] for row in found if counts[row] == 1.0}
    assert (1, 1) == (len(halves), len(wholes))
    assert halves.pop() == pytest.approx(wholes.pop() / 2)


def test_probabilities_are_those_of_the_multiplied_sizes() -> None:
    """They add up to the draw, and are those of importance times what each sample counts."""
    samples, settings = pool(60, 0), SETTINGS.but({"learning.draw": 20, "learning.edge_floor": 0.0})
    counts = np.random.default_rng(3).uniform(0.1, 1, 60)
    importance = samples["recent_importance"]
    sizes = (0.5 / 60 + 0.5 * importance / importance.sum()) * counts
    expected = inclusion_probabilities(sizes, 20)
    found = probabilities(samples, settings, counts)
    assert pytest.approx(20) == expected.sum()
    assert {row: pytest.approx(expected[row]) for row in found} == found


def test_a_probability_is_the_share_of_the_draws_that_hold_the_sample() -> None:
    """Over many seeds each sample is drawn as often as its probability says."""
    samples, settings = pool(30, 20), SETTINGS.but({"learning.draw": 15})
    counts = np.where(np.arange(50) % 3 == 0, 0.25, 1.0)
    times, said, rounds = np.zeros(50), np.zeros(50), 3000
    for seed in range(rounds):
        found = drawn_from(samples, settings, seed=seed, counts=counts)
        times[found.rows] += 1
        said[found.rows] = found.probability
    error = np.sqrt(said * (1 - said) / rounds)
    assert (np.abs(times / rounds - said) <= 4.5 * error + 1e-12).all()


def test_where_all_count_in_full_nothing_changes() -> None:
    """Factors of 1 give the very draw that none gives."""
    samples, settings = pool(60, 40), SETTINGS.but({"learning.draw": 30})
    plain = drawn_from(samples, settings)
    ones = drawn_from(samples, settings, counts=np.ones(100))
    assert plain.rows.tolist() == ones.rows.tolist()
    assert plain.probability.tolist() == ones.probability.tolist()


def test_where_all_are_drawn_what_counts_less_is_drawn_too() -> None:
    """A draw that takes all that there is leaves nothing out for being old."""
    samples = pool(20, 20)
    found = drawn_from(samples, counts=np.full(40, 0.01))
    assert (40, {1.0}) == (len(found.rows), set(found.probability.tolist()))


def test_a_cold_start_heeds_weights() -> None:
    """At cold start a sample is drawn in proportion to its weight, whatever its importance."""
    samples = pool(0, 200)
    samples["weight"] = np.repeat(np.array([0.2, 1.0], np.float32), 100)
    found = drawn_from(samples)
    light = found.probability[found.rows < 100]
    heavy = found.probability[found.rows >= 100]
    # a hundred of them with 100 * (.2 + 1) = 120 in all
    assert np.allclose(light, 100 * 0.2 / 120)
    assert np.allclose(heavy, 100 * 1.0 / 120)
