"""A judgement is made, written and told: the standings that it moved, and at the end of a log those that it did not too."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mainstem.importance import Rows
from mainstem.settings import Settings
from mainstem.standing import REASONS, STANDINGS, Judgement, judge
from mainstem.store import Store
from mainstem.store.standings import (
    KeptJudgement,
    KeptStanding,
    moves_at,
    write_judgement,
    write_moves,
    write_standings,
)

__all__ = ["At", "Judging", "Publish"]

Publish = Callable[[Sequence[KeptStanding]], None]
_CHUNK: Final = 65_536


class At(NamedTuple):
    """Where a judgement falls: its partition, its position there, how far event time has come, the version in use."""

    partition: int
    judgement: int
    event_time: int
    version: int


class Judging:
    """Judges rows and keeps what comes out.

    Args:
        store: the history.
        settings: thresholds.
        publish: is given new standings, once the history has them.
    """

    def __init__(self, store: Store, settings: Settings, publish: Publish) -> None:
        self._store = store
        self._settings = settings
        self._publish = publish

    def judge(self, rows: Rows, at: At, *, trusted: bool, last: bool) -> Judgement:
        """Judge rows; write the standings that moved, then the judgement.

        Args:
            rows: of the partition that is judged.
            at: where the judgement falls.
            trusted: whether the canaries' labels are believed, not only assumed.
            last: whether the log ends here: all standings are written then, so that their evidence is of now.
        """
        judged = judge(rows, self._settings, trusted=trusted)
        moved = (judged.standing != rows["standing"]) | (judged.reason != rows["reason"])
        moved |= rows["judged"] != rows["label_version"]
        moves = _standings_of(rows, judged, np.flatnonzero(moved), at)
        write_moves(self._store, moves, _stood_at(rows, np.flatnonzero(moved)), at.event_time)
        self._tell(moves)
        for some in _chunks(np.flatnonzero(~moved)) if last else ():
            self._tell(_standings_of(rows, judged, some, at))
        write_judgement(self._store, _kept(judged, at))
        rows["standing"][:], rows["reason"][:] = judged.standing, judged.reason
        rows["judged"][:] = rows["label_version"]
        return judged

    def write_again(self, partition: int, judgement: int) -> None:
        """Write and publish the standings of a judgement again: whoever judged may have died right after the moves."""
        self._tell(moves_at(self._store, partition, judgement))

    def _tell(self, standings: Sequence[KeptStanding]) -> None:
        write_standings(self._store, standings)
        self._publish(standings)


def _standings_of(
    rows: Rows, judged: Judgement, places: NDArray[np.int64], at: At
) -> list[KeptStanding]:
    """What is kept of the samples in some rows, as they were judged."""
    count = len(places)
    columns: dict[str, Sequence[Any]] = {
        "sample_id": [rows.id_of(row) for row in places],
        "label_version": rows["label_version"][places].tolist(),
        "partition": [at.partition] * count,
        "judgement": [at.judgement] * count,
        "version": [at.version] * count,
        "standing": [STANDINGS[one] for one in judged.standing[places]],
        "reason": [REASONS[one] for one in judged.reason[places]],
        "p_value": _known(judged.p_value[places]),
        "evidence": _known(judged.evidence[places]),
        "importance": rows["importance"][places].tolist(),
        "margin": rows["margin"][places].tolist(),
        "visits": rows["visits"][places].tolist(),
        "alignment": _known(
            np.where(rows["aligned"][places] > 0, rows["alignment"][places], np.nan)
        ),
        "importance_of_mean": _known(rows.importance_of_mean(places)),
    }
    return [
        KeptStanding(*values)
        for values in zip(*(columns[name] for name in KeptStanding._fields), strict=True)
    ]


def _stood_at(rows: Rows, places: NDArray[np.int64]) -> list[str]:
    """Where samples stood before; nowhere before their first judgement."""
    judged, standing = rows["judged"][places], rows["standing"][places]
    return [STANDINGS[one] if at >= 0 else "" for one, at in zip(standing, judged, strict=True)]


def _kept(judged: Judgement, at: At) -> KeptJudgement:
    [core_level] = _known(np.array([judged.core_level]))
    return KeptJudgement(
        partition=at.partition,
        judgement=at.judgement,
        version=at.version,
        event_time=at.event_time,
        **judged.counts(),
        canaries=judged.canaries,
        core_level=core_level,
        verdict=judged.verdict,
    )


def _known(values: NDArray[Any]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]


def _chunks(places: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(places), _CHUNK):
        yield places[start : start + _CHUNK]
