"""A log gets into Kafka once, in order, each line where it belongs; a replay that was killed goes on where it stopped."""

import gzip
import os
import random
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from mainstem.errors import BrokerError
from mainstem.events import Item, Refusal, Tick, decode, encode
from mainstem.ids import number_of
from mainstem.kafka import Broker
from mainstem.streams.replaying import Replay
from mainstem.streams.topics import make_topics
from tests.join.shop import click, short, view
from tests.kafka.topic import delete_before, produce, read_all

PARTITIONS = 3
SETTINGS = short(partitions=PARTITIONS)
BAD = b'{"type":"view","event_id":"b","user_id":"ann","event_timestamp":5,"item_id":7}'
USERS = ("ann", "ben", "cy", "dörte", "😀", "user 6", "7")


class Clock:
    """A time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let it pass."""
        self.slept.append(seconds)
        self.now += seconds


def write_log(path: Path, size: int = 300, seed: int = 0) -> Path:
    """Events of shoppers a second apart, items among them, bad lines of both kinds, and one tick."""
    chance = random.Random(seed)
    lines = [encode(Item(event_id="i", event_timestamp=0, item_id="cup", title=f"cup {seed}"))]
    for number in range(size):
        time, user = 1000 * number, chance.choice(USERS)
        event = chance.choice([view, click])(f"e{number}", time, "cup")
        lines.append(encode(type(event)(event_id=f"e{number}", event_timestamp=time, user_id=user, item_id="cup")))
        if number % 50 == 7:
            lines += [encode(Item(event_id=f"i{number}", event_timestamp=time, item_id=f"pot {number}", title="pot")), BAD]
            lines += [b"bad %d" % number, b'{"type":"item","event_id":"x%d"}' % number]
        if number == size // 2:
            lines.append(encode(Tick(event_timestamp=time)))
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def replay(broker: Broker, log: Path, **more: Any) -> Replay:
    """A replay as fast as it goes, with a final tick."""
    options = {"speed": None, "tick": True, "say": lambda text: None, **more}  # noqa: ARG005
    return Replay(broker, log, SETTINGS, **options)


@pytest.fixture
def broker(events_url: str) -> Broker:
    """A broker with empty topics of its own."""
    made = Broker.parse(events_url)
    make_topics(made, SETTINGS)
    return made


class Cluster:
    """What kafka-python's partitioner asks of a cluster."""

    def topics(self) -> set[str]:
        """All topics."""
        return {"events"}

    def partitions_for_topic(self, _: str) -> set[int]:
        """All partitions."""
        return set(range(PARTITIONS))

    available_partitions_for_topic = partitions_for_topic


def expected_of(log: Path, *, tick: bool = True) -> tuple[list[bytes], dict[int, list[bytes]]]:
    """What `items` and each partition of `events` must hold, by kafka-python's own partitioner."""
    from kafka.partitioner.default import DefaultPartitioner

    default, items = DefaultPartitioner(), list[bytes]()
    events: dict[int, list[bytes]] = {partition: [] for partition in range(PARTITIONS)}
    newest = -1
    for line in log.read_bytes().splitlines():
        event = decode(line)
        if b'"type":"item"' in line:
            items.append(line)
            continue
        newest = max(newest, getattr(event, "event_timestamp", -1))
        if isinstance(event, Tick):
            places = list(range(PARTITIONS))
        elif isinstance(event, Refusal):
            places = [number_of("events", event.digest) % PARTITIONS]
        else:
            places = [default.partition("events", None, event.user_id.encode(), None, None, Cluster())]
        for place in places:
            events[place].append(line)
    if tick:
        end = encode(Tick(event_timestamp=newest + SETTINGS.label_window + SETTINGS.grace + 1))
        events = {partition: [*lines, end] for partition, lines in events.items()}
    return items, events


@pytest.mark.parametrize("tick", [True, False])
def test_every_line_is_where_it_belongs(broker: Broker, tmp_path: Path, tick: bool) -> None:  # noqa: FBT001
    """Keys where Kafka's own partitioner puts them, refused lines where their digest says, ticks everywhere, in order."""
    log = write_log(tmp_path / "log.jsonl")
    replaying = replay(broker, log, tick=tick)
    items, events = expected_of(log, tick=tick)
    assert sum(map(len, events.values())) + len(items) == replaying.run()
    assert {0: items} == read_all(broker, "items")
    assert events == read_all(broker, "events")
    assert all(len(set(lines)) > 20 for lines in events.values())


def test_a_second_run_sends_nothing(broker: Broker, tmp_path: Path) -> None:
    """A log that is there to its end is left as it is, and it says so."""
    log, said = write_log(tmp_path / "log.jsonl", 20), list[str]()
    replay(broker, log).run()
    before = read_all(broker, "events")
    assert 0 == replay(broker, log, say=said.append).run()
    assert before == read_all(broker, "events")
    assert said[0].startswith("goes on after line ")


