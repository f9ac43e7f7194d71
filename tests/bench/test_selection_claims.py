"""Claims about selection, held to cells made by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mainstem.bench.cost.cells import Ran
from mainstem.bench.cost.policies import Policy
from mainstem.bench.cost.run import Plan
from mainstem.bench.cost.streams import CostStream
from mainstem.bench.selection.claims import claims_of
from mainstem.bench.selection.policies import CLAIMED, DEFAULT, MULTISTAGE
from mainstem.bench.selection.run import bench_selection, keep_screened, screened
from mainstem.errors import SettingError
from mainstem.settings import Settings

NOISY = CostStream(name="noisy", planted=0.1)
CLEAN = CostStream(name="clean", shop={"plain": True})
TRUTH = np.tile([0, 1], 300)
RARE = np.arange(600) < 120


def ran(quality: float, cost: float, seed: int, rare: float | None = None) -> Ran:
    """Return a cell that ranks the better the higher its quality is, and the rare by another."""
    noise = np.random.default_rng(seed).normal(size=len(TRUTH))
    each = np.where(RARE, quality if rare is None else rare, quality)
    scores, questions = each * TRUTH + noise, np.arange(600) // 2
    facts: dict[str, Any] = {"cost": dict.fromkeys(("score", "rescore", "features"), 0.0)}
    facts["cost"]["train"] = cost
    return Ran(facts, TRUTH, scores, questions, RARE[None])


def cells(
    ours: Ran | float, theirs: float, costs: tuple[float, float] = (5.0, 5.0)
) -> dict[str, dict[int, Ran]]:
    """Return cells of three seeds, where all rivals have one quality and one cost."""
    own, their = costs

    def one(policy: Policy, seed: int) -> Ran:
        if policy is DEFAULT:
            return ours if isinstance(ours, Ran) else ran(ours, own, seed)
        return ran(theirs, their, seed)

    return {policy.name: {seed: one(policy, seed) for seed in range(3)} for policy in CLAIMED}


def test_the_rows_are_those_of_the_table_with_all_their_keys() -> None:
    """Four rows; faithfulness is not measured and says why."""
    found = claims_of([NOISY], {"noisy": cells(2.0, 1.0)})
    keys = {"name", "now", "reach", "mean", "low", "high", "wins", "seeds", "holds"}
    assert [True] * 4 == [keys <= set(one) for one in found]
    assert [0.0, -0.005, 0.4, 0.0] == [one["reach"] for one in found]
    _, clean, faithful, _ = found
    for one in (clean, faithful):
        assert (None, None, None) == (one["mean"], one["holds"], one["wins"])
        assert one["why"].startswith("not measured: ")


def test_a_default_that_is_better_everywhere_holds_against_each() -> None:
    """Four rivals are beaten in all seeds, and the weakest is told."""
    noisy = claims_of([NOISY], {"noisy": cells(2.0, 1.0)})[0]
    assert (True, 3, 3) == (noisy["holds"], noisy["wins"], noisy["seeds"])
    rivals = ["everything", "random", "random again", MULTISTAGE]
    assert [f"against {one}" for one in rivals] == [one["name"] for one in noisy["measures"]]
    assert 0 < noisy["low"] < noisy["mean"] < noisy["high"]


def test_one_that_is_worse_does_not_hold_and_equals_hold_only_without_wrong_labels() -> None:
    """Equal rankings have a gain of 0: not above 0, but above -.005."""
    worse = claims_of([NOISY], {"noisy": cells(1.0, 2.0)})
    assert (False, 0) == (worse[0]["holds"], worse[0]["wins"])
    assert worse[3]["holds"] is False
    both = {"noisy": cells(1.0, 1.0), "clean": cells(1.0, 1.0)}
    noisy, clean, _, slices = claims_of([NOISY, CLEAN], both)
    assert (False, True, True) == (noisy["holds"], clean["holds"], slices["holds"])
    assert (0, 0, 0) == (clean["mean"], clean["low"], clean["high"])


def test_what_is_good_on_the_whole_can_be_worse_for_the_rare() -> None:
    """Only the rare slice counts for the last row."""
    found = cells(3.0, 1.0)
    found[DEFAULT.name] = {seed: ran(3.0, 5.0, seed, rare=-1.0) for seed in range(3)}
    noisy, _, _, slices = claims_of([NOISY], {"noisy": found})
    assert (True, False) == (noisy["holds"], slices["holds"])


def test_a_rival_that_is_dearer_counts_by_its_cheapest_point() -> None:
    """Nothing is known of a rival below its cost, so it keeps its quality there."""
    cheap = claims_of([NOISY], {"noisy": cells(2.0, 1.0, (1.0, 5.0))})[0]
    same = claims_of([NOISY], {"noisy": cells(2.0, 1.0, (5.0, 5.0))})[0]
    assert same == cheap


def test_more_cells_than_are_allowed_are_refused(tmp_path: Path) -> None:
    """The error says how many there are, before anything runs."""

    def opened(*_: object) -> Any:
        pytest.fail("nothing is opened")

    plan = Plan(tmp_path, [NOISY, CLEAN], CLAIMED, list(range(40)), Settings(), opened, opened)
    with pytest.raises(SettingError, match="these are 480 cells, and at most 200 are run"):
        bench_selection([plan], lambda line: None)  # noqa: ARG005


def test_a_screen_keeps_the_best_first(tmp_path: Path) -> None:
    """Policies are ordered by their mean over the streams."""
    assert [] == screened(tmp_path)
    found = [("a", 0.6), ("b", 0.9), ("a", 0.7), ("b", 0.5), ("c", 0.8)]
    told = [{"policy": name, "auc_true": reached} for name, reached in found]
    assert ["c", "b", "a"] == keep_screened(tmp_path, told) == screened(tmp_path)
