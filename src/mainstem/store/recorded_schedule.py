"""The order and the schedule that a deployment used, as one value: out of its history, or of a file of JSON lines."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Self

import msgspec
from msgspec import Struct

from mainstem.errors import LogError
from mainstem.store.recorded import (
    DRAWS,
    KEPT_ROUNDS,
    ORDER,
    SCALES,
    AcceptedAt,
    KeptDraw,
    KeptScale,
)
from mainstem.store.rounds import KeptRound
from mainstem.store.store import Store
from mainstem.store.turns import TURNS, Turn

__all__ = ["RecordedSchedule"]


class _Line(Struct, omit_defaults=True, forbid_unknown_fields=True):
    """One of these."""

    accepted: AcceptedAt | None = None
    turn: Turn | None = None
    round: KeptRound | None = None
    draw: KeptDraw | None = None
    scale: KeptScale | None = None


class RecordedSchedule(Struct, frozen=True, kw_only=True):
    """What led to the judgements of a history, but for log, settings and versions.

    Attributes:
        accepted: the samples at their positions.
        turns: what was done beside the schedule, partition by partition, in order.
        rounds: all of them, the first one first.
        draws: what promoted versions were trained on.
        scales: of the versions that scored; needed for one that was made before there was anything to measure it by.
    """

    accepted: Sequence[AcceptedAt]
    turns: Sequence[Turn]
    rounds: Sequence[KeptRound] = ()
    draws: Sequence[KeptDraw] = ()
    scales: Sequence[KeptScale] = ()

    @classmethod
    def of_store(cls, store: Store) -> Self:
        """What a deployed history recorded.

        Raises:
            LogError: if it has no turns: it is embedded, or was written before they were recorded.
        """
        if not (turns := TURNS.of(store)):
            msg = "the history records no turns of scoring workers; give that of a deployment that has scored"
            raise LogError(msg)
        return cls(
            accepted=ORDER.of(store),
            turns=turns,
            rounds=KEPT_ROUNDS.of(store),
            draws=DRAWS.of(store),
            scales=SCALES.of(store),
        )

    @classmethod
    def of_lines(cls, lines: Iterable[bytes], name: str) -> Self:
        """What `lines` wrote.

        Args:
            lines: of a file.
            name: of the file, for whoever reads an error.

        Raises:
            LogError: if a line is none of a schedule.
        """
        found = cls(accepted=[], turns=[], rounds=[], draws=[], scales=[])
        for number, line in enumerate(lines, 1):
            try:
                one = msgspec.json.decode(line, type=_Line)
            except msgspec.DecodeError as error:
                msg = f"line {number} of {name!r} is no line of a schedule ({error}); `mainstem stream schedule` prints one"
                raise LogError(msg) from error
            for kept, value in zip(
                (found.accepted, found.turns, found.rounds, found.draws, found.scales),
                (one.accepted, one.turn, one.round, one.draw, one.scale),
                strict=True,
            ):
                if value is not None:
                    kept.append(value)  # type: ignore[attr-defined]  # lists, made above
        return found

    def lines(self) -> Iterator[bytes]:
        """One JSON line for each of its parts."""
        yield from (msgspec.json.encode(_Line(accepted=one)) for one in self.accepted)
        yield from (msgspec.json.encode(_Line(turn=one)) for one in self.turns)
        yield from (msgspec.json.encode(_Line(round=one)) for one in self.rounds)
        yield from (msgspec.json.encode(_Line(draw=one)) for one in self.draws)
        yield from (msgspec.json.encode(_Line(scale=one)) for one in self.scales)

    @property
    def digest(self) -> str:
        """By which it is told from another one."""
        digest = hashlib.blake2b(digest_size=8, person=b"mainstem-turns")
        for line in self.lines():
            digest.update(line + b"\n")
        return digest.hexdigest()

    @property
    def ends(self) -> dict[int, int]:
        """One more than the last position of each partition."""
        return {one.partition: one.position + 1 for one in sorted(self.accepted)}

    @property
    def versions(self) -> list[int]:
        """The versions that scored, and those that took part in rounds and were promoted."""
        return sorted(
            {one.version for one in self.turns}
            | {one.version for one in self.rounds if one.promoted}
            | {0}
        )
