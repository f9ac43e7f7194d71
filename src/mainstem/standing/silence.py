"""Why a judgement calls nothing contradictory: nobody vouches for a label, canaries are too few, or none is found."""

import numpy as np

from mainstem.importance import CANARY, Rows
from mainstem.settings import Settings, Standing
from mainstem.standing.judge import NO_TRUSTED, TOO_FEW, Judgement

__all__ = ["why_none_called"]


def why_none_called(rows: Rows, judged: Judgement, settings: Settings) -> str:
    """What stands behind a count of 0, with its figures; empty where something is called.

    Args:
        rows: of the partition.
        judged: its judgement.
        settings: which rate and how many canaries were asked for.

    Example:
        >>> from mainstem.standing.judge import judge
        >>> why_none_called(Rows(), judge(Rows(), Settings(), trusted=True), Settings())
        'there are no samples to judge'
    """
    if judged.counts()["contradictory"]:
        return ""
    if not len(rows):
        return "there are no samples to judge"
    if judged.verdict == NO_TRUSTED:
        return f"{NO_TRUSTED}; canaries' labels are only assumed until `mainstem trust add FILE` brings some that are believed"
    if judged.verdict == TOO_FEW:
        return too_few(_by_class(rows, settings), settings.standing)
    held = ~np.isnan(judged.p_value) & (rows["part"] != CANARY)
    if not held.any():
        return "no version that scored other samples has scored enough canaries"
    return (
        f"none of {int(held.sum()):,} samples is found at a rate of {settings.standing.false_discovery_rate:g} false calls "
        f"(MAINSTEM_STANDING__FALSE_DISCOVERY_RATE); the smallest p-value is {judged.p_value[held].min():.2g}, "
        f"held against {judged.canaries:,} canaries"
    )


def too_few(by_class: dict[str, int], standing: Standing) -> str:
    """How many canaries there are and how many are needed.

    Example:
        >>> too_few({"no": 3, "yes": 1}, Standing(canary_minimum=10)).partition(" (M")[0]
        'too few canaries: 4 there (3 no, 1 yes), and 10 are needed'
    """
    each = ", ".join(f"{count:,} {name}" for name, count in by_class.items())
    return (
        f"{TOO_FEW}: {sum(by_class.values()):,} there ({each}), and {standing.canary_minimum:,} are needed "
        "(MAINSTEM_STANDING__CANARY_MINIMUM), of one label or of all"
    )


def _by_class(rows: Rows, settings: Settings) -> dict[str, int]:
    labels = rows["label"][rows["part"] == CANARY]
    counts = np.bincount(labels, minlength=len(settings.objectives.class_names))
    return {
        name: int(count)
        for name, count in zip(settings.objectives.class_names, counts, strict=True)
    }