def test_a_log_that_grew_goes_on(broker: Broker, tmp_path: Path) -> None:
    """Without a final tick, what was added is sent and nothing else."""
    whole = write_log(tmp_path / "whole.jsonl", 60).read_bytes().splitlines(keepends=True)
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"".join(whole[:25]))
    sent = replay(broker, log, tick=False).run()
    log.write_bytes(b"".join(whole))
    items, events = expected_of(log)
    # subtle: items come first, so one that is told later than others were sent may follow them only in a longer log
    assert sum(map(len, events.values())) + len(items) == sent + replay(broker, log).run()
    assert ({0: items}, events) == (read_all(broker, "items"), read_all(broker, "events"))


def test_items_are_sent_before_events(broker: Broker, tmp_path: Path) -> None:
    """Whatever comes first in the log: no event is sent before the last item."""
    records = list(replay(broker, write_log(tmp_path / "log.jsonl", 60))._records(PARTITIONS))
    topics = [topic for topic, *_ in records]
    assert sorted(topics, reverse=True) == topics
    assert {"items", "events"} == set(topics)


KILLED = """
    import os, sys, time
    from pathlib import Path
    from mainstem.kafka import Broker
    from mainstem.streams.replaying import Replay
    from tests.join.shop import short
    left = int(sys.argv[3])

    def clock():  # asked once a record
        global left
        left -= 1
        if left == 0:
            os._exit(9)
        time.sleep(0.001)
        return time.monotonic()

    settings = short(partitions=3)
    Replay(Broker.parse(sys.argv[1]), Path(sys.argv[2]), settings, speed=None, tick=True, say=print, clock=clock).run()
"""


@pytest.mark.parametrize("seed", [0, 1])
def test_a_replay_killed_at_random_places_goes_on(broker: Broker, tmp_path: Path, seed: int) -> None:
    """Killed several times, each time somewhere else, it comes to the records of an uninterrupted one, in order."""
    log, chance = write_log(tmp_path / "log.jsonl"), random.Random(seed)
    url = f"kafka://{broker.servers[0]}/{broker.prefix}"
    lengths = []
    for _ in range(4):
        command = [sys.executable, "-c", textwrap.dedent(KILLED), url, log, str(chance.randrange(30, 130))]
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": "."}, capture_output=True, text=True, check=False)
        assert 9 == done.returncode, done.stderr
        lengths.append(sum(len(lines) for topic in ("items", "events") for lines in read_all(broker, topic).values()))
    items, events = expected_of(log)
    whole = len(items) + sum(map(len, events.values()))
    assert sorted(lengths) == lengths
    assert 0 < lengths[-1] < whole
    assert whole - lengths[-1] == replay(broker, log).run()
    assert ({0: items}, events) == (read_all(broker, "items"), read_all(broker, "events"))


def test_a_topic_with_other_records_is_refused(broker: Broker, tmp_path: Path) -> None:
    """Nothing is put behind what is not of this log, whether another log was replayed or somebody else wrote."""
    replay(broker, write_log(tmp_path / "log.jsonl", 20)).run()
    other = write_log(tmp_path / "other.jsonl", 20, seed=1)
    before = read_all(broker, "items"), read_all(broker, "events")
    with pytest.raises(BrokerError, match=r"holds records that are not of 'other.jsonl'; .* another prefix"):
        replay(broker, other).run()
    assert before == (read_all(broker, "items"), read_all(broker, "events"))


def test_a_topic_into_which_somebody_writes_is_refused(broker: Broker, tmp_path: Path) -> None:
    """A record without our headers at an end is somebody else's; the partition is named."""
    produce(broker, broker.topic("events"), [b"theirs"], 1)
    with pytest.raises(BrokerError, match=r"events' partition 1 holds records"):
        replay(broker, write_log(tmp_path / "log.jsonl", 20)).run()
    assert {0: []} == read_all(broker, "items")


def test_a_topic_of_which_all_was_deleted_is_refused(broker: Broker, tmp_path: Path) -> None:
    """What was sent cannot be known any more, so nothing is sent twice."""
    log = write_log(tmp_path / "log.jsonl", 20)
    replay(broker, log).run()
    delete_before(broker, broker.topic("events"), len(read_all(broker, "events")[0]))
    with pytest.raises(BrokerError, match=r"events' partition 0"):
        replay(broker, log).run()


def test_without_topics_it_says_how_to_make_them(events_url: str, tmp_path: Path) -> None:
    """Nothing is made by the way."""
    with pytest.raises(BrokerError, match="`mainstem topics`"):
        replay(Broker.parse(events_url), write_log(tmp_path / "log.jsonl", 20)).run()


def test_a_speed_follows_event_time(broker: Broker, tmp_path: Path) -> None:
    """At 100x, events a second apart are a hundredth of a second apart; items do not wait."""
    log, clock = write_log(tmp_path / "log.jsonl", 100), Clock()
    replay(broker, log, speed=100.0, clock=clock, sleep=clock.sleep).run()
    assert [0.01] * 99 == [round(seconds, 6) for seconds in clock.slept]
    assert 0.99 == round(clock.now - 1000, 6)


