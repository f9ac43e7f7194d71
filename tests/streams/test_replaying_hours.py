"""A replay ticks every partition at the end of each hour, once, however often it is interrupted."""

from pathlib import Path

import pytest

from mainstem.behaviour import HOUR
from mainstem.events import Tick, decode, encode
from mainstem.kafka import Broker
from tests.kafka.topic import produce, read_all
from tests.streams.replayed import PARTITIONS, SETTINGS, expected_of, replay, write_log

STEP = 700_000  # about five events an hour


class StoppedError(Exception):
    """Stands for the death of the program."""


def hours_of(lines: list[bytes]) -> list[int]:
    """Return the hours that the ticks of a partition end."""
    ticks = [event for event in map(decode, lines) if isinstance(event, Tick)]
    ends = [tick.event_timestamp - SETTINGS.join.grace for tick in ticks]
    return [end // HOUR for end in ends if end % HOUR == 0]


def test_every_partition_is_ticked_when_an_hour_ends(broker: Broker, tmp_path: Path) -> None:
    """Each partition gets one tick for each hour, before the first event of the next hour."""
    log = write_log(tmp_path / "log.jsonl", 60, step=STEP)
    replay(broker, log).run()
    found = read_all(broker, "events")
    assert [list(range(12))] * PARTITIONS == [hours_of(found[place]) for place in range(3)]
    assert expected_of(log)[1] == found


def test_an_interrupted_replay_leaves_out_and_repeats_no_tick(
    broker: Broker, tmp_path: Path
) -> None:
    """Wherever a replay stops, and whatever workers tick then, the log's records are whole."""
    log = write_log(tmp_path / "log.jsonl", 60, step=STEP)
    items, events = expected_of(log)
    idle = encode(Tick(event_timestamp=1))
    for place in range(PARTITIONS):  # partitions that were idle before the replay began
        produce(broker, broker.topic("events"), [idle], place)
    for stop in (9, 20, 2, 21, 13):
        left = iter(range(stop))

        def clock(left: object = left) -> float:  # asked once a record
            if next(left, None) is None:
                raise StoppedError
            return 0.0

        with pytest.raises(StoppedError):
            replay(broker, log, clock=clock).run()
        for place in range(PARTITIONS):
            produce(broker, broker.topic("events"), [idle] * 5, place)
    replay(broker, log).run()
    found = {
        place: [line for line in lines if line != idle]
        for place, lines in read_all(broker, "events").items()
    }
    assert (events, {0: items}) == (found, read_all(broker, "items"))
