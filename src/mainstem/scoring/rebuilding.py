"""Rebuilds rows from the history: they equal the rows of the worker that wrote it."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from mainstem.importance import Beside, Rows, Visits
from mainstem.scoring.held import apart
from mainstem.standing import REASONS, STANDINGS
from mainstem.store import Store, StoredVisits, stored_visits
from mainstem.store.draws import drawn_for_promoted
from mainstem.store.standings import stood_before

__all__ = ["Rebuilt", "rebuilt", "visits_of"]


class Rebuilt(NamedTuple):
    """The rows of some partitions, by partition.

    Attributes:
        rows: rows of stream and canaries, which are judged.
        held: rows of confirmed samples of direction and gate.
    """

    rows: dict[int, Rows]
    held: dict[int, Rows]


def rebuilt(
    store: Store,
    ends: Mapping[int, int],
    version: int,
    *,
    left: Mapping[int, int],
    sketch: int,
    beside: Beside | None = None,
) -> Rebuilt:
    """The rows of some partitions as they were when a version was in use.

    Args:
        store: the history.
        ends: for each partition the position of the next sample; only earlier samples count.
        version: number of the version; its responses and those of earlier versions count.
        left: for each partition the event time before which rows were dropped.
        sketch: number of floats in a sketch, k.
        beside: keeps more columns in the rows that are judged, such as those of shadows.
    """
    drawn = drawn_for_promoted(store, version)
    judged = {one: Rows(sketch=sketch, beside=beside) for one in ends}
    made = Rebuilt(judged, {one: Rows() for one in ends})
    for partition, rows in made.rows.items():
        for at in range(version + 1):
            rows.mark_drawn(drawn.get(at, []))
            end, oldest = ends[partition], left[partition]
            for found in stored_visits(store, partition, end, at, left=oldest, sketch=sketch):
                for some, visits in apart(visits_of(found, at), rows, made.held[partition]):
                    some.visit(visits)
        _stand_again(rows, store, partition, ends[partition])
    return made


def visits_of(found: StoredVisits, version: int) -> Visits:
    """Visits of a version as rows receive them, from visits in the history."""
    return Visits(
        version=version,
        scale=found.scale,
        keys=found.keys,
        facts=found.facts,
        norm=found.norm,
        margin=found.margin,
        loss=found.loss,
        alignment=found.alignment,
        sketch=found.sketch,
        logits=found.logits if found.logits.shape[1] else None,
        given=found.given,
    )


def _stand_again(rows: Rows, store: Store, partition: int, end: int) -> None:
    for stood in stood_before(store, partition, end):
        places = rows.rows_of(stood.keys)
        here = places >= 0  # the others were dropped
        rows_here = places[here]
        standing = np.array([STANDINGS.index(one) for one in stood.standing], np.int8)
        reason = np.array([REASONS.index(one) for one in stood.reason], np.int8)
        rows["standing"][rows_here] = standing[here]
        rows["reason"][rows_here] = reason[here]
        rows["weight"][rows_here] = np.array(stood.weight, np.float32)[here]
        rows["judged"][rows_here] = np.array(stood.label_version, np.int64)[here]
