"""A replay sends each line of a log into Kafka once and in order, and resumes after a kill."""

import os
import random
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mainstem.errors import BrokerError
from mainstem.kafka import Broker
from tests.kafka.topic import read_all
from tests.streams.replayed import PARTITIONS, expected_of, replay, write_log


@pytest.mark.parametrize("tick", [True, False])
def test_every_line_is_where_it_belongs(
    broker: Broker,
    tmp_path: Path,
    tick: bool,
) -> None:
    """Lines go to partitions by key, refused lines by digest, and ticks to all, each in order."""
    log = write_log(tmp_path / "log.jsonl")
    replaying = replay(broker, log, tick=tick)
    items, events = expected_of(log, tick=tick)
    assert sum(map(len, events.values())) + len(items) == replaying.run()
    assert {0: items} == read_all(broker, "items")
    assert events == read_all(broker, "events")
    assert all(len(set(lines)) > 20 for lines in events.values())


def test_a_second_run_sends_nothing(broker: Broker, tmp_path: Path) -> None:
    """A second replay of a complete log sends nothing and says so."""
    log, said = write_log(tmp_path / "log.jsonl", 20), list[str]()
    replay(broker, log).run()
    before = read_all(broker, "events")
    assert 0 == replay(broker, log, say=said.append).run()
    assert before == read_all(broker, "events")
    assert said[0].startswith("goes on after line ")


def test_a_log_that_grew_goes_on(broker: Broker, tmp_path: Path) -> None:
    """Without a final tick, a replay of a log that grew sends only the new lines."""
    whole = write_log(tmp_path / "whole.jsonl", 60).read_bytes().splitlines(keepends=True)
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"".join(whole[:25]))
    sent = replay(broker, log, tick=False).run()
    log.write_bytes(b"".join(whole))
    items, events = expected_of(log)
    # subtle: a replay sends items first. An item that comes after sent events can therefore
    # follow them only once the log has grown.
    assert sum(map(len, events.values())) + len(items) == sent + replay(broker, log).run()
    assert ({0: items}, events) == (read_all(broker, "items"), read_all(broker, "events"))


def test_a_half_written_last_line_waits_until_it_is_whole(broker: Broker, tmp_path: Path) -> None:
    """A half-written last line is sent once it is whole, if there is no final tick."""
    log, said = write_log(tmp_path / "log.jsonl", 30), list[str]()
    whole = log.read_bytes()
    log.write_bytes(whole[:-20])
    replay(broker, log, tick=False, say=said.append).run()
    log.write_bytes(whole)
    replay(broker, log).run()
    assert "is not an event yet" in said[0]
    items, events = expected_of(log)
    assert ({0: items}, events) == (read_all(broker, "items"), read_all(broker, "events"))


def test_items_are_sent_before_events(broker: Broker, tmp_path: Path) -> None:
    """Every item is sent before the first event, wherever it is in the log."""
    records = list(replay(broker, write_log(tmp_path / "log.jsonl", 60))._records(PARTITIONS))
    topics = [one.topic for one in records]
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
    Replay(
        Broker.parse(sys.argv[1]), Path(sys.argv[2]), settings.join,
        speed=None, tick=True, say=print, clock=clock,
    ).run()
"""


@pytest.mark.parametrize("seed", [0, 1])
def test_a_replay_killed_at_random_places_goes_on(
    broker: Broker, tmp_path: Path, seed: int
) -> None:
    """A replay killed several times at random places sends the records of an uninterrupted one."""
    log, chance = write_log(tmp_path / "log.jsonl"), random.Random(seed)
    url = f"kafka://{broker.servers[0]}/{broker.prefix}"
    lengths = []
    for _ in range(4):
        command = [
            sys.executable,
            "-c",
            textwrap.dedent(KILLED),
            url,
            log,
            str(chance.randrange(30, 130)),
        ]
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=False,
        )
        assert 9 == done.returncode, done.stderr
        lengths.append(
            sum(
                len(lines)
                for topic in ("items", "events")
                for lines in read_all(broker, topic).values()
            )
        )
    items, events = expected_of(log)
    whole = len(items) + sum(map(len, events.values()))
    assert sorted(lengths) == lengths
    assert 0 < lengths[-1] < whole
    assert whole - lengths[-1] == replay(broker, log).run()
    assert ({0: items}, events) == (read_all(broker, "items"), read_all(broker, "events"))


def test_without_topics_it_says_how_to_make_them(events_url: str, tmp_path: Path) -> None:
    """A replay without topics makes none and says how to make them."""
    with pytest.raises(BrokerError, match="`mainstem topics`"):
        replay(Broker.parse(events_url), write_log(tmp_path / "log.jsonl", 20)).run()
