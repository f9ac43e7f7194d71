"""Conformal p-values and Benjamini-Hochberg, against hand-worked cases, a plain count and SciPy."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from mainstem.standing import conformal_p_values, rejected, share_sound

# few values, so many ties
EVIDENCE = st.lists(st.integers(0, 5).map(float), max_size=20)
P_VALUES = st.lists(st.floats(0.0001, 1), min_size=1, max_size=30)
RATES = st.floats(0.01, 0.5)
SEEDS = 2000


def stepped_up(p_values: list[float], rate: float) -> list[bool]:
    """Call the k smallest p-values, k the largest with p_(k) <= k q / n, as the paper says."""
    n, q = len(p_values), Fraction(rate)
    ordered = sorted(map(Fraction, p_values))
    # rounding must not decide
    assume(all(abs(p - k * q / n) > 1e-9 for k, p in enumerate(ordered, 1)))
    called = [p for k, p in enumerate(ordered, 1) if p <= k * q / n]
    return [bool(called) and p <= called[-1] for p in p_values]


@pytest.mark.parametrize(
    ("evidence", "canaries", "p_value"),
    [
        # none as doubtful
        (9.0, [1.0, 2.0, 3.0], 1 / 4),
        # all
        (0.0, [1.0, 2.0, 3.0], 4 / 4),
        (2.5, [1.0, 2.0, 3.0], 2 / 4),
        # a tie counts against the sample
        (2.0, [1.0, 2.0, 3.0], 3 / 4),
        (2.0, [2.0, 2.0, 2.0], 4 / 4),
        # the smallest that 199 canaries can give
        (9.0, [1.0] * 199, 1 / 200),
        (9.0, [1.0], 1 / 2),
    ],
)
def test_p_values_worked_by_hand(evidence: float, canaries: list[float], p_value: float) -> None:
    """A p-value is 1 + the canaries at least as doubtful, over 1 + all canaries."""
    assert [p_value] == conformal_p_values(np.array([evidence]), np.array(canaries)).tolist()


@given(EVIDENCE, EVIDENCE.filter(len))
def test_p_values_are_a_plain_count(evidence: list[float], canaries: list[float]) -> None:
    """Sorting and searching gives the counts of a plain loop, in any order and with ties."""
    counted = [
        (1 + sum(canary >= one for canary in canaries)) / (1 + len(canaries)) for one in evidence
    ]
    assert counted == conformal_p_values(np.array(evidence), np.array(canaries)).tolist()


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.5, 0.9])
def test_a_sound_sample_has_a_uniform_p_value(share: float) -> None:
    """The p-value of a sound sample is below any level as often as the level says."""
    random = np.random.default_rng(1)
    # each row is a sample and 19 canaries: p-values are twentieths
    drawn = random.normal(size=(SEEDS, 20))
    below = np.mean([conformal_p_values(row[:1], row[1:])[0] <= share for row in drawn])
    assert pytest.approx(share, abs=4 * (share * (1 - share) / SEEDS) ** 0.5) == below


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.5, 0.9])
def test_ties_make_p_values_larger_only(share: float) -> None:
    """Where evidence is tied, a sound sample is below a level no more often than the level says."""
    random = np.random.default_rng(2)
    drawn = random.integers(0, 4, size=(SEEDS, 20)).astype(float)
    below = np.mean([conformal_p_values(row[:1], row[1:])[0] <= share for row in drawn])
    assert below <= share + 4 * (share * (1 - share) / SEEDS) ** 0.5


def test_the_step_up_worked_by_hand() -> None:
    """A p-value above its own threshold is called if a larger one is below its own."""
    p_values = np.array([0.6, 0.025, 0.029, 0.001, 0.9])
    # thresholds .01 .02 .03 .04 .05, and then .008 .016 .024 .032 .04
    assert [False, True, True, True, False] == rejected(p_values, 0.05).tolist()
    assert [False, False, False, True, False] == rejected(p_values, 0.04).tolist()


@given(P_VALUES, RATES)
def test_the_step_up_is_that_of_benjamini_and_hochberg(p_values: list[float], rate: float) -> None:
    """Exactly the p-values up to the largest one below its threshold are called."""
    assert stepped_up(p_values, rate) == rejected(np.array(p_values), rate).tolist()


@given(P_VALUES, RATES)
def test_the_step_up_is_that_of_scipy(p_values: list[float], rate: float) -> None:
    """The calls are those of SciPy's adjusted p-values."""
    assert (false_discovery_control(p_values, method="bh") <= rate).tolist() == rejected(
        np.array(p_values), rate
    ).tolist()


@pytest.mark.parametrize("sound", [0.5, 0.8, 1.0])
def test_the_share_of_sound_samples_is_estimated(sound: float) -> None:
    """With tiny p-values of wrong samples, twice the share above a half is the sound share."""
    random, count = np.random.default_rng(3), 10_000
    p_values = np.where(
        random.random(count) < sound, random.random(count), random.random(count) / 100
    )
    assert pytest.approx(min(sound, 1.0), abs=4 / count**0.5) == share_sound(p_values)


@pytest.mark.parametrize("sound", [0.5, 0.8])
def test_false_calls_come_at_the_rate_that_is_asked_for(sound: float) -> None:
    """Over many draws the rate of false calls is the one asked for, however many are sound."""
    random, rate, shares = np.random.default_rng(4), 0.1, []
    for _ in range(300):
        is_sound = random.random(1000) < sound
        p_values = np.where(is_sound, random.random(1000), random.random(1000) / 1000)
        called = rejected(p_values, rate / share_sound(p_values))
        shares.append((called & is_sound).sum() / max(called.sum(), 1))
    assert pytest.approx(rate, abs=4 * np.std(shares) / 300**0.5 + 0.005) == np.mean(shares)


def test_no_samples_are_called_among_none() -> None:
    """Without samples there are no p-values and no calls."""
    assert ([], []) == (
        conformal_p_values(np.zeros(0), np.ones(3)).tolist(),
        rejected(np.zeros(0), 0.1).tolist(),
    )
