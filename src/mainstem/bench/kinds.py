"""What each kind of visit costs, beside a full one of the same samples."""

import time
from collections.abc import Sequence
from statistics import median
from typing import Any

import torch
from scipy.stats import spearmanr

from mainstem.join import PlacedSample, examples_of
from mainstem.kinds import Kind
from mainstem.models import ActiveVersion
from mainstem.scoring.kinds import fitted, in_full

__all__ = ["kind_ratios"]


def kind_ratios(
    active: ActiveVersion, samples: Sequence[PlacedSample], *, rounds: int = 5
) -> dict[str, dict[str, Any]]:
    """Score samples by each kind of visit in turn, on one thread.

    The first half of the samples stands for the canaries, on which a version measures its kinds;
    the second half shows what that is worth.

    Args:
        active: the version, with the direction and sketch that full visits have.
        samples: samples to score, at least four.
        rounds: how often each kind is measured; medians count.

    Returns:
        For each kind, `time`: processor time divided by that of a full visit in the same round;
        `lowest` and `highest`: the same of the fastest and slowest round; and of the second half of
        the samples `spearman`: rank correlation of its norms with full ones, and `error`: mean
        squared difference between expected and full norms, divided by the variance of full ones.
    """
    read = active.read(examples_of(samples, weighed=False))
    seconds: dict[Kind, list[float]] = {kind: [] for kind in Kind}
    norms = {kind: active.responses(read, kind=kind).norm for kind in Kind}
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for _ in range(rounds):
            for kind in Kind:
                begun = time.process_time()
                active.responses(read, kind=kind)
                seconds[kind].append(time.process_time() - begun)
    finally:
        torch.set_num_threads(before)
    half, found = len(samples) // 2, {}
    full = norms[Kind.FULL].astype(float)
    for kind in Kind:
        ratios = [one / of for one, of in zip(seconds[kind], seconds[Kind.FULL], strict=True)]
        found[str(kind)] = {
            "time": round(median(ratios), 3),
            "lowest": round(min(ratios), 3),
            "highest": round(max(ratios), 3),
        }
        if its := fitted(norms[kind][:half], full[:half]):
            expected = in_full(norms[kind][half:], its, float(full[:half].mean()))
            error = ((expected - full[half:]) ** 2).mean() / full[half:].var()
            rank = spearmanr(norms[kind][half:], full[half:]).statistic
            found[str(kind)] |= {"spearman": round(float(rank), 3), "error": round(float(error), 3)}
    return found
