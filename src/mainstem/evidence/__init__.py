"""Whose label is doubtful: parts of evidence, and their combination learnt from trusted samples."""

from mainstem.evidence.combined import CrossFit
from mainstem.evidence.contract import Known, Part, Reading, Trusted
from mainstem.evidence.scale import on_one_scale, what_is_left
from mainstem.evidence.weighed import COMBINED, PARTS, Weighed, weigh
from mainstem.evidence.weights import clipped_weights

__all__ = [
    "COMBINED",
    "PARTS",
    "CrossFit",
    "Known",
    "Part",
    "Reading",
    "Trusted",
    "Weighed",
    "clipped_weights",
    "on_one_scale",
    "weigh",
    "what_is_left",
]
