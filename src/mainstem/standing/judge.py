"""The judge: rows in, standings out. Pure: it can be asked again at any time, and needs no model.

Importance says how much a sample would move the model; it does not say whether it should, for under wrong labels the
largest responses are the wrong ones. So soundness is separate evidence: how firmly the model has disagreed with the label
of late, held against what it thought of the canaries at the same version.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from mainstem.importance import CANARY, Rows
from mainstem.settings import Settings
from mainstem.standing.conformal import Floats, conformal_p_values, rejected, share_sound

__all__ = [
    "CORE",
    "EDGE",
    "NOISE",
    "NO_TRUSTED",
    "REASONS",
    "STANDINGS",
    "TOO_FEW",
    "Judgement",
    "evidence_of",
    "judge",
]

EDGE: Final = 0  # everything starts here
CORE: Final = 1
NOISE: Final = 2
STANDINGS: Final = ("edge", "core", "noise")

NEW, UNPROVEN, UNDECIDED, DOUBTFUL, IMPORTANT, CONTRADICTORY, SPENT = range(7)
REASONS: Final = (
    "new",
    "too few canaries",
    "undecided",
    "doubtful",
    "important",
    "contradictory",
    "spent",
)

NO_TRUSTED: Final = "no trusted samples"
TOO_FEW: Final = "too few canaries"
_PRIOR_VISITS: Final = (
    2.0  # how many visits' worth of the pooled variance a sample's own is mixed with
)


@dataclass(frozen=True)
class Judgement:
    """The joint decision of one partition's standings; arrays have shape (N,), in the order of the rows.

    Attributes:
        standing, reason: places in `STANDINGS` and `REASONS`.
        evidence: how doubtful, 0 to 1, a rank.
        p_value: that a sound sample is this doubtful; NaN where too few canaries were scored by the version that scored it
            last.
        importance_error: standard error of importance.
        core_level: the importance that core lies above; NaN where nothing has visits enough.
        canaries: how many there were.
        verdict: `given`, or why no sample can be called contradictory.
    """

    standing: NDArray[np.int8]
    reason: NDArray[np.int8]
    evidence: Floats
    p_value: Floats
    importance_error: Floats
    core_level: float
    canaries: int
    verdict: str

    def counts(self) -> dict[str, int]:
        """Samples in each set."""
        noise = self.standing == NOISE
        return {
            "core": int((self.standing == CORE).sum()),
            "edge": int((self.standing == EDGE).sum()),
            "contradictory": int((noise & (self.reason == CONTRADICTORY)).sum()),
            "spent": int((noise & (self.reason == SPENT)).sum()),
        }


def judge(rows: Rows, settings: Settings, *, trusted: bool) -> Judgement:
    """Judge all samples of one partition together.

    Args:
        rows: the partition's rows, canaries among them.
        settings: thresholds.
        trusted: whether the canaries' labels are believed (planted or graded). Where they are only assumed, nothing is
            called contradictory.

    Example:
        >>> judge(Rows(), Settings(), trusted=True).counts()
        {'core': 0, 'edge': 0, 'contradictory': 0, 'spent': 0}
    """
    visits, importance = rows["visits"], rows["importance"]
    is_canary = rows["part"] == CANARY
    evidence = evidence_of(rows)
    p_value = _p_values(rows, settings.standing.canary_minimum)
    proven = ~np.isnan(p_value)
    contradictory = np.zeros(len(rows), np.bool_)
    if trusted:
        eligible = proven & ~is_canary & _may_be_contradictory(rows)
        contradictory[eligible] = rejected(
            p_value[eligible],
            settings.standing.false_discovery_rate / share_sound(p_value[eligible]),
        )
    error = _importance_error(rows)
    seen = visits >= settings.standing.core_visits
    level = (
        float(np.quantile(importance[seen], settings.standing.core_quantile))
        if seen.any()
        else float("nan")
    )
    sound = proven & ~contradictory & (p_value >= settings.standing.doubt)
    core = sound & seen & (importance - settings.standing.confidence * error > level)
    spent = (
        sound
        & seen
        & (importance + settings.standing.confidence * error < settings.standing.spent_level)
    )
    steps = [
        (np.ones(len(rows), np.bool_), EDGE, UNDECIDED),
        (p_value < settings.standing.doubt, EDGE, DOUBTFUL),
        (~seen, EDGE, NEW),
        (~proven, EDGE, UNPROVEN),
        (core, CORE, IMPORTANT),
        (spent, NOISE, SPENT),
        (contradictory, NOISE, CONTRADICTORY),
    ]
    standing, reason = np.zeros(len(rows), np.int8), np.zeros(len(rows), np.int8)
    for mask, its_standing, its_reason in steps:  # later steps overrule earlier ones
        standing[mask], reason[mask] = its_standing, its_reason
    verdict = "given" if proven.any() and trusted else NO_TRUSTED if not trusted else TOO_FEW
    return Judgement(
        standing, reason, evidence, p_value, error, level, int(is_canary.sum()), verdict
    )


def evidence_of(rows: Rows) -> Floats:
    """How doubtful each sample is: its rank by adjusted recent margin, from above 0 (the model agrees most) to 1.

    The margin is the Area Under the Margin statistic with a short memory: early versions know little. It is adjusted by its
    label's log-odds among the samples: a model says no to nearly everything where a yes is rare, and that is no reason to
    doubt each yes.

    Source:
        Pleiss, Zhang, Elenberg, Weinberger, Identifying Mislabeled Data using the Area Under the Margin Ranking,
        NeurIPS 2020, https://arxiv.org/abs/2001.10528; Menon, Jayasumana, Rawat, Jain, Veit, Kumar, Long-Tail Learning via
        Logit Adjustment, ICLR 2021, section 4, https://arxiv.org/abs/2007.07314.
    """
    label = rows["label"]
    count = np.bincount(label, minlength=1)
    log_odds = np.log(
        (count + 1) / (len(rows) - count + 1)
    )  # (C,), each count one more, so that it is finite
    return np.asarray(rankdata(log_odds[label] - rows["recent_margin"]) / max(len(rows), 1))


def _p_values(rows: Rows, minimum: int) -> Floats:
    """Each sample against the canaries of its label, as they were at the version that scored it last.

    Against those of all labels where its own has too few, and NaN where all are too few. Canaries are scored by every
    version, other samples by few; what both were at one version is fair to compare.
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
    """A relabelled sample needs two visits by versions that were not trained on its old label."""
    return np.asarray(~rows["relabelled"] | ((rows["visits"] >= 2) & ~rows["stale"]))


def _importance_error(rows: Rows) -> Floats:
    """Standard error of the running mean; with few visits mostly from the variance pooled over all samples."""
    visits, squares = rows["visits"].astype(np.float64), rows["importance_m2"]
    degrees = np.maximum(visits - 1, 0)
    pooled = (
        math.fsum(squares) / degrees.sum() if degrees.any() else 1.0
    )  # the same wherever the array lies in memory
    variance = (squares + _PRIOR_VISITS * pooled) / (degrees + _PRIOR_VISITS)
    return np.asarray(np.sqrt(variance / np.maximum(visits, 1)))