def test_a_slow_broker_is_not_waited_for_twice(broker: Broker, tmp_path: Path) -> None:
    """Who is late does not sleep until the events have caught up with the clock."""
    log, clock = write_log(tmp_path / "log.jsonl", 100), Clock()
    pace = replay(broker, log, speed=100.0, clock=clock, sleep=clock.sleep)._pace()
    pace(0)
    clock.now += 0.5
    for time in (10_000, 49_000, 51_000):
        pace(time)
    assert [0.01] == [round(seconds, 6) for seconds in clock.slept]


def test_a_resumed_replay_paces_only_what_is_left(broker: Broker, tmp_path: Path) -> None:
    """What was sent before is not waited for again."""
    whole = write_log(tmp_path / "whole.jsonl", 100).read_bytes().splitlines(keepends=True)
    log, clock = tmp_path / "log.jsonl", Clock()
    at = next(place for place, line in enumerate(whole) if b'"e80"' in line)
    log.write_bytes(b"".join(whole[:at]))
    replay(broker, log, tick=False).run()
    log.write_bytes(b"".join(whole))
    replay(broker, log, speed=100.0, clock=clock, sleep=clock.sleep).run()
    assert 0.19 == round(clock.now - 1000, 6)


def test_it_says_now_and_then_how_it_goes(broker: Broker, tmp_path: Path) -> None:
    """Every two seconds of a paced replay, with the line it is at."""
    said, clock = list[str](), Clock()
    replay(broker, write_log(tmp_path / "log.jsonl", 100), speed=10.0, clock=clock, sleep=clock.sleep, say=said.append).run()
    assert 4 == len(said)
    assert all("records" in text and "line" in text for text in said)


def test_another_log_that_begins_alike_is_refused(broker: Broker, tmp_path: Path) -> None:
    """Two logs may begin with the same item; what was sent of one is not taken for the other, packed or not."""
    log, other = write_log(tmp_path / "log.jsonl", 20), tmp_path / "other.jsonl"
    replay(broker, log, tick=False).run()
    lines = log.read_bytes().splitlines(keepends=True)
    for wrong in (lines[:3] + lines[4:], lines[:10], [lines[0], *lines[:0:-1]]):
        other.write_bytes(b"".join(wrong))
        with pytest.raises(BrokerError, match=r"holds records that are not of 'other.jsonl'"):
            replay(broker, other).run()
        with pytest.raises(BrokerError, match=r"other.jsonl' is not the next file"):
            replay(broker, other, append=True).run()
    other.write_bytes(gzip.compress(log.read_bytes()))
    assert 0 == replay(broker, other, tick=False).run()


def test_a_half_written_last_line_waits_until_it_is_whole(broker: Broker, tmp_path: Path) -> None:
    """Without a final tick the log may still be written to."""
    log, said = write_log(tmp_path / "log.jsonl", 30), list[str]()
    whole = log.read_bytes()
    log.write_bytes(whole[:-20])
    replay(broker, log, tick=False, say=said.append).run()
    log.write_bytes(whole)
    replay(broker, log).run()
    assert "is no event yet" in said[0]
    items, events = expected_of(log)
    assert ({0: items}, events) == (read_all(broker, "items"), read_all(broker, "events"))


def test_a_log_that_grew_behind_its_final_tick_is_refused(broker: Broker, tmp_path: Path) -> None:
    """Its windows are closed; not even its first new line is passed over without a word."""
    log = write_log(tmp_path / "log.jsonl", 20)
    replay(broker, log).run()
    with log.open("ab") as file:
        file.write(encode(view("e99", 99_000, "cup")) + b"\n")
    with pytest.raises(BrokerError, match=r"a final tick has closed every window.*--no-tick"):
        replay(broker, log).run()


def test_the_next_file_of_a_rotated_log_follows(broker: Broker, tmp_path: Path) -> None:
    """Sent with --append, two files lie there as one; the second may be resumed and grow, an older one is refused."""
    whole = write_log(tmp_path / "log.jsonl", 200)
    lines = whole.read_bytes().splitlines(keepends=True)
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"".join(lines[:100]))
    two.write_bytes(b"".join(lines[100:150]))
    replay(broker, one, tick=False).run()
    with pytest.raises(BrokerError, match="--append"):
        replay(broker, two, tick=False).run()
    replay(broker, two, tick=False, append=True).run()
    with pytest.raises(BrokerError, match="is not the next file"):
        replay(broker, one, append=True).run()
    two.write_bytes(b"".join(lines[100:]))
    replay(broker, two, append=True).run()
    items, events = expected_of(whole)
    assert ({0: items}, events) == (read_all(broker, "items"), read_all(broker, "events"))
    assert 0 == replay(broker, whole).run()
