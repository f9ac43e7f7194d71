"""The draw of a round: counts checked by hand, probabilities by counting."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstem.learning.draws.draw import Draw, draw
from mainstem.settings import Learning, Settings
from mainstem.standing import CORE, EDGE, NOISE, REASONS

SETTINGS = Settings(
    learning=Learning(
        draw=100, core_minimum=10, uniform_share=0.5, edge_floor=0.3, slice_floor=0, spent_again=0
    )
)
SPENT, CONTRADICTORY = REASONS.index("spent"), REASONS.index("contradictory")
Pool = dict[str, np.ndarray]


def pool(core: int, edge: int, noise: int = 0) -> Pool:
    """Make samples of each standing with importance 0.5, 1.5, 2.5 and so on."""
    count = core + edge + noise
    return {
        "key_high": np.zeros(count, np.uint64),
        "key_low": np.arange(count, dtype=np.uint64),
        "standing": np.repeat([CORE, EDGE, NOISE], [core, edge, noise]),
        "reason": np.where(np.arange(count) < core + edge, 0, CONTRADICTORY),
        "recent_importance": np.arange(count) + 0.5,
        "weight": np.ones(count, np.float32),
    }


def drawn_from(
    samples: Pool,
    settings: Settings = SETTINGS,
    seed: int = 0,
    candidates: np.ndarray | None = None,
    **more: Any,
) -> Draw:
    all_of_them = np.ones(len(samples["standing"]), np.bool_)
    return draw(
        samples,
        all_of_them if candidates is None else candidates,
        settings.learning,
        np.random.default_rng(seed),
        **more,
    )


def counts(samples: Pool, found: Draw) -> tuple[int, int, int]:
    """Count the drawn samples of each standing."""
    standings = Counter(samples["standing"][found.rows].tolist())
    return standings[CORE], standings[EDGE], standings[NOISE]


@pytest.mark.parametrize(
    ("core", "edge", "expected"),
    [
        (500, 500, (70, 30)),  # the floor
        (500, 20, (80, 20)),  # edge has fewer than its floor
        # core has fewer than its share
        (40, 500, (40, 60)),
        (500, 0, (100, 0)),
        # fewer than a draw: all of them
        (50, 30, (50, 30)),
    ],
)
def test_edge_has_a_floor(core: int, edge: int, expected: tuple[int, int]) -> None:
    """At least three tenths come from edge, and either set fills what the other lacks."""
    samples = pool(core, edge, noise=50)
    found = drawn_from(samples)
    assert ((*expected, 0), False) == (counts(samples, found), found.cold)


def test_a_draw_that_heeds_nothing_draws_core_and_edge_alike() -> None:
    """Importance, weights and the floor of edge count for nothing, and noise is not drawn."""
    samples = pool(50, 150, noise=50) | {"weight": np.linspace(0, 1, 250, dtype=np.float32)}
    found = drawn_from(samples, heeds=False)
    assert (100, 0, False) == (len(found.rows), counts(samples, found)[2], found.cold)
    assert {100 / 200} == set(found.probability)


def test_a_cold_start_draws_all_alike() -> None:
    """Below the minimum of core, core and edge are drawn alike, and noise is not drawn."""
    samples = pool(9, 191, noise=50)
    found = drawn_from(samples)
    assert (100, 0, True) == (len(found.rows), counts(samples, found)[2], found.cold)
    assert {100 / 200} == set(found.probability)
    times = Counter(
        row for seed in range(400) for row in drawn_from(samples, seed=seed).rows.tolist()
    )
    # the standard deviation is 10
    assert 400 / 2 - 5 * 10 < min(times.values()) <= max(times.values()) < 400 / 2 + 5 * 10


def test_core_that_may_not_be_drawn_does_not_end_the_cold_start() -> None:
    """Only candidates count towards the minimum of core."""
    samples = pool(20, 20)
    candidates = np.arange(40) >= 15
    assert (True, False) == (
        drawn_from(samples, candidates=candidates).cold,
        drawn_from(samples).cold,
    )


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 2**32), st.data())
def test_no_sample_is_drawn_twice_or_from_noise(
    core: int, edge: int, noise: int, seed: int, data: st.DataObject
) -> None:
    """Drawn rows are different candidates of core and edge, as many as the draw can hold."""
    samples = pool(core, edge, noise)
    settings = Settings(learning=Learning(draw=data.draw(st.integers(1, 50)), core_minimum=10))
    count = core + edge + noise
    candidates = np.array(
        data.draw(st.lists(st.booleans(), min_size=count, max_size=count)), np.bool_
    )
    found = drawn_from(samples, settings, seed, candidates)
    allowed = set(np.flatnonzero(candidates & (samples["standing"] != NOISE)).tolist())
    assert set(found.rows.tolist()) <= allowed
    assert (
        min(settings.learning.draw, len(allowed))
        == len(set(found.rows.tolist()))
        == len(found.rows)
        == len(found.probability)
    )


@given(st.permutations(range(60)), st.sampled_from([20, 5]), st.integers(0, 2**32))
def test_the_order_of_rows_does_not_matter(order: list[int], core: int, seed: int) -> None:
    """The same samples in any order give the same draw and probabilities, at cold start or not."""
    samples, settings = pool(core, 60 - core), Settings(learning=Learning(draw=15, core_minimum=10))
    turned = {name: values[order] for name, values in samples.items()}
    one, other = drawn_from(samples, settings, seed), drawn_from(turned, settings, seed)
    assert samples["key_low"][one.rows].tolist() == turned["key_low"][other.rows].tolist()
    assert pytest.approx(one.probability, rel=1e-12) == other.probability


def test_both_halves_of_an_id_count() -> None:
    """Samples whose ids differ in only one half are ordered like any others."""
    samples = pool(20, 40) | {
        "key_low": np.zeros(60, np.uint64),
        "key_high": np.arange(60, dtype=np.uint64),
    }
    turned = {name: values[::-1] for name, values in samples.items()}
    one, other = (
        drawn_from(some, Settings(learning=Learning(draw=15, core_minimum=10)))
        for some in (samples, turned)
    )
    assert samples["key_high"][one.rows].tolist() == turned["key_high"][other.rows].tolist()


def test_samples_are_drawn_with_the_reported_probability() -> None:
    """Each sample is drawn as often as its reported probability says, whatever decides it."""
    samples, seeds = pool(40, 60, 20), 4000
    samples["reason"][110:] = SPENT
    samples["weight"][::3] = 0.4
    new, category = np.arange(120) % 4 == 0, np.where(np.arange(120) % 20 == 3, 1, 0)
    settings = Settings(
        learning=Learning(draw=30, core_minimum=1, slice_floor=4, spent_again=0.1, draw_old=0.3)
    )
    said, times = np.full(120, np.nan), np.zeros(120)
    for seed in range(seeds):
        found = drawn_from(samples, settings, seed, new=new, slices=lambda rows: [category[rows]])
        same = np.isnan(said[found.rows]) | np.isclose(said[found.rows], found.probability)
        assert same.all()
        said[found.rows] = found.probability
        times[found.rows] += 1
    assert (30, False) == (len(found.rows), np.isnan(said[(samples["standing"] != NOISE)]).any())
    known = np.nan_to_num(said)
    error = np.sqrt(known * (1 - known) / seeds)
    assert (np.abs(times / seeds - known) <= 4.5 * error).all()
    assert pytest.approx(30, abs=1e-9) == known.sum()


def test_a_draw_of_one_follows_utility_times_weight() -> None:
    """The probability in a draw of one is half uniform, half by importance, times the weight."""
    samples = pool(4, 0) | {"weight": np.array([1, 1, 0.5, 0], np.float32)}
    settings = Settings(learning=Learning(draw=1, core_minimum=1, uniform_share=0.5))
    utility = 0.5 / 4 + 0.5 * np.array([0.5, 1.5, 2.5, 3.5]) / 8
    expected = utility * [1, 1, 0.5, 0] / (utility * [1, 1, 0.5, 0]).sum()
    found = [drawn_from(samples, settings, seed) for seed in range(200)]
    assert {(int(one.rows[0]), round(float(one.probability[0]), 9)) for one in found} == set(
        list(enumerate(expected.round(9)))[:3]
    )


@pytest.mark.parametrize(
    ("shares", "most", "expected"),
    [
        # all of 100 new ones and half of 300 old ones
        ((1.0, 0.5), 1000, (100, 150)),
        ((0.2, 0.1), 1000, (20, 30)),
        # each wants more than half of the most
        ((1.0, 1.0), 120, (60, 60)),
        # the new ones want less than half, and the old ones have the rest
        ((0.2, 1.0), 120, (20, 100)),
        # the old ones want less than half
        ((1.0, 0.1), 120, (90, 30)),
        ((0.0, 0.5), 1000, (0, 150)),
    ],
)
def test_a_draw_that_chooses_takes_shares_of_new_and_old(
    shares: tuple[float, float], most: int, expected: tuple[int, int]
) -> None:
    """A version that has learnt draws shares of what is new and of what is old, up to the most."""
    samples, new = pool(200, 200), np.arange(400) % 4 == 0
    settings = Settings(
        learning=Learning(draw=most, draw_new=shares[0], draw_old=shares[1], core_minimum=10)
    )
    found = drawn_from(samples, settings, new=new)
    assert (*expected, True) == (
        int(new[found.rows].sum()),
        int((~new)[found.rows].sum()),
        found.chooses,
    )
    assert 400 == found.available


def test_a_draw_that_does_not_choose_takes_all_it_can_get() -> None:
    """Without knowing what is new, a draw takes everything up to the most."""
    settings = Settings(learning=Learning(draw=350, draw_new=0.1, draw_old=0.1, core_minimum=10))
    found = drawn_from(pool(200, 200), settings)
    assert (350, False) == (len(found.rows), found.chooses)


def test_a_rare_slice_is_never_emptied() -> None:
    """Of a slice of unimportant samples at least its floor is drawn, and all if it has fewer."""
    samples = pool(4000, 0) | {"recent_importance": np.repeat([1e-3, 1.0], [100, 3900])}
    category = np.where(np.arange(4000) < 60, 0, np.where(np.arange(4000) < 65, 1, 2))
    bucket = np.where(np.arange(4000) % 50 == 0, 0, 1)
    settings = Settings(
        learning=Learning(draw=400, core_minimum=10, uniform_share=0.0, slice_floor=10)
    )
    seen = []
    for seed in range(100):
        found = drawn_from(
            samples, settings, seed, slices=lambda rows: [category[rows], bucket[rows]]
        )
        assert 400 == len(found.rows)
        seen.append([int((category[found.rows] == one).sum()) for one in (0, 1)])
        assert (bucket[found.rows] == 0).any()
    assert {(10, 5)} == {tuple(one) for one in seen}
    without = [
        int((category[drawn_from(samples, settings, seed).rows] == 0).sum()) for seed in range(100)
    ]
    assert max(without) < 5


def test_few_spent_samples_are_drawn_again() -> None:
    """Some of a draw is spent samples, others at another seed, and none is contradictory."""
    samples = pool(100, 100, 400)
    samples["reason"][300:] = SPENT
    settings = Settings(learning=Learning(draw=100, core_minimum=10, spent_again=0.1))
    again = [
        frozenset(found.rows[found.rows >= 200].tolist())
        for found in (drawn_from(samples, settings, seed) for seed in range(5))
    ]
    assert ({10}, 5) == ({len(one) for one in again}, len(set(again)))
    assert all(min(one) >= 300 for one in again)
    few = pool(100, 100, 3) | {"reason": np.full(203, SPENT)}
    assert (97, 3) == tuple(
        int(one.sum())
        for rows in [drawn_from(few, settings).rows]
        for one in (rows < 200, rows >= 200)
    )


@pytest.mark.parametrize(
    ("uniform_share", "least", "most"), [(1.0, 0.9, 1.1), (0.5, 1.5, 3.5), (0.0, 5.0, 30.0)]
)
def test_importance_raises_the_chance(uniform_share: float, least: float, most: float) -> None:
    """The smaller the uniform share, the oftener samples of nine times the importance are drawn."""
    samples = pool(200, 0) | {"recent_importance": np.repeat([1.0, 9.0], 100)}
    settings = Settings(learning=Learning(draw=10, core_minimum=10, uniform_share=uniform_share))
    rows = np.concatenate([drawn_from(samples, settings, seed).rows for seed in range(600)])
    assert least < (rows >= 100).sum() / (rows < 100).sum() < most


@pytest.mark.parametrize("importance", [0.0, -1.0])
def test_samples_of_no_importance_are_drawn_last(importance: float) -> None:
    """With no uniform share, samples of no importance are drawn only when all others are."""
    samples = pool(20, 0) | {"recent_importance": np.repeat([importance, 1.0], 10)}
    settings = Settings(learning=Learning(core_minimum=10, uniform_share=0.0, draw=12))
    found = drawn_from(samples, settings)
    assert (2, 10) == ((found.rows < 10).sum(), (found.rows >= 10).sum())


def test_no_importance_at_all_is_uniform() -> None:
    """Where every importance is 0, every sample has the same probability."""
    samples = pool(20, 0) | {"recent_importance": np.zeros(20)}
    found = drawn_from(
        samples,
        Settings(learning=Learning(core_minimum=10, uniform_share=0.0, edge_floor=0.0, draw=5)),
    )
    assert pytest.approx([5 / 20] * 5) == found.probability


def test_the_same_state_gives_the_same_draw() -> None:
    """A seed repeats its draw, and another seed draws other samples."""
    samples = pool(300, 300)
    first, again, other = (drawn_from(samples, seed=seed).rows.tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other
