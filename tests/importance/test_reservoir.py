"""Reservoirs over time, held against simulation and worked by hand."""

import math
from collections import Counter

import numpy as np
import pytest

from mainstem.ids import uuid_of
from mainstem.importance.reservoir import HALF_LIFE, keys_of, reservoir

DAY = 86_400_000
IDS = [uuid_of("sample", number) for number in range(400)]
TIMES = [1_300_000_000_000 + number * DAY // 4 for number in range(400)]  # a hundred days


def kept(numbers: list[int], most: int, seed: int = 0) -> set[int]:
    """Return the numbers of the samples that are in a reservoir."""
    ids, times = [IDS[one] for one in numbers], [TIMES[one] for one in numbers]
    return {numbers[place] for place in reservoir(keys_of(ids, times, seed), ids, most)}


def test_the_order_of_arrival_does_not_matter() -> None:
    """The same samples in another order give the same reservoir, and another seed gives another."""
    shuffled = np.random.default_rng(0).permutation(400).tolist()
    assert 50 == len(kept(shuffled, 50))
    assert kept(list(range(400)), 50) == kept(shuffled, 50)
    assert kept(shuffled, 50, seed=1) != kept(shuffled, 50)


def test_reservoirs_of_parts_make_the_reservoir_of_all() -> None:
    """The reservoir of what partitions kept is that of all samples, so workers can be merged."""
    parts = [[one for one in range(400) if one % 3 == part] for part in range(3)]
    of_parts = sorted(one for part in parts for one in kept(part, 50))
    assert len(of_parts) == 150
    assert kept(list(range(400)), 50) == kept(of_parts, 50)


def test_a_sample_that_has_left_never_comes_back() -> None:
    """As the log grows, the reservoir holds samples that it held before, and new ones."""
    before = kept(list(range(100)), 50)
    for end in range(101, 401):
        after = kept(list(range(end)), 50)
        assert after <= before | {end - 1}
        before = after


def test_with_few_samples_all_are_kept() -> None:
    """As many samples as there is room for are all kept, in their order."""
    keys = keys_of(IDS[:9], TIMES[:9], 0)
    assert list(range(9)) == reservoir(keys, IDS[:9], 9).tolist()
    assert [] == reservoir(keys[:0], [], 5).tolist()


def test_keys_are_finite_and_their_differences_do_not_depend_on_the_calendar() -> None:
    """Moving all times by years moves all keys alike, and no key overflows."""
    now = keys_of(IDS, TIMES, 0)
    later = keys_of(IDS, [one + 20_000 * DAY for one in TIMES], 0)
    assert np.isfinite(later).all()
    assert pytest.approx(20_000 * DAY * math.log(2) / HALF_LIFE) == (now - later).mean()
    assert (now - later).std() < 1e-9


def test_chances_are_those_of_draws_without_replacement_by_decayed_weight() -> None:
    """Over many seeds a sample is kept as often as numpy draws it one by one by its weight."""
    count, most, times = 12, 4, 4000
    ids, days = IDS[:count], [one * 10 * DAY for one in range(count)]
    weight = np.exp2(np.array(days) / HALF_LIFE)
    found: Counter[int] = Counter()
    for seed in range(times):
        found.update(reservoir(keys_of(ids, days, seed), ids, most).tolist())
    random = np.random.default_rng(0)
    drawn: Counter[int] = Counter()
    for _ in range(times):
        chosen = random.choice(count, most, replace=False, p=weight / weight.sum())
        drawn.update(chosen.tolist())
    ours, theirs = (
        np.array([counts[one] for one in range(count)]) / times for counts in (found, drawn)
    )
    # five standard errors of the difference of two shares
    error = np.sqrt(2 * np.maximum(theirs * (1 - theirs), 0.01) / times)
    assert (np.abs(ours - theirs) < 5 * error).all()
    assert ours[-1] > 4 * ours[0]


def test_a_sample_a_half_life_older_is_kept_half_as_often() -> None:
    """Where few of many are kept, chances are in the ratio of the weights."""
    count, times = 200, 300
    ids, moments = IDS[:count], [0, HALF_LIFE] * (count // 2)
    new = old = 0
    for seed in range(times):
        places = reservoir(keys_of(ids, moments, seed), ids, 4)
        new, old = new + int((places % 2 == 1).sum()), old + int((places % 2 == 0).sum())
    assert times * 4 == new + old
    assert pytest.approx(2 / 3, abs=5 * math.sqrt(2 / 9 / (times * 4)) + 0.01) == new / (new + old)


def test_samples_of_one_question_stay_together() -> None:
    """Keys by question keep whole questions; only of the last one some samples may be left out."""
    questions = [IDS[number // 10] for number in range(400)]
    places = reservoir(keys_of(questions, [0] * 400, 0), IDS, 95)
    of_question = Counter(int(place) // 10 for place in places)
    assert [5, *[10] * 9] == sorted(of_question.values())


def test_some_samples_go_first() -> None:
    """Samples that go first are in before any other; among too many of them their keys decide."""
    keys, first = keys_of(IDS, TIMES, 0), np.arange(400) < 30
    places = reservoir(keys, IDS, 50, first=first)
    assert list(range(30)) == places[:30].tolist()
    assert 50 == len(places)
    assert (
        reservoir(keys[:30], IDS[:30], 20).tolist()
        == reservoir(keys, IDS, 20, first=first).tolist()
    )


def test_a_rare_stratum_has_its_least() -> None:
    """Each stratum has its smallest keys in, and the rest is filled up to the same size."""
    keys, strata = keys_of(IDS, TIMES, 0), (np.arange(400) % 50 == 0).astype(np.int64)
    places = reservoir(keys, IDS, 100, strata=strata, least=6)
    rare = np.flatnonzero(strata)
    assert 100 == len(places)
    assert set(rare[np.argsort(keys[rare])[:6]]) <= set(places.tolist())
    plain = reservoir(keys, IDS, 100)
    assert len(set(plain.tolist()) - set(places.tolist())) <= 6
    assert 12 == len(reservoir(keys, IDS, 5, strata=strata, least=6))
