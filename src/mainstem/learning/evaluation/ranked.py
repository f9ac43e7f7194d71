"""Samples as the objective that ranks sees them."""

from collections.abc import Sequence

from mainstem.join import PlacedSample
from mainstem.objectives import label_of
from mainstem.objectives.layout import Layout
from mainstem.settings import Objectives

__all__ = ["as_ranked"]


def as_ranked(samples: Sequence[PlacedSample], objectives: Objectives) -> list[PlacedSample]:
    """Samples with their labels under the objective that ranks, on which versions are measured.

    Samples that say nothing about it are left out. A single answer leaves samples as they are.

    Args:
        samples: the samples.
        objectives: settings of the objectives.
    """
    layout = Layout.of(objectives)
    if layout.is_single_answer:
        return list(samples)
    place = layout.ranking
    return [
        sample._replace(label=label_of(sample.targets[place : place + 1]))
        for sample in samples
        if len(sample.targets) > place and sample.targets[place] >= 0
    ]
