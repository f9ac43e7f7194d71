"""A schedule that was cut into records is read back whole, whatever its writers wrote twice."""

from uuid import UUID

import msgspec
import pytest

from mainstem.errors import LogError
from mainstem.store.recorded import AcceptedAt, KeptDraw, KeptScale
from mainstem.store.recorded_schedule import RecordedSchedule
from mainstem.store.rounds import KeptRound
from mainstem.store.schedule_records import (
    AcceptedBlock,
    ScheduleRecord,
    accepted_blocks,
    decode_record,
    key_of,
    partition_of,
    turn_blocks,
)
from mainstem.store.turns import AGAIN, JUDGE, TAKE_OVER, Turn

IDS = [UUID(int=number) for number in range(3000)]
ROUND = KeptRound(
    version=1,
    parent=0,
    event_time=7,
    offsets=[900, 7],
    drawn=1000,
    drawn_core=900,
    drawn_edge=100,
    cold=0,
    steps=32,
    epochs=1,
    judged_on="gate",
    auc_before=0.5,
    auc_after=0.1 + 0.5,
    log_loss_before=None,
    log_loss_after=None,
    promoted=1,
    reason="not inferior",
)
SCHEDULE = RecordedSchedule(
    accepted=[
        AcceptedAt(partition, position, IDS[position], partition)
        for partition, count in ((0, 2500), (1, 7))
        for position in range(count)
    ],
    turns=[
        Turn(0, 0, 0, 0, TAKE_OVER, []),
        Turn(0, 1, 900, 1, AGAIN, IDS[:2001]),
        Turn(1, 0, 0, 0, TAKE_OVER, []),
        Turn(1, 1, 7, 1, JUDGE, []),
    ],
    rounds=[ROUND],
    draws=[KeptDraw(1, one, 0, "core", 0.25) for one in IDS[:1000]],
    scales=[KeptScale(0, 1.5), KeptScale(1, 0.1 + 0.2)],
)


def again(records: list[ScheduleRecord]) -> RecordedSchedule:
    """Read a schedule from records."""
    return RecordedSchedule.of_records(records, "the topic")


def test_records_give_the_schedule_again() -> None:
    """Records and lines give the schedule back, each fit for a broker and with a key of its own."""
    records = list(SCHEDULE.records())
    assert SCHEDULE == again(records)
    lines = list(SCHEDULE.lines())
    assert SCHEDULE == RecordedSchedule.of_lines(lines, "file")
    assert max(map(len, lines)) < 200_000
    assert len(records) == len(set(map(key_of, records)))
    assert {0, 1} == set(map(partition_of, records))
    assert records == [decode_record(line) for line in lines]


def test_positions_that_are_written_again_are_the_same_positions() -> None:
    """A worker that takes over cuts other blocks from its commit on, of the same positions."""
    cut = [
        *accepted_blocks(SCHEDULE.accepted[:700]),
        *accepted_blocks(SCHEDULE.accepted[500:1300]),
        *accepted_blocks(SCHEDULE.accepted[500:]),
    ]
    assert SCHEDULE == again([*SCHEDULE.records(), *cut])
    assert SCHEDULE.digest == again([*cut, *SCHEDULE.records()]).digest


def test_a_turn_that_is_cut_takes_the_place_of_the_longer_one() -> None:
    """Parts of the longer turn that are still in the topic do not count."""
    for left in (0, 1, 1000, 1500):
        shorter = SCHEDULE.turns[1]._replace(samples=IDS[:left])
        found = again([*SCHEDULE.records(), *turn_blocks(shorter)])
        assert [shorter] == [one for one in found.turns if one.number == 1 and one.partition == 0]


def test_partitions_may_come_in_any_mixture() -> None:
    """Positions of several partitions may be mixed, as a scoring worker sends them."""
    mixed = sorted(SCHEDULE.accepted, key=lambda one: (one.position, one.partition))
    rest = [one for one in SCHEDULE.records() if not isinstance(one, AcceptedBlock)]
    assert SCHEDULE == again([*accepted_blocks(mixed), *rest])


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("accepted/0/1000", "lacks position 1000 of partition 0"),
        ("turn/1/0/0", "lacks turn 0 of partition 1"),
        ("turn/0/1/1000", "lacks a part of turn 0/1"),
        ("turn/0/1/0", "lacks a part of turn 0/1"),
        ("draw/1/0", ""),
    ],
)
def test_a_record_that_is_missing_is_missed(key: str, told: str) -> None:
    """A missing position, turn or part is an error; a draw that is missing whole is not noticed."""
    records = [one for one in SCHEDULE.records() if key_of(one) != key]
    if told:
        with pytest.raises(LogError, match=f"the topic {told}; `mainstem stream schedule`"):
            again(records)
    else:
        assert msgspec.structs.replace(SCHEDULE, draws=[]) == again(records)
