"""Where each sample stands, and why: a pure function of the sums over its visits."""

from mainstem.standing.conformal import conformal_p_values, rejected, share_sound
from mainstem.standing.crossed import (
    Crossed,
    cross_conformal_p_values,
    expected_tail,
    shift_weights,
    strata_of,
)
from mainstem.standing.judge import Judgement, evidence_of, judge
from mainstem.standing.measured import HeldOut, Measured
from mainstem.standing.sets import CORE, EDGE, NOISE, REASONS, STANDINGS
from mainstem.standing.silence import what_decides, why_none_called
from mainstem.standing.verdicts import Verdicts, compared, crossed_of, weigh_and_compare

__all__ = [
    "CORE",
    "EDGE",
    "NOISE",
    "REASONS",
    "STANDINGS",
    "Crossed",
    "HeldOut",
    "Judgement",
    "Measured",
    "Verdicts",
    "compared",
    "conformal_p_values",
    "cross_conformal_p_values",
    "crossed_of",
    "evidence_of",
    "expected_tail",
    "judge",
    "rejected",
    "share_sound",
    "shift_weights",
    "strata_of",
    "weigh_and_compare",
    "what_decides",
    "why_none_called",
]
