"""Verdicts from evidence that has learnt from trusted samples, and the judge that reads them."""

import numpy as np
import pytest

from mainstem.evidence import Weighed
from mainstem.standing import CORE, EDGE, NOISE, REASONS, Verdicts, judge, weigh_and_compare
from tests.evidence.streams import one_sided, revealed
from tests.standing.rows import SETTINGS, rows_of


def test_wrong_labels_of_one_side_are_called_and_few_sound_ones() -> None:
    """P-values of sound samples are spread out, and those of wrong ones are small."""
    known, truth = one_sided()
    trusted = revealed(truth, 400)
    found = weigh_and_compare(known, trusted, divisions=1)
    rest = np.setdiff1d(np.arange(len(known)), trusted.rows)
    wrong = (known.label != truth)[rest]
    p_value = found.p_value[rest]
    assert pytest.approx(0.1, abs=0.04) == (p_value[~wrong] <= 0.1).mean()
    assert (p_value[wrong] <= 0.1).mean() > 0.9
    assert (known.label[found.sound] == truth[found.sound]).all()


def test_too_few_sound_trusted_samples_give_no_p_value() -> None:
    """Below the minimum there are no p-values, but there is a doubt."""
    known, truth = one_sided(samples=600)
    found = weigh_and_compare(known, revealed(truth, 150), minimum=200, divisions=1)
    assert np.isnan(found.p_value).all()
    assert np.isfinite(found.weighed.right).all()


def verdicts(p_value: list[float], right: list[float], compared: int = 19) -> Verdicts:
    """Verdicts with these numbers; doubt is the opposite of the probability of being right."""
    count = len(right)
    nothing = np.zeros((count, 0))
    weighed = Weighed(-np.array(right), np.array(right), "combined", (), nothing, nothing)
    return Verdicts(weighed, np.array(p_value), np.arange(0), compared=compared)


def test_the_judge_takes_the_verdicts_and_holds_core_to_right_labels() -> None:
    """Small p-values are called; a label that may be wrong stays in edge, however important."""
    rows = rows_of(*[{"importance": 3.0}] * 4, *[{"importance": 0.5}] * 6)
    told = verdicts([0.001, 0.9, 0.9, 0.05] + [0.9] * 6, [0.1, 0.95, 0.7, 0.95] + [0.95] * 6)
    judged = judge(rows, SETTINGS.standing, trusted=True, verdicts=told)
    assert [NOISE, CORE, EDGE, EDGE] == judged.standing[:4].tolist()
    reasons = [REASONS[one] for one in judged.reason[:4]]
    assert ["contradictory", "important", "doubtful", "doubtful"] == reasons
    assert judged.evidence[0] == 1.0
    assert judged.verdict == "given"


def test_few_canaries_keep_doubtful_labels_out_of_core_but_call_none_wrong() -> None:
    """With a canary too few nothing is called, and a doubtful label is in no core all the same."""
    rows = rows_of(*[{"importance": 3.0}] * 3, *[{"importance": 0.5}] * 6)
    told = verdicts([0.001, 0.9, 0.05] + [0.9] * 6, [0.1, 0.95, 0.95] + [0.95] * 6, compared=18)
    judged = judge(rows, SETTINGS.standing, trusted=True, verdicts=told)
    assert [EDGE, CORE, EDGE] == judged.standing[:3].tolist()
    assert (judged.counts()["contradictory"], judged.verdict) == (0, "too few canaries")
