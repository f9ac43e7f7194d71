"""A replay follows event time at the speed that was asked for, and says how it goes."""

from pathlib import Path

from mainstem.kafka import Broker
from tests.streams.replayed import replay, write_log


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
