"""Quality over event time, by what versions said of samples when they arrived.

The log is cut into parts of about as many samples each. A sample counts with the margin that the
version at work gave it on arrival, before any version trained on it. The plain rankings know what
happened before the part begins, as those of the last part of a log do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from uuid import UUID

import numpy as np

from mainstem.join import PlacedSample
from mainstem.learning.evaluation import auc
from mainstem.learning.evaluation.baselines import baselines
from mainstem.store.over_time import Arrived

__all__ = ["PartOfLog", "quality_over_time"]

_PARTS: Final = 24
_LEAST: Final = 100  # samples of a part
_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True)
class PartOfLog:
    """The quality of versions and of plain rankings on one part of the log.

    Attributes:
        begin, end: event times of its first and its last sample, in milliseconds.
        samples: number of its samples.
        model: AUC of the versions at work, in [0, 1]; with more than two classes the share of
            samples whose label they put first. None where only one label occurs.
        loss: mean loss of the versions at work.
        plain: AUC of each plain ranking by name; empty with more than two classes.
    """

    begin: int
    end: int
    samples: int
    model: float | None
    loss: float
    plain: dict[str, float | None]


def quality_over_time(arrived: Sequence[Arrived], classes: int = 2) -> list[PartOfLog]:
    """The quality on each part of the log, in order; fewer parts where there are few samples.

    Args:
        arrived: samples in the order of event time, as the version at work saw them first.
        classes: number of classes of the labels.

    Example:
        >>> one = Arrived(5, 1, 0.5, 0.3, 0, "cup", [], "", "Cup")
        >>> [part] = quality_over_time([one, one._replace(label=0, is_drawn=1)])
        >>> part.samples, part.model, part.plain["popularity"]
        (2, 1.0, 0.5)
    """
    count = max(min(_PARTS, len(arrived) // _LEAST), 1)
    cuts = [round(len(arrived) * number / count) for number in range(count + 1)]
    parts = [arrived[first:last] for first, last in pairwise(cuts)]
    return [_part(part, arrived, classes) for part in parts if part]


def _part(part: Sequence[Arrived], arrived: Sequence[Arrived], classes: int) -> PartOfLog:
    labels, margins = [one.label for one in part], np.array([one.margin for one in part])
    begin, plain = part[0].event_time, dict[str, float | None]()
    if classes == 2:
        truth = np.array(labels, np.int64)
        # the margin is that of the label: what speaks for a yes has the other sign for a no
        model = auc(truth, np.where(truth == 1, margins, -margins))
        bought = [
            (one.item_id, one.history)
            for one in arrived
            if one.label == 1 and not one.is_drawn and one.event_time < begin
        ]
        plain = baselines(bought, [_placed(one) for one in part], labels)
    else:
        model = float((margins > 0).mean())
    loss = float(np.mean([one.loss for one in part]))
    return PartOfLog(begin, part[-1].event_time, len(part), model, loss, plain)


def _placed(one: Arrived) -> PlacedSample:
    """A sample with all that a plain ranking looks at."""
    return PlacedSample(
        sample_id=_NOBODY,
        label_version=0,
        partition=0,
        offset=0,
        event_time=one.event_time,
        label=one.label,
        targets=(),
        weight=1.0,
        sampling_probability=1.0,
        position=0,
        part="stream",
        item_id=one.item_id,
        history=tuple(one.history),
        context_text=one.context_text,
        item_text=one.item_text,
    )
