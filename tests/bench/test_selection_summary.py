"""Quality with more than two classes, what is told of each policy, and the page that shows it."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mainstem.bench.cost.cells import Ran
from mainstem.bench.cost.policies import FAMILIES
from mainstem.bench.cost.quality import WeightedQuality, quality_of, scores_of
from mainstem.bench.cost.streams import CostStream
from mainstem.bench.selection.claims import claims_of
from mainstem.bench.selection.plans import final_plans, only_streams, screen_plans
from mainstem.bench.selection.policies import BEYOND, CLAIMED, DEFAULT
from mainstem.bench.selection.run import MOST
from mainstem.bench.selection.streams import Data
from mainstem.bench.selection.summary import MEASURES, summary_of
from mainstem.cli.selection_page import page_of
from mainstem.settings import Settings
from tests.strict_html import Page

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.integers(0, 4, 500)
LOGITS = RANDOM.normal(size=(500, 4)) + np.eye(4)[TRUTH]


def test_quality_of_four_classes_is_that_of_scikit_learn() -> None:
    """The mean AUC of each class against the rest, with any weights; of two classes the AUC."""
    scores, weights = scores_of(LOGITS), RANDOM.integers(0, 3, 500).astype(np.float64)
    each = [roc_auc_score(TRUTH == one, scores[:, one]) for one in range(4)]
    assert np.mean(each) == pytest.approx(quality_of(TRUTH, scores))
    drawn = [roc_auc_score(TRUTH == one, scores[:, one], sample_weight=weights) for one in range(4)]
    assert np.mean(drawn) == pytest.approx(WeightedQuality.of(TRUTH, scores).auc(weights))
    two, odds = (TRUTH > 1).astype(np.int64), scores_of(LOGITS[:, 1:3])
    assert roc_auc_score(two, odds) == pytest.approx(quality_of(two, odds))
    assert (500,) == odds.shape


def test_a_class_without_weight_does_not_count() -> None:
    """A draw of questions may lack a class; a draw of one class alone has no quality."""
    some = np.isin(TRUTH, (0, 1)).astype(np.float64)
    told = WeightedQuality.of(TRUTH, scores_of(LOGITS))
    assert told.auc(some) == pytest.approx(quality_of(TRUTH[some > 0], scores_of(LOGITS[some > 0])))
    assert np.isnan(told.auc((TRUTH == 0).astype(np.float64)))
    assert quality_of(TRUTH[TRUTH == 0], scores_of(LOGITS[TRUTH == 0])) is None


def ran(policy_number: int, seed: int) -> Ran:
    """Return a cell of four classes that is the better the higher its policy's number is."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(500, 4)) + policy_number * np.eye(4)[TRUTH]
    facts: dict[str, Any] = dict.fromkeys(MEASURES) | {"draw": 0.3, "coverage": 0.5}
    facts["cost"] = {"score": 1.0, "rescore": 0.0, "train": 9.0, "features": 0.0}
    return Ran(facts, TRUTH, scores_of(logits), np.arange(500) // 2, np.zeros((0, 500), np.bool_))


def cells(seeds: int) -> dict[str, dict[int, Ran]]:
    """Return the cells of all policies of the claims, of which ours is the best."""
    return {
        one.name: {seed: ran(number, seed) for seed in range(seeds)}
        for number, one in enumerate(CLAIMED)
    }


def test_a_summary_has_means_and_intervals_and_the_page_shows_them() -> None:
    """Intervals hold the mean, what nothing has is None, and the page loads and runs nothing."""
    stream = CostStream(name="four <classes>", planted=0.1)
    rows = summary_of(stream.name, cells(2), CLAIMED, 0)
    assert [one.name for one in CLAIMED] == [one["policy"] for one in rows]
    assert all(one["low"] <= one["auc_true"] <= one["high"] for one in rows)
    assert {(10.0, 2, 0.5, None)} == {
        (one["cost"], one["seeds"], one["coverage"], one["auroc"]) for one in rows
    }
    claims = claims_of([stream], {stream.name: cells(2)})
    assert claims[0]["holds"] is True
    lacking = {"texts": "there is no folder"}
    page = Page(page_of({"policies": rows, "claims": claims, "not_run": lacking}))
    assert [] == page.faults
    told = " ".join(page.texts["td"] + page.texts["p"] + page.texts["h2"] + page.texts["th"])
    for words in (stream.name, DEFAULT.name, "holds; against", "because there is no folder"):
        assert words in told
    assert len(CLAIMED) == sum(name == "circle" for name, _ in page.elements)


def test_claims_are_held_to_the_streams_with_the_most_seeds() -> None:
    """A stream that was run with one seed says nothing of an interval over seeds."""
    streams = [CostStream(name=name, planted=0.1) for name in ("sure", "unsure")]
    few = {one.name: {0: ran(9 - number, 0)} for number, one in enumerate(BEYOND)}
    both = claims_of(streams, {"sure": cells(3), "unsure": few})
    assert both[0] == claims_of(streams[:1], {"sure": cells(3)})[0]
    assert 3 == both[0]["seeds"]


def test_a_final_run_has_at_most_200_cells_and_fits_into_three_hours(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Twelve policies, five seeds, three streams; five policies with one seed on four others."""
    from mainstem.bench.cost.run import Plan
    from mainstem.bench.evidence.streams import TEXTS
    from mainstem.bench.selection.graded import GRADED

    folder = tmp_path_factory.mktemp("sets")
    for name, file in ((TEXTS, "noisy_train.parquet"), (GRADED, "train.parquet")):
        (folder / name).mkdir()
        (folder / name / file).touch()
    base = Plan(folder, [], [], [], Settings(), opened=None, opened_home=None)  # type: ignore[arg-type]
    plans = final_plans(base, Data(folder, "model", folder / "features.npy"), 5, [])
    groups = [group for plan in plans for group in plan.groups({})]
    assert 200 == sum(len(one.cells) for one in groups) <= MOST
    seconds = sum(one.stream.cell_seconds * len(one.cells) for one in groups)
    assert seconds / 2 <= 3 * 3600
    assert [3, 4] == [len(one.streams) for one in plans]
    [screen] = screen_plans(base)
    assert (2, [0]) == (len(screen.streams), list(screen.seeds))
    assert {*FAMILIES, DEFAULT.family} <= {one.family for one in BEYOND}
    kept = only_streams(plans, ["excerpt as it is"])
    assert [["excerpt as it is"]] == [[one.name for one in plan.streams] for plan in kept]
