"""The records of a schedule: lines of a file, or records of topic `schedule`.

Every record has a key and is a pure function of a decision. So a program that does something again
writes the same record again, or a record with the same key, which replaces it. Long lists are cut
into several records, because a broker refuses records of more than a megabyte.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Self, TypeAlias, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from mainstem.store.recorded import DRAW_OF, ROUND_OF, AcceptedAt, KeptDraw
from mainstem.store.rounds import KeptRound
from mainstem.store.store import Store
from mainstem.store.turns import Turn

__all__ = [
    "AcceptedBlock",
    "DrawnBlock",
    "RoundRecord",
    "ScaleRecord",
    "ScheduleRecord",
    "TurnBlock",
    "accepted_blocks",
    "decode_record",
    "drawn_blocks",
    "key_of",
    "partition_of",
    "round_records",
    "turn_blocks",
]

# a sample takes less than 100 bytes
_SAMPLES_A_RECORD: Final = 1000
_T = TypeVar("_T")


class AcceptedBlock(Struct, frozen=True, kw_only=True, tag="accepted", tag_field="record"):
    """Samples that were accepted one after the other in one partition.

    Attributes:
        partition: the partition.
        position: position of the first sample; the others follow it.
        samples: id and label version of each sample.
    """

    partition: int
    position: int
    samples: list[tuple[UUID, int]]


class TurnBlock(Struct, frozen=True, kw_only=True, tag="turn", tag_field="record"):
    """A turn of a scoring worker, or a part of a turn that has many samples.

    Attributes:
        partition: the partition.
        number: number of the turn among those of its partition, from 0.
        position: position of the next sample at that time.
        version: version in use from this turn on.
        kind: `take over`, `take up`, `again` or `judge`.
        first: index of the first sample of this record among the samples of the turn.
        total: how many samples the whole turn has.
        samples: ids of samples that the version scores again.
    """

    partition: int
    number: int
    position: int
    version: int
    kind: str
    first: int = 0
    total: int = 0
    samples: list[UUID] = []


class RoundRecord(Struct, frozen=True, kw_only=True, tag="round", tag_field="record"):
    """A round of the learner, as table `rounds` of the history keeps it.

    Attributes:
        version: number of the round, and of the version that it made.
        parent: the version that the round started from.
        event_time: largest event time of a sample at the start of the round, in milliseconds.
        offsets: the next position of each partition at the start of the round.
        drawn: how many samples were drawn.
        drawn_core, drawn_edge: how many of them were core, and how many edge.
        cold: 1 if they were drawn uniformly because core was too small, else 0.
        steps, epochs: how long the training took.
        judged_on: the samples that decided, `gate` or `held_out`; empty if the training failed.
        auc_before, auc_after: AUC of the parent and of the new version on these samples.
        log_loss_before, log_loss_after: log loss of the parent and of the new version on them.
        promoted: 1 if the new version was promoted, else 0.
        reason: why it was promoted or refused.
        harder: probability that a wrong label is on the harder sample; None if it was not measured.
        weighed: 1 if samples counted by how likely their labels were right, else 0.
    """

    version: int
    parent: int
    event_time: int
    offsets: list[int]
    drawn: int
    drawn_core: int
    drawn_edge: int
    cold: int
    steps: int
    epochs: int
    judged_on: str
    auc_before: float | None
    auc_after: float | None
    log_loss_before: float | None
    log_loss_after: float | None
    promoted: int
    reason: str
    harder: float | None = None
    weighed: int = 1

    @classmethod
    def of(cls, kept: KeptRound) -> Self:
        """The record of a row of table `rounds`."""
        return cls(**kept._asdict())

    @property
    def kept(self) -> KeptRound:
        """The row of table `rounds` of a record."""
        return KeptRound(*(getattr(self, name) for name in KeptRound._fields))


class DrawnBlock(Struct, frozen=True, kw_only=True, tag="draw", tag_field="record"):
    """Samples that a promoted version was trained on.

    Attributes:
        version: the version.
        first: index of the first sample of this record among all that were drawn.
        total: how many samples were drawn.
        samples: id, label version, standing and probability of each draw.
    """

    version: int
    first: int
    total: int
    samples: list[tuple[UUID, int, str, float]]


class ScaleRecord(Struct, frozen=True, kw_only=True, tag="scale", tag_field="record"):
    """The scale of a version that scored samples.

    Attributes:
        version: the version.
        scale: mean response norm of the canaries; norms of responses are divided by it.
    """

    version: int
    scale: float


ScheduleRecord: TypeAlias = AcceptedBlock | TurnBlock | RoundRecord | DrawnBlock | ScaleRecord
_DECODER: Final[msgspec.json.Decoder[ScheduleRecord]] = msgspec.json.Decoder(ScheduleRecord)


def decode_record(value: bytes) -> ScheduleRecord:
    """The record in a line of a file or in a record of topic `schedule`.

    Raises:
        DecodeError: if it holds something else.
    """
    return _DECODER.decode(value)


def key_of(record: ScheduleRecord) -> str:
    """The key of a record; of two records with the same key the later counts.

    Example:
        >>> key_of(ScaleRecord(version=3, scale=1.5))
        'scale/3'
    """
    match record:
        case AcceptedBlock():
            return f"accepted/{record.partition}/{record.position}"
        case TurnBlock():
            return f"turn/{record.partition}/{record.number}/{record.first}"
        case RoundRecord():
            return f"round/{record.version}"
        case DrawnBlock():
            return f"draw/{record.version}/{record.first}"
    return f"scale/{record.version}"


def partition_of(record: ScheduleRecord) -> int:
    """The partition of topic `schedule` for a record: its own, or 0 if it belongs to all."""
    return record.partition if isinstance(record, AcceptedBlock | TurnBlock) else 0


def accepted_blocks(samples: Iterable[AcceptedAt]) -> Iterator[AcceptedBlock]:
    """Records of accepted samples; a new record begins wherever positions leave a gap.

    Args:
        samples: samples at their positions, each partition in the order of its positions.
    """
    waiting: dict[int, list[AcceptedAt]] = {}
    for one in samples:
        block = waiting.setdefault(one.partition, [])
        if block and (one.position != block[-1].position + 1 or len(block) == _SAMPLES_A_RECORD):
            yield _block(block)
            block.clear()
        block.append(one)
    yield from (_block(block) for block in waiting.values())


def _block(samples: Sequence[AcceptedAt]) -> AcceptedBlock:
    first = samples[0]
    return AcceptedBlock(
        partition=first.partition,
        position=first.position,
        samples=[(one.sample_id, one.label_version) for one in samples],
    )


def turn_blocks(turn: Turn) -> Iterator[TurnBlock]:
    """Records of a turn: at least one, and more if it scores many samples again."""
    facts = {name: value for name, value in turn._asdict().items() if name != "samples"}
    for first, some in _cut(turn.samples) or [(0, [])]:
        yield TurnBlock(**facts, first=first, total=len(turn.samples), samples=some)


def drawn_blocks(draws: Iterable[KeptDraw]) -> Iterator[DrawnBlock]:
    """Records of the samples that promoted versions were trained on."""
    by_version: dict[int, list[KeptDraw]] = {}
    for one in draws:
        by_version.setdefault(one.version, []).append(one)
    for version, drawn in sorted(by_version.items()):
        rows = [one[1:] for one in sorted(drawn, key=lambda one: one.sample_id)]
        for first, some in _cut(rows):
            yield DrawnBlock(version=version, first=first, total=len(rows), samples=some)


def round_records(store: Store, version: int) -> list[ScheduleRecord]:
    """Records of one round: the samples that a promoted version was trained on, then the round.

    Args:
        store: the history.
        version: the number of the round.
    """
    found = ROUND_OF.of(store, version=version)
    draws = DRAW_OF.of(store, version=version) if any(one.promoted for one in found) else []
    return [*drawn_blocks(draws), *map(RoundRecord.of, found)]


def _cut(rows: Sequence[_T]) -> list[tuple[int, list[_T]]]:
    """Rows in pieces, each with the index of its first row."""
    starts = range(0, len(rows), _SAMPLES_A_RECORD)
    return [(start, list(rows[start : start + _SAMPLES_A_RECORD])) for start in starts]
