"""Compares a new version with its parent and with counting, and calibrates it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.join import PlacedSample
from mainstem.learning.evaluation.counting import Counted, Counting
from mainstem.learning.evaluation.evaluation import Evaluation, logits_of
from mainstem.learning.gate import Decision
from mainstem.learning.judged import Judged, log_odds_of
from mainstem.models import ActiveVersion
from mainstem.objectives.offset import log_odds_offset
from mainstem.process.stopwatch import SPENT
from mainstem.versions import BeatsCounting, Calibration

__all__ = ["Comparison", "beats_counting", "compare", "fit_calibration", "logits_of_each"]


@dataclass(frozen=True)
class Comparison:
    """What was measured of a new version.

    Attributes:
        measured: evaluations of the parent and of the new version, by the name of the slice.
        counted: AUC of rankings by counting, by the name of the slice.
        calibration: calibration of the new version; None without samples of both labels, and
            where there are more than two classes.
    """

    measured: Mapping[str, tuple[Evaluation, Evaluation]]
    counted: Mapping[str, Counted]
    calibration: Calibration | None


@SPENT.on("evaluate")
def logits_of_each(active: ActiveVersion, judged: Sequence[Judged]) -> list[NDArray[np.float64]]:
    """Logits of a version for the samples of each name, each of shape (N, C).

    Args:
        active: the version, ready to score.
        judged: the samples, by name.

    Raises:
        NonFiniteError: if a logit is not finite.
    """
    return [logits_of(active, some.samples) for some in judged]


@SPENT.on("evaluate")
def compare(
    of_parent: Sequence[NDArray[np.float64]],
    child: ActiveVersion,
    drawn: Sequence[PlacedSample],
    judged: Sequence[Judged],
    known: Mapping[UUID, NDArray[np.float64]] = MappingProxyType({}),
) -> Comparison:
    """Measure a parent and its child on the same samples, and counting beside them.

    The calibration of the child is fitted on all of these samples. Calibration errors are measured
    across: on the samples of one name, with a calibration fitted on those of the others.

    Args:
        of_parent: logits of the current version for the samples of each name; see
            `logits_of_each`.
        child: its fine-tuned copy.
        drawn: samples that the child was trained on; the regression is fitted on the same.
        judged: samples that neither was trained on, by name.
        known: logits of the child for some of these samples, shape (C,), by sample id, at the
            positions at which they were shown; they are not computed again.

    Raises:
        NonFiniteError: if a logit is not finite.
    """
    logits = [list(of_parent), [_logits(child, some.samples, known) for some in judged]]
    each = [_measured(judged, of_one) for of_one in logits]
    counted: dict[str, Counted] = {}
    if all(one.shape[1] == 2 for one in logits[1]):
        counting = Counting(drawn)
        for some in judged:
            counted |= some.counted(counting)
    return Comparison(
        measured={name: (each[0][name], each[1][name]) for name in each[1]},
        counted=counted,
        calibration=fit_calibration(judged, logits[1]),
    )


def fit_calibration(
    judged: Sequence[Judged], logits: Sequence[NDArray[np.float64]]
) -> Calibration | None:
    """Fit a calibration on samples; see `Calibration.fit`.

    Args:
        judged: the samples.
        logits: logits of each of them, shape (N, C).

    Returns:
        The calibration; None without samples of both labels, or with more than two classes.
    """
    if not judged or any(one.shape[1] != 2 for one in logits):
        return None
    labels = np.concatenate([one.labels for one in judged])
    log_odds = np.concatenate([log_odds_of(one) for one in logits])
    kept = [sample.sampling_probability for one in judged for sample in one.samples]
    return Calibration.fit(
        log_odds, labels, log_odds_offset(np.array(kept), labels.astype(np.float64))
    )


def beats_counting(decision: Decision, counted: Mapping[str, Counted]) -> BeatsCounting | None:
    """Whether a version ranks better than counting, on the samples that the gate judged it on.

    Args:
        decision: decision of the gate.
        counted: AUC of rankings by counting, by the name of the samples.

    Returns:
        The comparison; None where nothing can be counted, or the version has no AUC.
    """
    beside = counted.get(decision.judged_on, Counted())
    reached = decision.after.auc
    known = {
        name: one
        for name, one in (("popularity", beside.popularity), ("logistic", beside.logistic))
        if one is not None
    }
    if reached is None or not known:
        return None
    return BeatsCounting(
        judged_on=decision.judged_on,
        samples=decision.after.samples,
        auc=reached,
        popularity=beside.popularity,
        logistic=beside.logistic,
        above=[name for name, one in known.items() if reached > one],
        not_above=[name for name, one in known.items() if reached <= one],
    )


def _logits(
    child: ActiveVersion,
    samples: Sequence[PlacedSample],
    known: Mapping[UUID, NDArray[np.float64]],
) -> NDArray[np.float64]:
    if samples and all(one.sample_id in known for one in samples):
        return np.stack([known[one.sample_id] for one in samples])
    return logits_of(child, samples)


def _measured(
    judged: Sequence[Judged], logits: Sequence[NDArray[np.float64]]
) -> dict[str, Evaluation]:
    found: dict[str, Evaluation] = {}
    for place, some in enumerate(judged):
        others = [one for one in range(len(judged)) if one != place]
        fitted = fit_calibration([judged[one] for one in others], [logits[one] for one in others])
        found |= some.measured(logits[place], fitted)
    return found
