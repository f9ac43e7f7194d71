"""What the visits of a sample add up to, as it is read back: each figure is defined by one view, in `migrations/`.

The figures of now are here. A standing and a move hold those as of their judgement, and a scoring worker those of its rows,
whose means are made visit by visit (and that of the sketches in half precision).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query
from mainstem.store.views import of_sample

__all__ = ["DRAWABLE", "SETS", "VISITS", "Drawable", "Figures", "Set", "Visit", "figures_of"]


class Visit(NamedTuple):
    """A response of a sample, and what its visits add up to with it.

    Of two responses by one version to one answer the second is no visit: it repeats what there was.
    """

    label_version: int
    version: int
    label: int
    visit: int
    norm: float
    scale: float
    importance_seen: float
    importance: float
    importance_of_mean: float | None
    alignment: float | None
    loss: float
    margin: float
    running_margin: float
    running_alignment: float | None


class Figures(NamedTuple):
    """What the visits of a sample add up to by now; what there is none of is None.

    Attributes:
        label_version: that was scored last.
        version: that scored it.
        visits: to its newest answer.
        importance, margin, alignment: running means.
        importance_of_mean: length of its mean response.
    """

    label_version: int | None = None
    version: int | None = None
    visits: int = 0
    importance: float | None = None
    importance_of_mean: float | None = None
    margin: float | None = None
    alignment: float | None = None


class Drawable(NamedTuple):
    """A sample that a round may draw; `standing` is empty where it was never judged."""

    sample_id: UUID
    label_version: int
    partition: int
    offset: int
    event_time: int
    importance: float
    standing: str


class Set(NamedTuple):
    """How many samples stand in one place for one reason, and their means as of their last judgements."""

    standing: str
    reason: str
    samples: int
    importance: float
    importance_of_mean: float | None
    alignment: float | None
    margin: float


VISITS: Final = Query(
    Visit,
    of_sample(
        """
        SELECT label_version, version, label, visit, norm, scale, importance_seen, importance, importance_of_mean, alignment,
               loss, margin, running_margin, running_alignment
        FROM importance_of_mean_of_sample ORDER BY label_version, version""",
        *("visits_of_sample", "importance_of_sample", "importance_of_mean_of_sample"),
    ),
)
"""The responses of a sample, in order."""
DRAWABLE: Final = Query(
    Drawable,
    """
    SELECT r.sample_id, (r.in_order.1)[-1], r.partition, (r.in_order.4)[-1], toUnixTimestamp64Milli(r.event_time),
           r.importance[-1], s.standing
    FROM visits_of_sample AS r
    LEFT JOIN (SELECT sample_id, standing FROM standings FINAL) AS s ON r.sample_id = s.sample_id
    WHERE r.sample_id NOT IN (SELECT sample_id FROM trusted_now WHERE part IN ('direction', 'gate'))""",
)
"""The samples that have a visit, without those that nothing is trained on."""
SETS: Final = Query(
    Set,
    """
    SELECT standing, reason, count() AS samples, avg(importance) AS importance,
           avg(importance_of_mean) AS importance_of_mean, avg(alignment) AS alignment, avg(margin) AS margin
    FROM standings_now GROUP BY standing, reason ORDER BY standing, reason""",
)
"""Where samples stand, and why."""


def figures_of(visits: Sequence[Visit]) -> Figures:
    """The figures of now: those of the last row.

    Example:
        >>> figures_of([]).visits, figures_of([]).importance
        (0, None)
    """
    if not visits:
        return Figures()
    last = visits[-1]
    return Figures(
        label_version=last.label_version,
        version=last.version,
        visits=last.visit,
        importance=last.importance,
        importance_of_mean=last.importance_of_mean,
        margin=last.running_margin,
        alignment=last.running_alignment,
    )
