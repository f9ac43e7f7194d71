"""What each policy takes, on figures small enough to be worked out by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from mainstem.bench.cost.choice import Candidates, Choice
from mainstem.bench.cost.found import worst_slice
from mainstem.bench.cost.rare import rarest
from mainstem.bench.selection.choices import (
    AumFiltered,
    ByEstimator,
    Coverage,
    InfoBatch,
    MultistageFiltering,
)
from mainstem.bench.selection.controls import OfStandings, Oracle, TrustedOnly
from mainstem.bench.selection.draws import highest, in_stages, layered, pruned
from mainstem.bench.selection.policies import CLAIMED, SCREEN, final_ones
from mainstem.estimators import ESTIMATORS
from mainstem.standing import CORE, EDGE, NOISE

TEN = np.arange(10.0)


def chance(seed: int = 0) -> np.random.Generator:
    """Return a source of randomness."""
    return np.random.default_rng(seed)


def ten(**figures: Sequence[float]) -> Candidates:
    """Return ten samples: the last two wrong, the first three core, the first two confirmed."""
    place = np.arange(10)
    return Candidates(
        figures={name: np.array(values, np.float64) for name, values in figures.items()},
        standing=np.array([CORE] * 3 + [EDGE] * 4 + [NOISE] * 3, np.int8),
        weight=1 - TEN / 10,
        wrong=place >= 8,
        confirmed=place < 2,
    )


def places(choice: Choice, there: Candidates, share: float = 0.3) -> list[int]:
    """Return what a choice takes."""
    return choice.of(there, share, chance()).places.tolist()


def test_the_highest_are_taken_and_of_those_without_a_figure_as_large_a_share() -> None:
    """Four of eight figures, and one of the two samples that have none."""
    figures = np.array([8, np.nan, 1, 7, 2, 6, 3, 5, 4, np.nan])
    taken = highest(figures, 0.5, chance()).tolist()
    assert [0, 3, 5, 7] == [one for one in taken if one not in {1, 9}]
    assert 5 == len(taken)


def test_chance_decides_between_equal_figures() -> None:
    """With all figures equal, other seeds take other samples."""
    found = {tuple(highest(np.zeros(10), 0.3, chance(seed)).tolist()) for seed in range(20)}
    assert len(found) > 10


def test_stages_keep_the_same_share_each() -> None:
    """A quarter in two stages: half by loss, then half of those by norm."""
    norm = np.array([9, 9, 9, 9, 1, 2, 8, 7.0])
    assert [6, 7] == in_stages([np.arange(8.0), norm], 0.25, chance()).tolist()
    # 30 % in two stages of 55 %: 5 of 10, then 3 of 5
    there = ten(loss=TEN, response_norm=-TEN)
    assert [5, 6, 7] == places(MultistageFiltering(), there)


def test_pruning_leaves_the_expected_loss_as_it_is() -> None:
    """Losses 1, 1, 1, 9 have the mean 3: the first three stay by half, and weigh 2."""
    loss = np.array([1.0, 1.0, 1.0, 9.0])
    sums = []
    for seed in range(2000):
        kept, weight = pruned(loss, 0.5, chance(seed))
        assert 3 in kept
        assert {2.0} >= set(weight[kept < 3].tolist())
        assert [1.0] == weight[kept == 3].tolist()
        sums.append(float((loss[kept] * weight).sum()))
    assert abs(np.mean(sums) - loss.sum()) < 0.1


def test_info_batch_prunes_within_its_share() -> None:
    """All above the mean loss stay; those below weigh 2 where they stay."""
    chosen = InfoBatch().of(ten(loss=TEN), 1.0, chance(1))
    assert [5, 6, 7, 8, 9] == chosen.places[chosen.places >= 5].tolist()
    assert (chosen.places < 5).sum() < 5
    assert (chosen.places < 5).tolist() == (chosen.weight == 2).tolist()


def test_layers_fill_the_smallest_first() -> None:
    """Layers of 1, 2 and 7 samples and six to take: 1, 2 and 3."""
    score = np.array([0.0] * 7 + [0.5, 0.5] + [1.0])
    taken = layered(score, np.arange(10), 6, chance(), layers=3)
    assert [3, 2, 1] == [int((score[taken] == one).sum()) for one in (0, 0.5, 1)]


def test_layers_of_one_score_are_one_layer() -> None:
    """Equal scores are taken at random."""
    assert 4 == len(layered(np.ones(9), np.arange(9), 4, chance()))


@pytest.mark.parametrize("choice", [AumFiltered(), Coverage()])
def test_the_hardest_are_cut_and_called_wrong(choice: Choice) -> None:
    """A fifth of ten samples, those with the lowest margins, is never taken."""
    chosen = choice.of(ten(aum=TEN), 1.0, chance())
    assert list(range(2, 10)) == chosen.places.tolist()
    assert chosen.called is not None
    assert [0, 1] == np.flatnonzero(chosen.called).tolist()
    assert 3 == len(places(choice, ten(aum=TEN)))


def test_an_estimator_takes_its_highest_figures_alike() -> None:
    """Samples weigh 1, whatever the figures are."""
    chosen = ByEstimator("el2n").of(ten(el2n=TEN), 0.3, chance())
    assert ([7, 8, 9], [1, 1, 1]) == (chosen.places.tolist(), chosen.weight.tolist())


def test_a_squared_norm_is_a_chance_and_its_inverse_a_weight() -> None:
    """Two of ten by s = 1, 1, ..., 11: the last one is drawn for certain."""
    sizes = np.array([1.0] * 9 + [11.0])
    for seed in range(20):
        chosen = ByEstimator("squared_norm").of(ten(squared_norm=sizes), 0.2, chance(seed))
        first, last = chosen.places.tolist()
        assert (first < 9, 9) == (True, last)
        # chances 1 / 9 and 1, so that the weights are as 9 to 1
        assert 9 == pytest.approx(chosen.weight[0] / chosen.weight[1])


def test_a_normalised_norm_is_a_weight() -> None:
    """The three highest of 0 to 9 are 7, 8 and 9, whose mean weight is 1."""
    chosen = ByEstimator("normalised_norm").of(ten(normalised_norm=TEN / 45), 0.3, chance())
    assert [7, 8, 9] == chosen.places.tolist()
    assert [7 / 8, 1, 9 / 8] == pytest.approx(chosen.weight.tolist())


def test_controls_take_what_they_may() -> None:
    """Trusted samples whatever the share; right labels; and only the standings that are asked."""
    assert [0, 1] == places(TrustedOnly(), ten())
    assert list(range(8)) == places(Oracle(), ten(), 1.0)
    assert 3 == len(places(Oracle(), ten()))
    assert [0, 1, 2] == places(OfStandings((CORE,)), ten(), 1.0)
    chosen = OfStandings((CORE, EDGE), weighed=True).of(ten(), 1.0, chance())
    assert list(range(7)) == chosen.places.tolist()
    assert (1 - chosen.places / 10).tolist() == chosen.weight.tolist()


def test_where_no_sample_has_a_standing_all_may_be_taken() -> None:
    """A first judgement that has not come yet leaves core empty."""
    assert 5 == len(places(OfStandings((7,)), ten(), 0.5))


def test_the_rarest_fifth_is_by_what_came_before() -> None:
    """Of ten samples the two whose names hardly came before; a name more would be too much."""
    last = ["often"] * 7 + ["seldom", "never", "thrice"]
    before = ["often"] * 9 + ["thrice"] * 3 + ["seldom"]
    assert [7, 8] == np.flatnonzero(rarest(before, last)).tolist()
    assert not rarest(["one"], ["one", "one"]).any()
    assert worst_slice(np.array([0, 1]), TEN[:2], np.zeros((0, 2), np.bool_)) is None


def test_the_screen_has_every_estimator_and_the_final_has_six_more_than_the_claims() -> None:
    """Names are different, controls never go on, and a plan of five seeds stays below 200 cells."""
    families = {one.family for one in SCREEN}
    assert {f"by {name}" for name in ESTIMATORS} <= families
    names = [one.name for one in SCREEN]
    assert len(names) == len(set(names))
    assert 2 * len(names) <= 200
    for screened in ([], names):
        final = final_ones(screened)
        assert CLAIMED == final[: len(CLAIMED)]
        assert 6 == len(final) - len(CLAIMED)
        assert 5 * 3 * len(final) <= 200
    assert "oracle" not in {one.family for one in final_ones(names)}
