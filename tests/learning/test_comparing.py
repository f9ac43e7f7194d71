"""A new version beside its parent and counting, and its calibration."""

from dataclasses import dataclass

import numpy as np
import pytest

from mainstem.behaviour import FEATURE_NAMES
from mainstem.join import PlacedSample
from mainstem.learning import Decision
from mainstem.learning.comparing import beats_counting, compare, logits_of_each
from mainstem.learning.evaluation import Evaluation
from mainstem.learning.evaluation.counting import Counted
from mainstem.learning.judged import Judged
from mainstem.objectives import Examples
from mainstem.versions import BeatsCounting, Calibration
from tests.learning.samples import stored

POPULAR = FEATURE_NAMES.index("item_purchased_90")


@dataclass
class FakeActive:
    """A version whose log-odds are some factor times the number in the item's text."""

    factor: float
    classes: int = 2

    def logits(self, given: Examples, *, examined: bool) -> np.ndarray:
        assert examined
        logits = np.zeros((len(given.pairs), self.classes))
        logits[:, 1] = [self.factor * float(item) for _, item in given.pairs]
        return logits


def samples(count: int, seed: int, *, drawn: bool = False) -> list[PlacedSample]:
    """Make samples: the log-odds of yes are the number in the item's text, popularity is noisy."""
    random = np.random.default_rng(seed)
    made = []
    for number, odds in enumerate(random.normal(0, 1.5, count)):
        features = np.zeros(len(FEATURE_NAMES))
        features[POPULAR] = odds + random.normal(0, 2)
        label = int(random.random() < 1 / (1 + np.exp(-odds)))
        made.append(
            stored(
                number,
                label=label,
                item_text=str(odds),
                features=tuple(features.tolist()),
                sampling_probability=0.01 if drawn and not label else 1.0,
            )
        )
    return made


def judged(name: str, some: list[PlacedSample]) -> Judged:
    """Put samples into questions of three, with one slice: the first half."""
    labels = np.array([one.label for one in some], np.int64)
    everything = np.ones(len(some), np.bool_)
    half = np.arange(len(some)) < len(some) // 2
    slices = {name: everything, f"{name}/item=new": half}
    return Judged(name, some, labels, np.arange(len(some)) // 3, slices)


def test_parent_and_child_are_measured_on_every_slice_beside_counting() -> None:
    """The worse parent, the child and counting have figures on each slice of the same samples."""
    each = [judged("gate", samples(900, 1)), judged("held_out", samples(600, 2))]
    parent = logits_of_each(FakeActive(-0.1), each)
    found = compare(parent, FakeActive(3.0), samples(500, 3), each)
    names = {"gate", "gate/item=new", "held_out", "held_out/item=new"}
    assert names == set(found.measured) == set(found.counted)
    before, after = found.measured["gate"]
    assert pytest.approx(1.0) == before.auc + after.auc
    assert after.auc > 0.75
    assert (900, 450) == (after.samples, found.measured["gate/item=new"][1].samples)
    assert 0 < found.measured["gate/item=new"][1].questions < after.questions <= 300
    assert after.ndcg_10 > before.ndcg_10
    assert after.mrr > before.mrr
    beside = found.counted["gate"]
    assert 0.6 < beside.popularity < after.auc
    assert pytest.approx(beside.popularity, abs=1e-6) == beside.logistic


def test_the_calibration_mends_a_version_that_is_too_sure() -> None:
    """Log-odds three times too large become true probabilities, on samples of the other name."""
    each = [judged("gate", samples(3000, 1)), judged("held_out", samples(3000, 2))]
    found = compare(logits_of_each(FakeActive(1.0), each), FakeActive(3.0), [], each)
    assert found.calibration is not None
    assert (6000, 0.0) == (found.calibration.samples, found.calibration.offset)
    asked = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    probabilities = found.calibration.probabilities_of(3 * asked)
    assert pytest.approx(1 / (1 + np.exp(-asked)), abs=0.06) == probabilities
    assert 0 < found.measured["gate"][1].calibration_error < 0.04


def test_drawn_negatives_lower_the_probabilities_but_not_the_shares() -> None:
    """Negatives of which one in a hundred was drawn shift the log-odds by log(1/100)."""
    each = [judged("gate", samples(2000, 1, drawn=True))]
    found = compare(logits_of_each(FakeActive(1.0), each), FakeActive(1.0), [], each)
    assert found.calibration is not None
    assert pytest.approx(np.log(0.01)) == found.calibration.offset
    assert 0.4 < found.calibration.shares_of(np.zeros(1))[0] < 0.6
    assert 0.007 < found.calibration.probabilities_of(np.zeros(1))[0] < 0.015


def test_one_name_alone_has_a_calibration_and_no_calibration_error() -> None:
    """Without other samples to fit on, no calibration error is measured."""
    each = [judged("gate", samples(200, 1))]
    found = compare(logits_of_each(FakeActive(1.0), each), FakeActive(1.0), [], each)
    assert isinstance(found.calibration, Calibration)
    assert found.measured["gate"][1].calibration_error is None


def test_several_classes_are_neither_calibrated_nor_counted() -> None:
    """With more than two classes there is no yes, and so no probability of one."""
    version, each = FakeActive(1.0, classes=3), [judged("gate", samples(200, 1))]
    found = compare(logits_of_each(version, each), version, samples(100, 3), each)
    assert (None, {}) == (found.calibration, found.counted)
    assert found.measured["gate"][1].auc is not None


def test_nothing_to_judge_on_is_nothing_measured() -> None:
    """Empty samples have no figures and no calibration."""
    version, each = FakeActive(1.0), [judged("gate", []), judged("held_out", [])]
    found = compare(logits_of_each(version, each), version, [], each)
    assert Evaluation(0, None, None) == found.measured["gate"][1]
    assert found.calibration is None


@pytest.mark.parametrize(
    ("counted", "above", "not_above"),
    [
        (Counted(0.7, 0.65), ["popularity", "logistic"], []),
        (Counted(0.75, 0.9), [], ["popularity", "logistic"]),
        (Counted(0.7, 0.8), ["popularity"], ["logistic"]),
        (Counted(None, 0.8), [], ["logistic"]),
    ],
)
def test_what_a_version_is_not_above_is_told(
    counted: Counted, above: list[str], not_above: list[str]
) -> None:
    """A version is above what has a lower AUC on the samples that the gate decided on."""
    before, after = Evaluation(500, 0.7, 0.6), Evaluation(500, 0.75, 0.6)
    decision = Decision(True, "gate", before, after, "")
    expected = BeatsCounting(
        judged_on="gate",
        samples=500,
        auc=0.75,
        popularity=counted.popularity,
        logistic=counted.logistic,
        above=above,
        not_above=not_above,
    )
    assert expected == beats_counting(decision, {"gate": counted, "held_out": Counted(0.1, 0.1)})


def test_without_counting_or_auc_nothing_is_told() -> None:
    """Where nothing was counted, or the version has no AUC, there is no comparison."""
    some, none = Evaluation(500, 0.7, 0.6), Evaluation(0, None, None)
    assert beats_counting(Decision(True, "gate", some, some, ""), {}) is None
    assert beats_counting(Decision(False, "gate", none, none, ""), {"gate": Counted(0.7)}) is None
