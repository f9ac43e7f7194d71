"""Makes a judgement, writes it, and publishes the standings that it moved.

At the end of a log it also publishes the standings that it did not move.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mainstem.estimators import Shadow
from mainstem.importance import Rows
from mainstem.scoring.evidence import evidence_on
from mainstem.scoring.shadow import keep_estimates
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
_HEAVIER: Final = 0.25  # change of a sample's weight from which on it is a move


class At(NamedTuple):
    """The place of a judgement.

    Attributes:
        partition: number of the partition.
        judgement: position in the partition.
        event_time: largest event time so far, in milliseconds.
        version: number of the version in use.
    """

    partition: int
    judgement: int
    event_time: int
    version: int


class Judging:
    """Judges rows and keeps the result.

    Args:
        store: the history.
        settings: settings with the thresholds.
        publish: receives new standings after they are in the history.
        shadow: estimators whose figures are written at each judgement; None for none.
    """

    def __init__(
        self, store: Store, settings: Settings, publish: Publish, shadow: Shadow | None = None
    ) -> None:
        self._store, self._shadow = store, shadow
        self._settings = settings
        self._publish = publish

    def judge(self, rows: Rows, held: Rows, at: At, *, trusted: bool, last: bool) -> Judgement:
        """Judge rows; write the standings that moved, then the judgement.

        Args:
            rows: rows of the partition.
            held: rows of its confirmed samples of direction and gate, which evidence learns from.
            at: place of the judgement.
            trusted: whether the canaries' labels are trusted, and not only assumed.
            last: whether the log ends here. If so, all standings are written, so that their
                evidence is up to date.
        """
        settings, place = self._settings, (at.partition, at.judgement)
        said = evidence_on(rows, held, self._store, *place, settings)
        judged = judge(rows, settings.standing, trusted=trusted, **said._asdict())
        moved = (judged.standing != rows["standing"]) | (judged.reason != rows["reason"])
        moved |= rows["judged"] != rows["label_version"]
        weight = judged.weight.astype(np.float32)
        moved |= np.abs(weight - rows["weight"]) >= _HEAVIER
        moves = _standings_of(rows, judged, np.flatnonzero(moved), at)
        write_moves(self._store, moves, _stood_at(rows, np.flatnonzero(moved)), at.event_time)
        self._tell(moves)
        for some in _chunks(np.flatnonzero(~moved)) if last else ():
            self._tell(_standings_of(rows, judged, some, at))
        if self._shadow:
            keep_estimates(self._store, rows, self._shadow, *place, everyone=last)
        write_judgement(self._store, _kept(judged, at))
        rows["standing"][:], rows["reason"][:] = judged.standing, judged.reason
        # subtle: only with the moves, which rows are rebuilt from
        rows["weight"][moved] = weight[moved]
        rows["judged"][:] = rows["label_version"]
        return judged

    def write_again(self, partition: int, judgement: int) -> None:
        """Write and publish the moves of a judgement again.

        The process that judged may have died right after it wrote the moves.

        Args:
            partition: number of the partition.
            judgement: position of the judgement.
        """
        self._tell(moves_at(self._store, partition, judgement))

    def _tell(self, standings: Sequence[KeptStanding]) -> None:
        write_standings(self._store, standings)
        self._publish(standings)


def _standings_of(
    rows: Rows, judged: Judgement, places: NDArray[np.int64], at: At
) -> list[KeptStanding]:
    """The standings of the samples in some rows, as the history keeps them."""
    count, alignment = len(places), rows["alignment"][places]
    weighed = None if judged.verdicts is None else judged.verdicts.weighed
    right = np.full(count, np.nan) if weighed is None else weighed.right[places]
    parts, say = (
        ([], np.zeros((count, 0)))
        if weighed is None
        else (list(weighed.parts), weighed.say[places])
    )
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
        "alignment": _known(np.where(rows["aligned"][places] > 0, alignment, np.nan)),
        "importance_of_mean": _known(rows.importance_of_mean(places)),
        "probably_right": _known(right),
        "weight": judged.weight[places].tolist(),
        "parts": [parts] * count,
        "say": say.tolist(),
    }
    in_order = (columns[name] for name in KeptStanding._fields)
    return [KeptStanding(*values) for values in zip(*in_order, strict=True)]


def _stood_at(rows: Rows, places: NDArray[np.int64]) -> list[str]:
    """The standings of samples before this judgement; empty before their first one."""
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
        decides=judged.decides,
        **asdict(judged.measured),
    )


def _known(values: NDArray[Any]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]


def _chunks(places: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(places), _CHUNK):
        yield places[start : start + _CHUNK]
