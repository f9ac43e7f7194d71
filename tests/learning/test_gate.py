"""The gate: a child must not be worse than its parent on the samples that judge it."""

import pytest

from mainstem.learning import decide
from mainstem.learning.evaluation import Evaluation
from mainstem.settings import Learning, Settings

SETTINGS = Settings(learning=Learning(gate_margin=0.01, gate_minimum=100))
NOTHING = Evaluation(0, None, None)


def pair(
    before: float | None, after: float | None, samples: int = 100
) -> tuple[Evaluation, Evaluation]:
    """Make the evaluations of a parent and a child."""
    return Evaluation(samples, before, 0.6), Evaluation(samples, after, 0.6)


@pytest.mark.parametrize(
    ("after", "promoted"),
    [(0.75, True), (0.71, True), (0.7, True), (0.695, True), (0.685, False), (0.1, False)],
)
def test_a_child_may_lose_a_little(*, after: float, promoted: bool) -> None:
    """A child is promoted when it is better, equal, or worse by no more than the margin."""
    decision = decide(pair(0.7, after), (NOTHING, NOTHING), SETTINGS.learning)
    assert (promoted, "gate") == (decision.promoted, decision.judged_on)


def test_without_a_margin_the_same_is_good_enough() -> None:
    """Without a margin an equal child is promoted."""
    assert decide(
        pair(0.7, 0.7), (NOTHING, NOTHING), Settings(learning=Learning(gate_margin=0)).learning
    ).promoted


@pytest.mark.parametrize(("samples", "judged_on"), [(100, "gate"), (99, "held_out")])
def test_a_small_gate_leaves_it_to_the_held_out_samples(samples: int, judged_on: str) -> None:
    """Below the minimum of gate samples the held-out samples decide."""
    decision = decide(pair(0.7, 0.9, samples), pair(0.8, 0.5), SETTINGS.learning)
    assert (judged_on, judged_on == "gate") == (decision.judged_on, decision.promoted)


def test_a_gate_of_one_label_leaves_it_to_the_held_out_samples() -> None:
    """Where the gate has no AUC, the held-out samples decide."""
    decision = decide(pair(None, None), pair(0.5, 0.6), SETTINGS.learning)
    assert ("held_out", True) == (decision.judged_on, decision.promoted)


def test_nothing_to_judge_on_is_no_promotion() -> None:
    """Where neither the gate nor the held-out samples have an AUC, the parent stays."""
    decision = decide((NOTHING, NOTHING), pair(None, None), SETTINGS.learning)
    assert (False, "no samples of both labels to judge on") == (decision.promoted, decision.reason)


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (0.71, "AUC .700 -> .710 on 100 gate samples"),
        (1.0, "AUC .700 -> 1.000 on 100 gate samples"),
        (0.6, "worse than its parent: AUC .700 -> .600 on 100 gate samples"),
    ],
)
def test_the_reason_is_given_either_way(after: float, reason: str) -> None:
    """The reason states both figures and the samples they were measured on, promoted or not."""
    decision = decide(pair(0.7, after), (NOTHING, NOTHING), SETTINGS.learning)
    assert (reason, *pair(0.7, after)) == (decision.reason, decision.before, decision.after)


def test_the_held_out_samples_are_named_in_the_reason() -> None:
    """The reason says that held-out samples decided."""
    assert (
        "AUC .500 -> .600 on 30 held-out samples"
        == decide((NOTHING, NOTHING), pair(0.5, 0.6, 30), SETTINGS.learning).reason
    )


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_not_compared(odd: float) -> None:
    """A parent or child whose AUC is not finite is not compared, and no version is promoted."""
    for one in (pair(odd, 0.7), pair(0.7, odd), pair(odd, odd)):
        decision = decide(one, (NOTHING, NOTHING), SETTINGS.learning)
        assert (False, "non-finite AUC: nothing can be compared") == (
            decision.promoted,
            decision.reason,
        )
