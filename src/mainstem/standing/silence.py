"""What decided a judgement, and why it calls nothing contradictory.

There are no trusted samples, or too few canaries, or no sample is doubtful enough.
"""

import numpy as np

from mainstem.importance import CANARY, Rows
from mainstem.settings import Settings, Standing
from mainstem.standing.judge import NO_TRUSTED, TOO_FEW, Judgement
from mainstem.standing.verdicts import Verdicts

__all__ = ["what_decides", "why_none_called"]


def what_decides(rows: Rows, judged: Judgement, settings: Settings) -> str:
    """What evidence decided a judgement, in words; empty where only the recent margin could.

    Args:
        rows: rows of the partition.
        judged: judgement of the partition.
        settings: settings with the number of confirmed samples that are needed.

    Example:
        >>> from mainstem.standing.judge import judge
        >>> what_decides(Rows(), judge(Rows(), Settings().standing, trusted=True), Settings())
        ''
    """
    verdicts, needed = judged.verdicts, settings.standing.canary_minimum
    if verdicts is not None:
        return (
            f"evidence that has learnt from {verdicts.taught:,} confirmed samples decides; it "
            f"compares each label with the {verdicts.compared:,} of them that the log has right"
        )
    confirmed = int((rows["given"] >= 0).sum())
    if settings.standing.evidence == "margin":
        few = ""
    elif confirmed:
        few = (
            f"too few samples are confirmed to learn from: {confirmed:,} among the canaries, and "
            f"{needed:,} are needed in all parts together (MAINSTEM_STANDING__CANARY_MINIMUM)"
        )
    else:
        few = "no sample of the stream is confirmed"
    if judged.unaided is not None:
        return (
            f"{judged.decides} rank the doubt, and the recent margin gives the p-values, because "
            f"{few}"
        )
    return f"the recent margin decides, because {few}" if confirmed and few else ""


def why_none_called(rows: Rows, judged: Judgement, settings: Settings) -> str:
    """The reason why no sample is called contradictory, with its figures; empty if one is called.

    Args:
        rows: rows of the partition.
        judged: judgement of the partition.
        settings: settings with the rate of false calls and the number of canaries that are needed.

    Example:
        >>> from mainstem.standing.judge import judge
        >>> why_none_called(Rows(), judge(Rows(), Settings().standing, trusted=True), Settings())
        'there are no samples to judge'
    """
    if judged.counts()["contradictory"]:
        return ""
    if not len(rows):
        return "there are no samples to judge"
    if judged.verdict == NO_TRUSTED:
        return (
            f"{NO_TRUSTED}; the canaries' labels are only assumed "
            "until you add trusted samples with `mainstem trust add FILE`"
        )
    learnt = judged.verdicts
    if judged.verdict == TOO_FEW:
        return _too_few(rows, learnt, settings)
    held = ~np.isnan(judged.p_value) & (rows["part"] != CANARY)
    if not held.any():
        return "no version that scored other samples has scored enough canaries"
    others = (
        f"{judged.canaries:,} canaries"
        if learnt is None
        else f"{learnt.compared:,} confirmed samples that the log has right"
    )
    return (
        f"none of {int(held.sum()):,} samples is found at a rate of "
        f"{settings.standing.false_discovery_rate:g} false calls "
        "(MAINSTEM_STANDING__FALSE_DISCOVERY_RATE); the smallest p-value is "
        f"{judged.p_value[held].min():.2g}, in comparison with {others}"
    )


def _too_few(rows: Rows, learnt: Verdicts | None, settings: Settings) -> str:
    if learnt is None:
        return too_few(_by_class(rows, settings), settings.standing)
    return (
        f"{TOO_FEW}: {learnt.compared:,} confirmed samples that the log has right, and "
        f"{settings.standing.canary_minimum:,} are needed (MAINSTEM_STANDING__CANARY_MINIMUM)"
    )


def too_few(by_class: dict[str, int], standing: Standing) -> str:
    """The number of canaries that there are, and the number that is needed.

    Example:
        >>> too_few({"no": 3, "yes": 1}, Standing(canary_minimum=10)).partition(" (M")[0]
        'too few canaries: 4 there (3 no, 1 yes), and 10 are needed'
    """
    each = ", ".join(f"{count:,} {name}" for name, count in by_class.items())
    return (
        f"{TOO_FEW}: {sum(by_class.values()):,} there ({each}), "
        f"and {standing.canary_minimum:,} are needed "
        "(MAINSTEM_STANDING__CANARY_MINIMUM), of one label or of all"
    )


def _by_class(rows: Rows, settings: Settings) -> dict[str, int]:
    labels = rows["label"][rows["part"] == CANARY]
    counts = np.bincount(labels, minlength=len(settings.objectives.label_names))
    names = settings.objectives.label_names
    return {name: int(count) for name, count in zip(names, counts, strict=True)}
