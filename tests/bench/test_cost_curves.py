"""Quality against cost: points, targets, ratios and their intervals, on cells made by hand."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from mainstem.bench.cost.cells import Ran
from mainstem.bench.cost.compared import compared
from mainstem.bench.cost.curves import Curve, cost_at, quality_at
from mainstem.bench.cost.policies import FAMILIES, OURS, POLICIES, QUICK, TRIALS, Policy
from mainstem.bench.cost.run import _family_of, _middle_ones
from mainstem.cli.cost_page import page_of
from mainstem.settings import Settings
from tests.strict_html import Page

QUESTIONS = np.arange(400) // 2
TRUTH = np.tile([0, 1], 200)


def curve(*points: tuple[float, float]) -> Curve:
    """Return a curve through points of cost and quality."""
    return Curve(*np.array(points).T)


def ran(quality: float, cost: float, seed: int) -> Ran:
    """Return a cell whose ranking is better the less noise it has."""
    random = np.random.default_rng(seed)
    scores = quality * TRUTH + random.normal(size=len(TRUTH))
    facts = {"cost": {"score": cost / 4, "rescore": cost / 4, "train": cost / 2, "features": 0.0}}
    return Ran(facts, TRUTH, scores, QUESTIONS)


def cells(points: Mapping[str, tuple[float, float]], seeds: int = 3) -> dict[str, dict[int, Ran]]:
    """Return the cells of policies, each with its quality and cost."""
    return {
        name: {seed: ran(quality, cost, seed) for seed in range(seeds)}
        for name, (quality, cost) in points.items()
    }


def test_a_dearer_point_that_is_no_better_is_not_on_the_frontier() -> None:
    """Only a point above all cheaper ones counts, and equal costs count by the better one."""
    cost, quality = curve((1, 0.5), (2, 0.4), (3, 0.6), (3, 0.7), (4, 0.7)).frontier
    assert [1, 3] == cost.tolist()
    assert [0.5, 0.7] == quality.tolist()


@pytest.mark.parametrize(
    ("target", "cost"), [(0.5, 1.0), (0.4, 1.0), (0.6, 2.0), (0.7, 3.0), (0.71, None)]
)
def test_the_cost_of_a_target_is_read_between_points(target: float, cost: float | None) -> None:
    """Below the cheapest point nothing is known, so that point counts; above the best none does."""
    assert cost == pytest.approx(cost_at(curve((1, 0.5), (3, 0.7)), target))


@pytest.mark.parametrize(("cost", "quality"), [(0.9, None), (1.0, 0.5), (2.0, 0.6), (9.0, 0.7)])
def test_quality_at_a_cost_is_read_between_points(cost: float, quality: float | None) -> None:
    """Beyond the dearest point a curve stays as good as it was."""
    assert quality == pytest.approx(quality_at(curve((1, 0.5), (3, 0.7)), cost))


def test_the_page_draws_each_policy_without_an_interval() -> None:
    """A point for each, a line for each curve and one for the target; nothing loads or runs."""
    points = {"everything": [("all", 8.0, 0.8)], OURS: [("a half", 4.0, 0.7), ("most", 9.0, 0.9)]}
    named = ("policy", "cost", "auc_true")
    curves = {
        family: [dict(zip(named, one, strict=True)) for one in some]
        for family, some in points.items()
    }
    page = Page(page_of({"curves": {"shop": curves}, "target": {"shop": 0.75}}))
    assert [] == page.faults
    drawn = [name for name, _ in page.elements]
    assert (3, 2) == (drawn.count("circle"), drawn.count("polyline"))


def test_half_the_cost_at_the_same_quality_is_a_ratio_of_a_half() -> None:
    """Rankings alike in every draw differ by their costs alone, so the interval is a point."""
    policies = [Policy(family="everything"), Policy(family=OURS, draw=0.5)]
    named = {policies[0].name: (1.0, 8.0), policies[1].name: (1.0, 4.0)}
    found = compared(cells(named), policies, seed=0)
    assert {"mean": 0.5, "low": 0.5, "high": 0.5} == found.cost_ratio
    best = found.curves["everything"][0]["auc_true"]
    assert pytest.approx(best - 0.003) == found.target


def test_a_target_that_is_never_reached_has_no_ratio() -> None:
    """A worse ranking reaches nothing, however cheap it is."""
    policies = [Policy(family="everything"), Policy(family=OURS, draw=0.5)]
    named = {policies[0].name: (2.0, 8.0), policies[1].name: (0.1, 1.0)}
    found = compared(cells(named), policies, seed=0)
    assert {"mean": None, "low": None, "high": None} == found.cost_ratio


def test_the_ratio_without_scoring_leaves_out_what_ours_pays_for_it() -> None:
    """Ours pays half for scoring and everything pays nothing for it, so the ratio halves."""
    policies = [Policy(family="everything"), Policy(family=OURS, draw=0.5)]
    some = cells({policies[0].name: (1.0, 8.0), policies[1].name: (1.0, 12.0)})
    for one in some[policies[0].name].values():
        one.facts["cost"].update(score=0.0, rescore=0.0, train=8.0)
    found = compared(some, policies, seed=0)
    assert (1.5, 0.75) == (found.cost_ratio["mean"], found.free_ratio)


def test_at_equal_cost_ours_is_held_against_the_better_of_the_random_draws() -> None:
    """Everything counts as a random draw of all, and the better of two rivals decides."""
    policies = [
        Policy(family="random", draw=0.5),
        Policy(family="random again", again=0.5),
        Policy(family=OURS, draw=0.5),
    ]
    qualities = (0.5, 1.0, 1.5)
    named = {one.name: (at, 4.0) for one, at in zip(policies, qualities, strict=True)}
    some = cells(named)
    found = compared(some, policies, seed=0)
    means = [found.curves[one.family][0]["auc_true"] for one in policies]
    assert means == sorted(means)
    assert pytest.approx(means[2] - means[1]) == found.equal_cost["mean"]
    low, high = found.equal_cost["low"], found.equal_cost["high"]
    assert low is not None
    assert high is not None
    assert 0 < low < means[2] - means[1] < high


def test_everything_is_a_point_of_the_random_curves_too() -> None:
    """A random draw of all there is, is everything."""
    whole = next(one for one in POLICIES if one.family == "everything" and one.epochs == 3)
    assert ("random", "random again") == whole.also


def test_names_of_policies_tell_them_apart() -> None:
    """No two policies have one name, and the quick ones are four of them."""
    names = [one.name for one in POLICIES]
    assert len(names) == len(set(names))
    assert len(QUICK) == 4


@pytest.mark.parametrize("policy", POLICIES, ids=lambda one: one.name)
def test_settings_of_policies_exist(policy: Policy) -> None:
    """A setting that was renamed fails here, not after hours."""
    assert {"": {}} == {name: some for name, some in TRIALS.items() if not name}
    for trial in TRIALS.values():
        Settings().but({**policy.all_settings, **trial})


def test_a_bench_fits_into_three_hours_of_two_processes() -> None:
    """At most 200 cells: thirteen policies of three streams with five seeds."""
    from mainstem.bench.cost.streams import STREAMS

    assert len(POLICIES) * len(STREAMS) * 5 <= 200
    seconds = sum(one.cell_seconds for one in STREAMS) * len(POLICIES) * 5 / 2
    assert seconds <= 3 * 3600


def test_tuning_tries_the_middle_policy_of_each_family() -> None:
    """Families that leave a part of ours out are not tried; they take what was chosen for ours."""
    assert [
        "everything, 100 %, 2 epochs",
        "random, 50 %, 3 epochs",
        "random again, 50 %, 3 epochs",
        f"{OURS}, 50 %, 3 epochs",
    ] == [one.name for one in _middle_ones(POLICIES)]
    assert {OURS, *FAMILIES} == {_family_of(one) for one in POLICIES}


def test_a_cell_of_other_settings_is_another_cell() -> None:
    """A folder that was begun with other settings gives no cells; the same ones are found again."""
    from mainstem.bench.cost.run import Plan
    from mainstem.bench.cost.streams import STREAMS

    def file(settings: Settings, policy: Policy) -> str:
        plan = Plan(Path("x"), STREAMS, [policy], [0], settings, opened=None, opened_home=None)  # type: ignore[arg-type]
        [group] = plan.groups({})[:1]
        return group.cells[0].file

    policy, usual = Policy(family="random", draw=0.5), Settings()
    other = usual.but({"learning.train_batch": 32})
    assert file(usual, policy) == file(usual, policy)
    assert file(usual, policy) != file(other, policy)
    own = Policy(family="random", draw=0.5, settings={"learning.patience": 2})
    assert policy.name == own.name
    assert file(usual, policy) != file(usual, own)
