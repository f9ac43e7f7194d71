"""The gate: it promotes a new version only if that is no worse than its parent."""

import math
from dataclasses import dataclass

from mainstem.learning.evaluation.evaluation import Evaluation
from mainstem.settings import Learning

__all__ = ["Decision", "decide"]


@dataclass(frozen=True)
class Decision:
    """The decision on one version, kept whether it is promoted or not.

    Attributes:
        promoted: whether the version is promoted.
        judged_on: samples that decided: `gate` or `held_out`.
        before, after: evaluation of the parent and of the version on these samples.
        reason: why, in words.
    """

    promoted: bool
    judged_on: str
    before: Evaluation
    after: Evaluation
    reason: str


def decide(
    gate: tuple[Evaluation, Evaluation], held_out: tuple[Evaluation, Evaluation], settings: Learning
) -> Decision:
    """Judge a new version by AUC on gate samples, or on time-held-out ones if those are too few.

    Args:
        gate: evaluations of parent and new version on the gate samples.
        held_out: evaluations of parent and new version on the time-held-out samples.
        settings: `gate_minimum` and `gate_margin` count.

    Example:
        >>> parent, child = Evaluation(500, 0.70, 0.6), Evaluation(500, 0.71, 0.6)
        >>> decide((parent, child), (parent, child), Learning()).reason
        'AUC .700 -> .710 on 500 gate samples'
    """
    judged_on, (before, after) = "gate", gate
    if after.auc is None or after.samples < settings.gate_minimum:
        judged_on, (before, after) = "held_out", held_out
    if before.auc is None or after.auc is None:
        return Decision(False, judged_on, before, after, "no samples of both labels to judge on")
    if not all(math.isfinite(one) for one in (before.auc, after.auc)):
        return Decision(False, judged_on, before, after, "non-finite AUC: nothing can be compared")
    promoted = after.auc >= before.auc - settings.gate_margin
    on = f"on {after.samples} {judged_on.replace('_', '-')} samples"
    change = f"AUC {before.auc:.3f} -> {after.auc:.3f} {on}".replace(" 0.", " .")
    reason = change if promoted else f"worse than its parent: {change}"
    return Decision(promoted, judged_on, before, after, reason)
