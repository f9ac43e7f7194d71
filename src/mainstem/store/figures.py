"""Figures that the visits of a sample add up to; one view in `migrations/` defines each figure.

These are the present figures. A standing and a move hold the figures at their judgement. A scoring
worker holds its own in its rows, where it updates the means visit by visit (the mean of the
sketches in half precision).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query
from mainstem.store.views import of_sample

__all__ = ["DRAWABLE", "SETS", "VISITS", "Drawable", "Figures", "Set", "Visit", "figures_of"]


class Visit(NamedTuple):
    """A response of a sample, and the running figures of its visits up to this response.

    `kind` says how much of the response was computed: `full`, `last` or `forward`.
    The second response by one version to the same answer is not a visit: it repeats the figures of
    the first.
    """

    label_version: int
    version: int
    label: int
    visit: int
    kind: str
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
    """Figures that the visits of a sample add up to now; a figure is None where there is none.

    Attributes:
        label_version: label version that was scored last.
        version: version that scored it.
        visits: number of visits to the newest answer.
        importance, margin, alignment: means over those visits.
        importance_of_mean: norm of the mean response over those visits.
    """

    label_version: int | None = None
    version: int | None = None
    visits: int = 0
    importance: float | None = None
    importance_of_mean: float | None = None
    margin: float | None = None
    alignment: float | None = None


class Drawable(NamedTuple):
    """A sample that a round may draw.

    `recent_importance` is the decayed mean over its visits, each counting half as much as the next
    one. `weight` is its weight in the loss, in [0, 1]. `standing` and `reason` are empty where the
    sample was never judged.
    """

    sample_id: UUID
    label_version: int
    partition: int
    offset: int
    event_time: int
    importance: float
    recent_importance: float
    weight: float
    standing: str
    reason: str


class Set(NamedTuple):
    """Samples with one standing for one reason: how many, and the means of their figures.

    The figures are those at the last judgement of each sample.
    """

    standing: str
    reason: str
    samples: int
    importance: float
    importance_of_mean: float | None
    alignment: float | None
    margin: float


# subtle: a server that has not been migrated may lack the kind, which COLUMNS allows
VISITS: Final = Query(
    Visit,
    of_sample(
        """
        SELECT label_version, version, label, visit, if(its_kind = '', 'full', its_kind) AS kind,
               norm, scale, importance_seen, importance, importance_of_mean, alignment, loss,
               margin, running_margin, running_alignment
        FROM importance_of_mean_of_sample AS v
        LEFT JOIN (
            SELECT label_version, version, concat('', COLUMNS('^kind$')) AS its_kind
            FROM responses_now) AS r
            USING (label_version, version)
        ORDER BY label_version, version""",
        *("visits_of_sample", "importance_of_sample", "importance_of_mean_of_sample"),
    ),
)
"""The responses of a sample, by label version and version."""
DRAWABLE: Final = Query(
    Drawable,
    """
    SELECT r.sample_id, (r.in_order.1)[-1], r.partition, (r.in_order.4)[-1],
           toUnixTimestamp64Milli(r.event_time), r.importance[-1],
           arraySum((seen, place) -> seen * exp2(greatest(place, 2) - 1 - toInt64(length(r.each))),
                    r.each, arrayEnumerate(r.each)),
           if(s.standing = '', 1, s.weight), s.standing, s.reason
    FROM (
        SELECT *, arrayFilter(
                   (seen, counted) -> counted, arraySlice(in_order.5, answer[-1]),
                   arraySlice(counts, answer[-1])) AS each
        FROM visits_of_sample) AS r
    LEFT JOIN (SELECT sample_id, standing, reason, weight FROM standings FINAL) AS s
        ON r.sample_id = s.sample_id
    WHERE r.sample_id NOT IN (
        SELECT sample_id FROM trusted_now WHERE part IN ('direction', 'gate'))""",
)
"""The samples that have a visit, except those of direction and gate, which no version trains on."""
SETS: Final = Query(
    Set,
    """
    SELECT standing, reason, count() AS samples, avg(importance) AS importance,
           avg(importance_of_mean) AS importance_of_mean, avg(alignment) AS alignment,
           avg(margin) AS margin
    FROM standings_now GROUP BY standing, reason ORDER BY standing, reason""",
)
"""How many samples have each standing, for each reason."""


def figures_of(visits: Sequence[Visit]) -> Figures:
    """The present figures of a sample, which are those of its last response.

    Args:
        visits: rows of `VISITS`, in order.

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
