"""A replay follows event time at the requested speed and reports its progress."""

from pathlib import Path

from mainstem.kafka import Broker
from tests.streams.replayed import replay, write_log


class Clock:
    """A clock that moves only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move the clock forward and record the sleep."""
        self.slept.append(seconds)
        self.now += seconds


def test_a_speed_follows_event_time(broker: Broker, tmp_path: Path) -> None:
    """At 100x, events a second apart take a hundredth of a second each, and items do not wait."""
    log, clock = write_log(tmp_path / "log.jsonl", 100), Clock()
    replay(broker, log, speed=100.0, clock=clock, sleep=clock.sleep).run()
    assert [0.01] * 99 == [round(seconds, 6) for seconds in clock.slept]
    assert 0.99 == round(clock.now - 1000, 6)


def test_a_slow_broker_is_not_waited_for_twice(broker: Broker, tmp_path: Path) -> None:
    """A late replay sleeps only after its events have caught up with the clock."""
    log, clock = write_log(tmp_path / "log.jsonl", 100), Clock()
    pace = replay(broker, log, speed=100.0, clock=clock, sleep=clock.sleep)._pace()
    pace(0)
    clock.now += 0.5
    for time in (10_000, 49_000, 51_000):
        pace(time)
    assert [0.01] == [round(seconds, 6) for seconds in clock.slept]


def test_a_resumed_replay_paces_only_what_is_left(broker: Broker, tmp_path: Path) -> None:
    """A resumed replay does not wait again for lines that were sent before."""
    whole = write_log(tmp_path / "whole.jsonl", 100).read_bytes().splitlines(keepends=True)
    log, clock = tmp_path / "log.jsonl", Clock()
    at = next(place for place, line in enumerate(whole) if b'"e80"' in line)
    log.write_bytes(b"".join(whole[:at]))
    replay(broker, log, tick=False).run()
    log.write_bytes(b"".join(whole))
    replay(broker, log, speed=100.0, clock=clock, sleep=clock.sleep).run()
    assert 0.19 == round(clock.now - 1000, 6)


def test_it_says_now_and_then_how_it_goes(broker: Broker, tmp_path: Path) -> None:
    """A paced replay reports its line every two seconds."""
    said, clock = list[str](), Clock()
    replay(
        broker,
        write_log(tmp_path / "log.jsonl", 100),
        speed=10.0,
        clock=clock,
        sleep=clock.sleep,
        say=said.append,
    ).run()
    assert 4 == len(said)
    assert all("records" in text and "line" in text for text in said)
