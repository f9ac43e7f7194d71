"""What other settings would have made of a history: sets, and the draw of the last round.

Everything is computed again from stored visits: no model is loaded, and nothing is written.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.answers.what_if_drawn import SupposedDraw, supposed_draw
from mainstem.answers.what_if_judged import Judged, judged_again, set_of
from mainstem.errors import SettingError
from mainstem.scoring.schedule import NEVER
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.score_ages import score_ages
from mainstem.store.supposing import judged_partitions, last_round

__all__ = ["SUPPOSABLE", "Mover", "Moves", "Supposed", "check_supposable", "what_if"]

SUPPOSABLE: Final = (
    *("standing.false_discovery_rate", "standing.canary_minimum", "standing.doubt"),
    *("standing.core_quantile", "standing.spent_level", "standing.confidence"),
    *("standing.evidence", "standing.divisions", "standing.least_right"),
    *("standing.assumed_sound", "standing.core_visits", "standing.spent_visits"),
    *("learning.draw", "learning.draw_new", "learning.draw_old", "learning.core_minimum"),
    *("learning.uniform_share", "learning.edge_floor", "learning.slice_floor"),
    *("learning.spent_again", "learning.held_out", "learning.outdated_beyond"),
    *("learning.outdated_half_life", "learning.gone_after"),
)
"""Settings that decide sets and draws out of what the history holds."""
_NOW: Final = 2**62  # a position after all others


@dataclass(frozen=True)
class Moves:
    """How many samples would be in one set instead of another: `core`, `edge` or a reason of noise.

    Attributes:
        before, after: name of the set with the settings that were used, and with the others.
        samples: number of samples.
        importance: mean importance of these samples.
    """

    before: str
    after: str
    samples: int
    importance: float


@dataclass(frozen=True)
class Mover:
    """A sample that would be in another set, with its weight in the loss before and after.

    `versions_behind` and `score_days` say how old its newest score is.
    """

    sample_id: UUID
    before: str
    after: str
    importance: float
    weight_before: float
    weight_after: float
    versions_behind: int = 0
    score_days: float = 0.0


@dataclass(frozen=True)
class Supposed:
    """What other settings would have made of a history.

    Attributes:
        samples: number of samples that were judged again, as at the last judgement.
        moves: how many would move, the most frequent move first; those that stay are left out.
        movers: the samples that would move, the most important ones first.
        sets: for the name of each set its size before and after.
        draw: the draw of the last round; None before the first round.
    """

    samples: int
    moves: list[Moves]
    movers: list[Mover]
    sets: Mapping[str, tuple[int, int]]
    draw: SupposedDraw | None


def check_supposable(names: Mapping[str, Any]) -> None:
    """Refuse settings that decide neither sets nor draws out of what the history holds.

    Raises:
        SettingError: if there is such a setting, or none at all.
    """
    other = next((name for name in names if name not in SUPPOSABLE), None)
    if other is None and names:
        return
    said = "no setting is supposed" if other is None else f"{other} moves no sample by itself"
    msg = (
        f"{said}: sets and draws can only be computed again with other values of "
        f"{', '.join(SUPPOSABLE)}"
    )
    raise SettingError(msg)


def what_if(
    store: Store,
    settings: Settings,
    changed: Mapping[str, Any],
    *,
    later_from: int | None = None,
    drops: bool = True,
    most: int = 10,
) -> Supposed:
    """Compute the sets of the last judgement and the draw of the last round with other settings.

    Args:
        store: the history; it is only read.
        settings: settings that the history was made with.
        changed: other values of some settings, by name.
        later_from: event time in milliseconds from which on samples are not trained on; None if
            there is no such time.
        drops: whether rows beyond the horizon were dropped before a draw, as in a home.
        most: number of movers that are told.

    Raises:
        SettingError: if a setting decides neither sets nor draws, or a value is not allowed.
    """
    check_supposable(changed)
    supposed = settings.but(changed)
    judged = [
        one
        for partition in judged_partitions(store)
        if (one := judged_again(store, partition, _NOW, settings, supposed))
    ]
    done = last_round(store)
    drawn = None
    if done:
        until = NEVER if later_from is None else later_from
        drawn = supposed_draw(store, done, settings, supposed, until, drops=drops)
    before, after = (
        np.concatenate([np.zeros(0, "U13"), *(set_of(getattr(one, side)) for one in judged)])
        for side in ("before", "after")
    )
    return Supposed(
        samples=len(before),
        moves=_moves(judged, before, after),
        movers=_aged(store, _movers(judged, most)),
        sets={
            name: (int((before == name).sum()), int((after == name).sum()))
            for name in ("core", "edge", "contradictory", "spent")
        },
        draw=drawn,
    )


def _moves(judged: list[Judged], before: NDArray[Any], after: NDArray[Any]) -> list[Moves]:
    importance = np.concatenate([np.zeros(0), *(one.rows["importance"] for one in judged)])
    pairs = Counter(zip(before.tolist(), after.tolist(), strict=True))
    return [
        Moves(one, other, count, float(importance[(before == one) & (after == other)].mean()))
        for (one, other), count in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
        if one != other
    ]


def _aged(store: Store, movers: list[Mover]) -> list[Mover]:
    """The movers with the age of their scores."""
    ages = score_ages(store, [one.sample_id for one in movers])
    return [
        replace(one, versions_behind=age.versions_behind, score_days=age.days)
        if (age := ages.get(one.sample_id))
        else one
        for one in movers
    ]


def _movers(judged: list[Judged], most: int) -> list[Mover]:
    found: list[Mover] = []
    for one in judged:
        before, after, importance = set_of(one.before), set_of(one.after), one.rows["importance"]
        moved = np.flatnonzero(before != after)
        first = moved[np.argsort(-importance[moved], kind="stable")[:most]]
        weight_before, weight_after = one.before.weight, one.after.weight
        found += [
            Mover(
                one.rows.id_of(row),
                str(before[row]),
                str(after[row]),
                float(importance[row]),
                float(weight_before[row]),
                float(weight_after[row]),
            )
            for row in first
        ]
    return sorted(found, key=lambda mover: (-mover.importance, mover.sample_id.int))[:most]
