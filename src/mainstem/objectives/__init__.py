"""What a model learns of a sample: targets from its outcomes, and a loss for each sample.

The losses need torch: `losses` and `pointwise` have one for each sample, `listwise` those of an
order. What this package offers itself needs none, and no numpy, so that joiners may import it.
"""

from mainstem.objectives.examples import Examples
from mainstem.objectives.targets import (
    OBJECTIVES,
    TARGETS,
    UNKNOWN,
    answered,
    code_of,
    label_of,
    label_of_class,
    relabelled,
    targets_of,
    targets_of_class,
    targets_of_label,
)

__all__ = [
    "OBJECTIVES",
    "TARGETS",
    "UNKNOWN",
    "Examples",
    "answered",
    "code_of",
    "label_of",
    "label_of_class",
    "relabelled",
    "targets_of",
    "targets_of_class",
    "targets_of_label",
]
