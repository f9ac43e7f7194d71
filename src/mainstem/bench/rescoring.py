"""Which samples a new version should score again: choices at equal cost, held against all.

It takes a history in which every version scored every sample again. Any choice is a part of those
visits, so each one is repeated from the history, without a model.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from mainstem.importance import CANARY, Rows, Visits
from mainstem.scoring.changeable import most_changeable
from mainstem.scoring.rebuilding import visits_of
from mainstem.settings import Standing
from mainstem.standing import judge
from mainstem.store import Store, stored_visits
from mainstem.store.rounds import ROUNDS

__all__ = ["CHOICES", "Taken", "compare_rescoring", "taken_up"]

_Chosen = NDArray[np.int64]
Choice = Callable[[Rows, int, int, Standing], _Chosen]
"""Chooses rows of the stream, from rows, the number of the new version, a budget and settings."""


class Taken(NamedTuple):
    """A version that scored samples of a partition.

    Attributes:
        version: number of the version.
        position: position of the partition at which it was taken up.
    """

    version: int
    position: int


def compare_rescoring(
    store: Store, versions: Sequence[Taken], settings: Standing, budgets: Sequence[int]
) -> list[dict[str, Any]]:
    """Repeat the visits to partition 0 under each choice, and compare with all of them.

    Args:
        store: a history in which every version scored all samples again.
        versions: the versions, in order; version 0 was taken up at position 0.
        settings: thresholds of the judge.
        budgets: numbers of samples that a new version may score again, besides canaries.

    Returns:
        A row for each budget and choice: `budget`, `choice`, `again`: visits to samples of the
        stream that were scored again; and of the samples of the stream, each figure the mean over
        the versions after the first re-scoring: `importance`, the rank correlation of importance
        with that after all visits; `standings`, the share with the same standing; `core`, the
        share of samples in both cores among those in either.
    """
    kept = {
        one.version: [
            visits_of(some, one.version) for some in stored_visits(store, 0, 2**62, one.version)
        ]
        for one in versions
    }
    truth, _ = _repeated(kept, versions, settings, None, 0)
    found = []
    for budget in budgets:
        for name, choice in CHOICES.items():
            states, again = _repeated(kept, versions, settings, choice, budget)
            pairs = zip(states[1:], truth[1:], strict=True)
            figures = np.array([_agreement(*pair) for pair in pairs]).reshape(-1, 3).mean(axis=0)
            names = ("importance", "standings", "core")
            row = {"budget": budget, "choice": name, "again": again}
            found.append(row | dict(zip(names, figures.round(3).tolist(), strict=True)))
    return found


def taken_up(store: Store) -> list[Taken]:
    """The first version and those of promoted rounds, of a history with one partition."""
    promoted = [one for one in ROUNDS.of(store) if one.promoted]
    return [Taken(0, 0), *(Taken(one.version, one.samples) for one in promoted)]


class _State(NamedTuple):
    keys: list[Any]
    importance: NDArray[np.float64]
    standing: NDArray[np.int8]


def _repeated(
    kept: Mapping[int, Sequence[Visits]],
    versions: Sequence[Taken],
    settings: Standing,
    choice: Choice | None,
    budget: int,
) -> tuple[list[_State], int]:
    """The state when each version gave way to the next, and the visits that were made again."""
    rows, states, again = Rows(), [], 0
    ends = [one.position for one in versions[1:]] + [2**62]
    for (version, position), end in zip(versions, ends, strict=True):
        chosen = None
        if choice is not None:
            canaries = np.flatnonzero(rows["part"] == CANARY)
            some = choice(rows, version, budget, settings) if len(rows) else canaries
            chosen = {rows.id_of(row).bytes for row in np.concatenate([canaries, some])}
        for visits in kept[version]:
            offset = visits.facts.offset
            old = offset < position
            if chosen is not None:
                old &= np.array([key in chosen for key in visits.keys])
            again += int((old & (visits.facts.part != CANARY)).sum())
            rows.visit(visits.only(old | ((offset >= position) & (offset < end))))
        states.append(_state_of(rows, settings))
    return states, again


def _state_of(rows: Rows, settings: Standing) -> _State:
    stream = np.flatnonzero(rows["part"] != CANARY)
    keys = [rows.id_of(row) for row in stream]
    order = np.argsort([key.int for key in keys]) if keys else np.zeros(0, np.int64)
    standing = judge(rows, settings, trusted=True).standing
    in_order = stream[order]
    return _State(sorted(keys), rows["importance"][in_order], standing[in_order])


def _agreement(one: _State, other: _State) -> tuple[float, float, float]:
    core, true = one.standing == 1, other.standing == 1
    rank = spearmanr(one.importance, other.importance).statistic
    same = (one.standing == other.standing).mean()
    either = int((core | true).sum())
    return float(rank), float(same), float((core & true).sum()) / either if either else 1.0


def _newest(rows: Rows, version: int, budget: int, settings: Standing) -> _Chosen:
    del settings
    free = _free(rows, version)
    return free[np.argsort(-rows["offset"][free], kind="stable")[:budget]]


def _at_random(rows: Rows, version: int, budget: int, settings: Standing) -> _Chosen:
    del settings
    return np.random.default_rng(version).permutation(_free(rows, version))[:budget]


def _oldest_visit(rows: Rows, version: int, budget: int, settings: Standing) -> _Chosen:
    del settings
    free = _free(rows, version)
    return free[np.lexsort((-rows["offset"][free], rows["last_version"][free]))[:budget]]


def _free(rows: Rows, version: int) -> _Chosen:
    return np.flatnonzero((rows["part"] != CANARY) & (rows["last_version"] < version))


CHOICES: Final[Mapping[str, Choice]] = {
    "newest": _newest,
    "random": _at_random,
    "oldest visit": _oldest_visit,
    "changeable": most_changeable,
}
"""The choices that are compared, by name."""
