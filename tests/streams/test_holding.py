"""The partition that holds the others up is named."""

from mainstem.behaviour import HOUR
from mainstem.streams.holding import Holding


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_partition_that_holds_the_others_up_is_named_now_and_then() -> None:
    """A partition that closes nothing for five minutes while others are ahead is named."""
    clock = Clock()
    holding = Holding(3, clock)
    told = []
    for minute in range(13):
        clock.now = 1000.0 + 60 * minute
        told.append(holding.look({0: 400_000 + minute, 1: 400_000, 2: 400_000 + minute}))
    assert [5, 10] == [minute for minute, text in enumerate(told) if text]
    until = "2015-08-19T17:00Z"
    assert f"partition 1 holds the others up: its counts are closed up to {until}" in told[5]
    assert {0: 400_013 * HOUR, 1: 400_001 * HOUR, 2: 400_013 * HOUR} == holding.closed_until


def test_a_partition_without_any_hour_holds_the_others_up() -> None:
    """A partition that has closed nothing is named."""
    clock = Clock()
    holding = Holding(2, clock)
    holding.look({0: 5})
    clock.now += 301
    assert "partition 1 holds the others up: its counts are closed up to nothing yet" in (
        holding.look({0: 6})
    )


def test_partitions_that_stand_together_hold_nobody_up() -> None:
    """Nothing is told while all partitions stand at the same hour, or while they move."""
    clock = Clock()
    holding = Holding(2, clock)
    assert holding.is_due
    for minute in range(20):
        clock.now += 60
        assert "" == holding.look({0: 7 + minute, 1: 5 + minute})
    for _ in range(20):
        clock.now += 60
        assert "" == holding.look({0: 50, 1: 50})
    assert not holding.is_due
