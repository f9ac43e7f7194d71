"""The draw of the last round, made again out of stored visits with other settings."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from mainstem.answers.what_if_judged import judged_again, left_at
from mainstem.importance import Rows
from mainstem.learning.draws import RowsPool
from mainstem.learning.draws.next_draw import next_draw
from mainstem.scoring.rebuilding import rebuilt
from mainstem.settings import Settings
from mainstem.standing import STANDINGS
from mainstem.store import Store
from mainstem.store.draws import drawn_by
from mainstem.store.supposing import RoundThere, judgement_there

__all__ = ["DrawnOf", "SupposedDraw", "supposed_draw"]

_NAMES: Final = {"core": "core", "edge": "edge", "noise": "spent"}  # a draw has no other noise


@dataclass(frozen=True)
class DrawnOf:
    """How many samples of each set a draw has."""

    core: int
    edge: int
    spent: int

    @property
    def all(self) -> int:
        """How many samples the draw has."""
        return self.core + self.edge + self.spent


@dataclass(frozen=True)
class SupposedDraw:
    """The draw of a round beside the one that other settings would have made.

    Attributes:
        version: number of the round, and of the version that it made.
        available: samples of core and edge that it could have drawn with the other settings.
        drew: samples that it drew.
        would: samples that it would have drawn.
        both: number of samples that are in both.
        cold: whether it would have drawn uniformly, because core is too small.
        chooses: whether it would have drawn shares of what is new and of what is old, because the
            current version beat counting.
    """

    version: int
    available: int
    drew: DrawnOf
    would: DrawnOf
    both: int
    cold: bool
    chooses: bool


def supposed_draw(
    store: Store,
    done: RoundThere,
    settings: Settings,
    supposed: Settings,
    later_from: int,
    *,
    drops: bool,
) -> SupposedDraw:
    """Draw the samples of a round again, out of the rows as they were when it began.

    Args:
        store: the history.
        done: the round.
        settings: settings that were used.
        supposed: other settings.
        later_from: event time in milliseconds from which on samples are not trained on.
        drops: whether rows beyond the horizon had been dropped.
    """
    ends, parts = dict(enumerate(done.offsets)), list[Rows]()
    for partition, end in ends.items():
        left = left_at(judgement_there(store, partition, end), settings) if drops else 0
        made = rebuilt(store, {partition: end}, done.parent, left={partition: left}, sketch=0)
        parts.append(made.rows[partition])
        if supposed.standing != settings.standing:
            _stand(parts[-1], store, partition, end, settings, supposed)
    pool = RowsPool(parts)
    drawn = next_draw(
        store,
        pool,
        supposed,
        version=done.version,
        parent=done.parent,
        ends=ends,
        later_from=later_from,
        heeds=bool(done.weighed) or supposed.learning.weigh == "always",
    )
    real = drawn_by(store, done.version)
    ids = {pool.id_of(row) for row in drawn.rows}
    return SupposedDraw(
        version=done.version,
        available=drawn.available,
        drew=_counted(one.standing for one in real),
        would=_counted(STANDINGS[one] for one in pool["standing"][drawn.rows]),
        both=len(ids & {one.sample_id for one in real}),
        cold=drawn.cold,
        chooses=drawn.chooses,
    )


def _stand(
    rows: Rows, store: Store, partition: int, end: int, settings: Settings, supposed: Settings
) -> None:
    """Let rows stand where the last judgement before the round would have put them."""
    judged = judged_again(store, partition, end, settings, supposed)
    if judged is None:
        return
    keys = [judged.rows.id_of(row).bytes for row in range(len(judged.rows))]
    places = rows.rows_of(keys)
    here = np.flatnonzero(places >= 0)
    rows["standing"][places[here]] = judged.after.standing[here]
    rows["reason"][places[here]] = judged.after.reason[here]
    rows["weight"][places[here]] = judged.after.weight[here]


def _counted(standings: Iterable[str]) -> DrawnOf:
    counts = Counter(_NAMES[one] for one in standings)
    return DrawnOf(counts["core"], counts["edge"], counts["spent"])
