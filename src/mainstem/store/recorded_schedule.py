"""The order and the schedule of a deployment as one value, from its history, a file or a topic."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Generic, Self, TypeVar

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
from mainstem.store.schedule_records import (
    AcceptedBlock,
    DrawnBlock,
    RoundRecord,
    ScaleRecord,
    ScheduleRecord,
    TurnBlock,
    accepted_blocks,
    decode_record,
    drawn_blocks,
    turn_blocks,
)
from mainstem.store.store import Store
from mainstem.store.turns import TURNS, Turn

__all__ = ["RecordedSchedule"]

_B = TypeVar("_B", TurnBlock, DrawnBlock)
_WHOLE: Final = "`mainstem stream schedule` prints a whole one out of the history"


class RecordedSchedule(Struct, frozen=True, kw_only=True):
    """What led to the judgements of a history, besides log, settings and versions.

    Attributes:
        accepted: accepted samples at their positions, partition by partition.
        turns: what scoring workers did beside what the settings prescribe, partition by partition.
        rounds: all rounds, ordered by version.
        draws: samples that promoted versions were trained on.
        scales: scales of the versions that scored. They are needed for a version whose manifest has
            no scale because there were no canaries yet when it was made.
    """

    accepted: Sequence[AcceptedAt]
    turns: Sequence[Turn]
    rounds: Sequence[KeptRound] = ()
    draws: Sequence[KeptDraw] = ()
    scales: Sequence[KeptScale] = ()

    @classmethod
    def of_store(cls, store: Store) -> Self:
        """The schedule that a deployed history recorded.

        Raises:
            LogError: if the history has no turns: it is embedded, or older than table `turns`.
        """
        if not (turns := TURNS.of(store)):
            msg = (
                "the history records no turns of scoring workers; "
                "give the history of a deployment that has scored"
            )
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
        """The schedule in the lines of a file.

        Args:
            lines: lines of the file, as `lines` gives them.
            name: name of the file, for messages.

        Raises:
            LogError: if a line holds something else, or lines are missing.
        """
        records = list[ScheduleRecord]()
        for number, line in enumerate(lines, 1):
            try:
                records.append(decode_record(line))
            except msgspec.DecodeError as error:
                msg = (
                    f"line {number} of {name!r} is no line of a schedule ({error}); "
                    "`mainstem stream schedule` prints one"
                )
                raise LogError(msg) from error
        return cls.of_records(records, repr(name))

    @classmethod
    def of_records(cls, records: Iterable[ScheduleRecord], name: str) -> Self:
        """The schedule that a sequence of records gives; a later record overrides an earlier one.

        Args:
            records: the records of each partition in the order in which they were written.
            name: where they were read, for messages.

        Raises:
            LogError: if a position, a turn, or a part of a turn or of a draw is missing.
        """
        accepted = dict[tuple[int, int], AcceptedAt]()
        turns, draws = _Parts[TurnBlock](), _Parts[DrawnBlock]()
        rounds, scales = dict[int, KeptRound](), dict[int, KeptScale]()
        for record in records:
            match record:
                case AcceptedBlock():
                    for position, sample in enumerate(record.samples, record.position):
                        at = record.partition, position
                        accepted[at] = AcceptedAt(*at, *sample)
                case TurnBlock():
                    turns.take((record.partition, record.number), record)
                case RoundRecord():
                    rounds[record.version] = record.kept
                case DrawnBlock():
                    draws.take((record.version,), record)
                case ScaleRecord():
                    scales[record.version] = KeptScale(record.version, record.scale)
        _refuse_gaps(accepted, "position", name)
        _refuse_gaps(turns.by_key, "turn", name)
        return cls(
            accepted=[one for _, one in sorted(accepted.items())],
            turns=[_turn_of(parts) for parts in turns.whole(name)],
            rounds=[one for _, one in sorted(rounds.items())],
            draws=[
                KeptDraw(part.version, *sample)
                for parts in draws.whole(name)
                for part in parts
                for sample in part.samples
            ],
            scales=[one for _, one in sorted(scales.items())],
        )

    def records(self) -> Iterator[ScheduleRecord]:
        """The records of this schedule; equal schedules give equal records."""
        yield from accepted_blocks(self.accepted)
        for turn in self.turns:
            yield from turn_blocks(turn)
        yield from map(RoundRecord.of, self.rounds)
        yield from drawn_blocks(self.draws)
        yield from (ScaleRecord(version=one.version, scale=one.scale) for one in self.scales)

    def lines(self) -> Iterator[bytes]:
        """The lines of a file: one JSON object for each record."""
        yield from map(msgspec.json.encode, self.records())

    @property
    def digest(self) -> str:
        """A digest by which one schedule is distinguished from another."""
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
        """The versions that scored, and those that rounds promoted."""
        return sorted(
            {one.version for one in self.turns}
            | {one.version for one in self.rounds if one.promoted}
            | {0}
        )


class _Parts(Generic[_B]):
    """Parts of turns or of draws, by the key of the whole and the index of their first sample."""

    def __init__(self) -> None:
        self.by_key: dict[tuple[int, ...], dict[int, _B]] = {}

    def take(self, key: tuple[int, ...], part: _B) -> None:
        self.by_key.setdefault(key, {})[part.first] = part

    def whole(self, name: str) -> list[list[_B]]:
        """The parts of each whole, in the order of the keys.

        Raises:
            LogError: if a part is missing.
        """
        found = []
        for key, parts in sorted(self.by_key.items()):
            total = parts[0].total if 0 in parts else -1
            taken, end = list[_B](), 0
            # subtle: where a shorter turn replaced a longer one, parts of the longer one are left
            while (part := parts.get(end)) and part.total == total and end < max(total, 1):
                taken.append(part)
                end += len(part.samples) or 1
            if end != max(total, 1):
                what = type(next(iter(parts.values()))).__struct_config__.tag
                msg = f"{name} lacks a part of {what} {'/'.join(map(str, key))}; {_WHOLE}"
                raise LogError(msg)
            found.append(taken)
        return found


def _turn_of(parts: Sequence[TurnBlock]) -> Turn:
    first = parts[0]
    samples = [one for part in parts for one in part.samples]
    return Turn(first.partition, first.number, first.position, first.version, first.kind, samples)


def _refuse_gaps(found: Iterable[tuple[int, ...]], what: str, name: str) -> None:
    """Refuse a schedule that lacks a position or a turn before one that it has.

    Raises:
        LogError: if it does.
    """
    nexts: dict[int, int] = {}
    for partition, number in sorted(found):
        if number != (due := nexts.get(partition, 0)):
            msg = f"{name} lacks {what} {due} of partition {partition}; {_WHOLE}"
            raise LogError(msg)
        nexts[partition] = due + 1
