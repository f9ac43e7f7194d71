"""The gate: a new version is promoted only if it is no worse than its parent."""

import math
from dataclasses import dataclass

from mainstem.learning.evaluation.evaluation import Evaluation
from mainstem.settings import Settings

__all__ = ["Decision", "decide"]


@dataclass(frozen=True)
class Decision:
    """Whether a version is promoted, on which samples that was judged, and the reason, kept either way."""

    promoted: bool
    judged_on: str
    before: Evaluation
    after: Evaluation
    reason: str


def decide(
    gate: tuple[Evaluation, Evaluation], held_out: tuple[Evaluation, Evaluation], settings: Settings
) -> Decision:
    """Judge a child by AUC on the gate samples; on the time-held-out ones while the gate has too few.

    Args:
        gate, held_out: parent's and child's evaluation on each.
        settings: `gate_minimum` and `gate_margin`.

    Example:
        >>> parent, child = Evaluation(500, 0.70, 0.6), Evaluation(500, 0.71, 0.6)
        >>> decide((parent, child), (parent, child), Settings()).reason
        'AUC .700 -> .710 on 500 gate samples'
    """
    judged_on, (before, after) = "gate", gate
    if after.auc is None or after.samples < settings.learning.gate_minimum:
        judged_on, (before, after) = "held_out", held_out
    if before.auc is None or after.auc is None:
        return Decision(False, judged_on, before, after, "no samples of both labels to judge on")
    if not all(math.isfinite(one) for one in (before.auc, after.auc)):
        return Decision(False, judged_on, before, after, "non-finite AUC: nothing can be compared")
    promoted = after.auc >= before.auc - settings.learning.gate_margin
    change = f"AUC {before.auc:.3f} -> {after.auc:.3f} on {after.samples} {judged_on.replace('_', '-')} samples"
    change = change.replace(" 0.", " .")
    return Decision(
        promoted,
        judged_on,
        before,
        after,
        change if promoted else f"worse than its parent: {change}",
    )
