"""The judge: gives the standings for the rows of a partition.

It is a pure function, may be called again at any time, and needs no model.

Importance says how much a sample would move the model, but not whether it should: with wrong
labels among the samples, the largest responses belong to the mislabelled ones. So soundness needs
separate evidence: how firmly recent versions disagreed with the label, compared with the canaries
under the same version.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from mainstem.evidence import Weighed
from mainstem.importance import CANARY, Rows
from mainstem.settings import Standing
from mainstem.standing.conformal import Floats, conformal_p_values, rejected, share_sound
from mainstem.standing.measured import HeldOut, Measured
from mainstem.standing.sets import (
    CONTRADICTORY,
    CORE,
    EDGE,
    NOISE,
    SPENT,
    STANDINGS,
    Soundness,
    core_level,
    importance_error,
    sets_of,
)
from mainstem.standing.verdicts import Verdicts

__all__ = ["NO_TRUSTED", "TOO_FEW", "Judgement", "evidence_of", "judge"]

NO_TRUSTED: Final = "no trusted samples"
TOO_FEW: Final = "too few canaries"


@dataclass(frozen=True)
class Judgement:
    """The joint decision of all standings of one partition.

    Arrays have shape (N,), in the order of the rows.

    Attributes:
        standing, reason: indices into `STANDINGS` and `REASONS`.
        evidence: how doubtful each sample is, as a rank in (0, 1].
        p_value: probability that a sound sample is at least this doubtful; NaN where the version
            that scored the sample last has scored too few canaries.
        importance_error: standard error of each sample's importance.
        core_level: importance that a sample must exceed to be core; NaN where no sound sample has
            enough visits.
        canaries: number of canaries among the rows.
        verdict: `given`, or the reason why no sample can be called contradictory.
        verdicts: what evidence that has learnt from trusted samples says of the rows; None if it
            has not.
        unaided: what evidence without trusted samples says of the rows, if `evidence` comes from
            it; None if it comes from the verdicts or from the recent margin.
        measured: confirmed samples of the gate by the set that they would be in; zeros where no
            evidence has learnt.
    """

    standing: NDArray[np.int8]
    reason: NDArray[np.int8]
    evidence: Floats
    p_value: Floats
    importance_error: Floats
    core_level: float
    canaries: int
    verdict: str
    verdicts: Verdicts | None = None
    unaided: Weighed | None = None
    measured: Measured = field(default_factory=Measured)

    @property
    def decides(self) -> str:
        """Where `evidence` comes from.

        `combined`: learnt from trusted samples; such as `neighbours + class means`: representations
        without trusted samples, where p-values are still those of the recent margin; or `recent
        margin`.
        """
        weighed = self.unaided if self.verdicts is None else self.verdicts.weighed
        return "recent margin" if weighed is None else weighed.decides

    @property
    def weight(self) -> Floats:
        """Weight of each sample in the loss, shape (N,), in [0, 1]; 1 where nothing was learnt."""
        known = None if self.verdicts is None else self.verdicts.weight
        return np.ones(len(self.standing)) if known is None else known

    def counts(self) -> dict[str, int]:
        """The number of samples in core and edge, and in noise by reason."""
        noise = self.standing == NOISE
        return {
            "core": int((self.standing == CORE).sum()),
            "edge": int((self.standing == EDGE).sum()),
            "contradictory": int((noise & (self.reason == CONTRADICTORY)).sum()),
            "spent": int((noise & (self.reason == SPENT)).sum()),
        }


def judge(
    rows: Rows,
    settings: Standing,
    *,
    trusted: bool,
    verdicts: Verdicts | None = None,
    unaided: Weighed | None = None,
    held_out: HeldOut | None = None,
) -> Judgement:
    """Judge all samples of one partition together.

    Args:
        rows: rows of the partition, canaries among them.
        settings: thresholds of the verdicts and of core.
        trusted: whether the canaries' labels are trusted (planted or graded). If they are only
            assumed, no sample is called contradictory.
        verdicts: doubt, p-values and P(label is right) of the rows, in their order, if evidence
            that has learnt from trusted samples decides; None if it has not. A sample is then
            sound only if P(label is right) is at least `least_right` too; without verdicts, only if
            it is among the less doubtful samples, `assumed_sound` of them. With fewer canaries than
            `canary_minimum` among the trusted samples, nothing is called contradictory.
        unaided: doubt of the rows without trusted samples, which gives `evidence` where there are
            no verdicts, and so which samples are the less doubtful ones that core can hold. The
            p-values stay those of the recent margin: which
            parts decide unaided is chosen by how well they agree with the labels under doubt, and
            whether a p-value keeps its promise after that choice has not been shown.
        held_out: samples that are not judged but counted by the set that they would be in, so that
            the sets are measured on samples that nothing has learnt from.

    Example:
        >>> judge(Rows(), Standing(), trusted=True).counts()
        {'core': 0, 'edge': 0, 'contradictory': 0, 'spent': 0}
    """
    is_canary = rows["part"] == CANARY
    if verdicts is None:
        evidence, p_value = evidence_of(rows), _p_values(rows, settings.canary_minimum)
    else:
        evidence, p_value = _ranks(verdicts.weighed), verdicts.p_value
    if verdicts is None and unaided is not None:
        evidence = _ranks(unaided)
    proven = ~np.isnan(p_value)
    contradictory = np.zeros(len(rows), np.bool_)
    may_call = verdicts is None or verdicts.compared >= settings.canary_minimum
    if trusted and may_call:
        eligible = proven & ~is_canary & _may_be_contradictory(rows)
        rate = settings.false_discovery_rate / share_sound(p_value[eligible])
        contradictory[eligible] = rejected(p_value[eligible], rate)
    error = importance_error(rows)
    if verdicts is None:
        soundness = Soundness(p_value, contradictory, rank=evidence)
    else:
        soundness = Soundness(p_value, contradictory, right=verdicts.weighed.right)
    level = core_level(rows, soundness.sound(settings), settings)
    standing, reason = sets_of(rows, error, soundness, level, settings)
    measured = Measured()
    if held_out is not None:
        last_called = float(p_value[contradictory].max(initial=0.0))
        measured = _measured(held_out, last_called, level, settings)
    verdict = NO_TRUSTED if not trusted else "given" if proven.any() and may_call else TOO_FEW
    canaries = int(is_canary.sum())
    return Judgement(
        standing,
        reason,
        evidence,
        p_value,
        error,
        level,
        canaries,
        verdict,
        verdicts,
        unaided,
        measured,
    )


def _measured(held_out: HeldOut, called: float, level: float, settings: Standing) -> Measured:
    """Count samples that are held out by the set that the levels put them into.

    Args:
        held_out: the samples.
        called: largest p-value of a judged sample that is contradictory; 0 if none is.
        level: importance above which core lies.
        settings: thresholds of core.
    """
    rows, places = held_out.rows, held_out.places
    p_value, right = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    p_value[places], right[places] = held_out.p_value, held_out.right
    error = importance_error(rows)
    soundness = Soundness(p_value, p_value <= called, right=right)
    standing, _ = sets_of(rows, error, soundness, level, settings)
    return Measured.of(np.array(STANDINGS)[standing[places]], held_out.wrong)


def evidence_of(rows: Rows) -> Floats:
    """How doubtful each sample is: its rank by adjusted recent margin, in (0, 1], shape (N,).

    The model agrees most with the sample of the lowest rank. The margin is the Area Under the
    Margin statistic with a short memory, because early versions know little. It is adjusted by
    the log-odds of its label among the samples: where yes is rare, a model says no to nearly
    everything, and that is no reason to doubt each yes.

    Source:
        Pleiss, Zhang, Elenberg, Weinberger, Identifying Mislabeled Data using the Area Under the
        Margin Ranking, NeurIPS 2020, https://arxiv.org/abs/2001.10528;
        Menon, Jayasumana, Rawat, Jain, Veit, Kumar, Long-Tail Learning via Logit Adjustment,
        ICLR 2021, section 4, https://arxiv.org/abs/2007.07314.
    """
    label = rows["label"]
    count = np.bincount(label, minlength=1)
    # each count is one more than it is, so that the logarithm is finite; shape (C,)
    log_odds = np.log((count + 1) / (len(rows) - count + 1))
    return np.asarray(rankdata(log_odds[label] - rows["recent_margin"]) / max(len(rows), 1))


def _ranks(weighed: Weighed) -> Floats:
    return np.asarray(rankdata(weighed.doubt) / max(len(weighed.doubt), 1))


def _p_values(rows: Rows, minimum: int) -> Floats:
    """P-value of each sample against canaries under the version that scored the sample last.

    Canaries are scored by every version, other samples by few; a comparison under one version is
    fair. A sample is compared with the canaries of its label, or of all labels if its label has
    fewer than `minimum`; the p-value is NaN if all labels together have fewer.
    """
    label, last_version, doubt = rows["label"], rows["last_version"], -rows["recent_margin"]
    p_value = np.full(len(rows), np.nan)
    for version in np.unique(last_version):
        places, margins = rows.canaries.at(int(version))
        if len(places) < minimum:
            continue
        here = last_version == version
        for one in np.unique(label[here]):
            stratum = here & (label == one)
            canaries = margins[label[places] == one]
            reference = canaries if len(canaries) >= minimum else margins
            p_value[stratum] = conformal_p_values(doubt[stratum], -reference)
    return p_value


def _may_be_contradictory(rows: Rows) -> NDArray[np.bool_]:
    """Whether a sample may be called contradictory.

    A relabelled sample may after two visits by versions that were not trained on its old label.
    """
    return np.asarray(~rows["relabelled"] | ((rows["visits"] >= 2) & ~rows["stale"]))
