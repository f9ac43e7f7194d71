"""Cross-conformal p-values, by hand, against plain ones, and by what they promise."""

import numpy as np
import pytest

from mainstem.standing import conformal_p_values, rejected
from mainstem.standing.crossed import (
    Crossed,
    cross_conformal_p_values,
    expected_tail,
    shift_weights,
    strata_of,
)


def test_one_model_that_saw_no_canary_gives_plain_p_values() -> None:
    """With a single fold the p-values are those of `conformal_p_values`, ties included."""
    doubt = np.random.default_rng(0).integers(0, 9, 200).astype(float)
    canaries = np.arange(0, 200, 5)
    crossed = cross_conformal_p_values([Crossed(doubt, canaries)])
    assert pytest.approx(conformal_p_values(doubt, doubt[canaries])) == crossed


def test_a_sample_is_compared_under_the_model_that_did_not_see_the_canary() -> None:
    """Worked by hand: two folds on different scales, and two divisions that are averaged."""
    folds = [
        Crossed(np.array([5.0, 0.0, 9.0]), np.array([0])),
        Crossed(np.array([70.0, 60.0, 65.0]), np.array([1])),
    ]
    # sample 2 lies above canary 0 under the first model, and above canary 1 under the second
    assert [2 / 3, 1.0, 1 / 3] == cross_conformal_p_values(folds).tolist()
    both = [*folds, Crossed(np.array([1.0, 2.0, 0.0]), np.array([0, 1]), division=1)]
    assert (1 / 3 + 1) / 2 == cross_conformal_p_values(both)[2]


def test_labels_and_weights_worked_by_hand() -> None:
    """Only canaries of the stratum count, each with its weight."""
    doubt = np.array([1.0, 2.0, 3.0, 2.5, 2.5])
    strata, canaries = np.array([0, 0, 1, 0, 1]), np.array([0, 1, 2])
    found = cross_conformal_p_values([Crossed(doubt, canaries)], strata)
    assert pytest.approx([1 / 3, 2 / 2]) == found[3:].tolist()
    weights = np.array([1.0, 3.0, 1.0, 2.0, 1.0])
    found = cross_conformal_p_values([Crossed(doubt, canaries)], weights=weights)
    # canaries at least as doubtful as 2.5: the third, of weight 1; all weigh 5
    assert pytest.approx([(2 + 1) / (2 + 5), (1 + 1) / (1 + 5)]) == found[3:].tolist()
    alone = cross_conformal_p_values([Crossed(doubt, canaries[:2])], strata)
    assert alone[4] == 1.0


def test_sound_samples_get_small_p_values_no_oftener_than_said() -> None:
    """Sound samples whose mix of groups is not that of the canaries: the weights repair it."""
    random, small, plain = np.random.default_rng(0), [], []
    for _ in range(200):
        group = np.concatenate([random.random(300) < 0.8, random.random(300) < 0.2]).astype(int)
        doubt = random.normal(size=600) + 2 * group
        canaries = np.arange(300, 600)
        # the groups of the stream alone count as the stream
        weights = shift_weights(group, canaries, np.repeat([1.0, 0.0], 300))
        crossed = [Crossed(doubt, canaries)]
        small.append((cross_conformal_p_values(crossed, weights=weights)[:300] <= 0.1).mean())
        plain.append((cross_conformal_p_values(crossed)[:300] <= 0.1).mean())
    assert np.mean(small) < 0.11
    assert np.mean(plain) > 0.2


def test_false_calls_are_as_rare_as_said() -> None:
    """Over many streams, the share of false calls is at most the rate that was asked for."""
    random, false = np.random.default_rng(1), []
    for _ in range(60):
        wrong = random.random(1200) < 0.2
        wrong[:300] = False
        doubt = random.normal(size=1200) + 4 * wrong
        folds = [Crossed(doubt * (1 + k), np.arange(k, 300, 5)) for k in range(5)]
        called = rejected(cross_conformal_p_values(folds)[300:], 0.1)
        false.append((called & ~wrong[300:]).sum() / max(called.sum(), 1))
    assert np.mean(false) <= 0.1


def test_weights_and_strata_at_the_edge() -> None:
    """A group without canaries has a finite weight; no sample, no stratum."""
    groups, right = np.repeat([0, 2], 50), np.ones(100)
    weights = shift_weights(groups, np.arange(20), right)
    assert np.isfinite(weights).all()
    assert weights[99] > weights[0]
    assert len(strata_of(np.zeros(0, np.int64), np.zeros(0, np.int64), 5)) == 0


def test_what_the_model_expects_keeps_a_few_canaries_from_deciding() -> None:
    """With as many wrong labels as ever, what is found varies less, and false calls stay rare."""
    random, alone, beside, false = np.random.default_rng(2), [], [], []
    for _ in range(60):
        wrong = random.random(2300) < 0.2
        wrong[:300] = False
        doubt = random.normal(size=2300) + 3 * wrong
        # log-odds of normal doubts 3 apart, of which a fifth are wrong
        right = 1 / (1 + np.exp(3 * doubt - 4.5 + np.log(0.2 / 0.8)))
        crossed, stream = [Crossed(doubt, np.arange(300))], slice(300, None)
        for found, expected in ((alone, None), (beside, expected_tail(doubt, right))):
            p_value = cross_conformal_p_values(crossed, expected=expected)[stream]
            called = rejected(p_value, 0.1 / 0.8)
            found.append((called & wrong[stream]).sum() / wrong[stream].sum())
        false.append((called & ~wrong[stream]).sum() / max(called.sum(), 1))
    assert np.std(beside) < 0.7 * np.std(alone)
    assert np.mean(beside) > np.mean(alone)
    assert np.mean(false) <= 0.1


def test_canaries_that_belong_together_count_for_less() -> None:
    """With four canaries a question, a sample counts as four canaries; worked by hand."""
    doubt = np.arange(9.0)
    found = cross_conformal_p_values([Crossed(doubt, np.arange(8))], together=4.0)
    # no canary is as doubtful as the last sample
    assert pytest.approx((4 + 0) / (4 + 8)) == found[8]


def test_canaries_of_few_questions_call_falsely_no_oftener() -> None:
    """Doubt is shared by the samples of a question; that is heeded where questions are trusted."""
    random, false = np.random.default_rng(3), {1.0: list[float](), 10.0: list[float]()}
    for _ in range(150):
        wrong = random.random(2300) < 0.2
        wrong[:300] = False
        shared = np.repeat(random.normal(size=230), 10)
        doubt = 0.7 * shared + 0.7 * random.normal(size=2300) + 2.5 * wrong
        for together, shares in false.items():
            p_value = cross_conformal_p_values([Crossed(doubt, np.arange(300))], together=together)
            called = rejected(p_value[300:], 0.1 / 0.8)
            shares.append((called & ~wrong[300:]).sum() / max(called.sum(), 1))
    assert np.mean(false[10.0]) < 0.1
    assert np.mean(false[10.0]) < np.mean(false[1.0])
