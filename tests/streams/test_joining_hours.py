"""A join worker publishes the hours that a plain joiner closes, before the samples after them."""

import asyncio
import random
from pathlib import Path

import pytest

from mainstem.behaviour import HOUR
from mainstem.events import encode
from mainstem.kafka.hours import HourClosed, decode_hour
from tests.join.shop import click, view
from tests.streams.driving import PARTITIONS, bench, check_all, finish, run_whole
from tests.streams.fakes import Bench, Log, plainly, shop_log


class DeadError(Exception):
    """Stands for the death of the program."""


def busy(seed: int) -> Log:
    """Return a log that spans several hours in each partition."""
    return shop_log(random.Random(seed), PARTITIONS, 120, jump=HOUR)


def counted(at: Bench) -> list[int]:
    """Return the numbers of the records of topic `counts` among all records sent, from 1."""
    return [place for place, (topic, *_) in enumerate(at.send.records, 1) if topic == "counts"]


def test_hours_are_published_whole_and_in_order(tmp_path: Path) -> None:
    """Each partition publishes the hours of a plain joiner, with its own number as the key."""
    at = bench(tmp_path, busy(1))
    asyncio.run(run_whole(at))
    check_all(at)
    for partition in at.log.values:
        expected = plainly(at.log, partition).hours
        assert len(expected) > 4
        assert sum(len(hour.counts) for hour in expected) > 50
        keys = {
            key for topic, key, _, to in at.send.records if (topic, to) == ("counts", partition)
        }
        assert {str(partition).encode()} == keys
        assert len(expected) == at.worker.published[partition]


def test_hours_are_sent_before_the_samples_of_their_batch(tmp_path: Path) -> None:
    """Whoever reads a sample finds the hours before it in topic `counts`."""
    at = bench(tmp_path, busy(2))

    async def run() -> None:
        at.worker.own([0])
        await at.worker.take({0: at.log.delivered(0, 0, at.log.end(0))})

    asyncio.run(run())
    topics = [topic for topic, *_ in at.send.records]
    last = max(place for place, topic in enumerate(topics) if topic == "counts")
    assert last < topics.index("samples")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 1.0])
def test_a_kill_between_an_hour_and_the_snapshot_counts_nothing_twice(
    tmp_path: Path, share: float
) -> None:
    """A worker killed after it published part of an hour is followed by one that publishes it."""
    whole = bench(tmp_path / "whole", busy(3))
    asyncio.run(run_whole(whole, size=15))
    places = counted(whole)
    last = places[int(share * (len(places) - 1))]
    at = bench(tmp_path / "killed", busy(3))

    def die(sent: int) -> None:
        if sent == last:
            raise DeadError

    at.send.interrupt = die
    with pytest.raises(DeadError):
        asyncio.run(run_whole(at, size=15))
    at.worker._files.shutdown()  # a snapshot may still be being written
    after = bench(tmp_path / "killed", at.log)
    asyncio.run(finish(after))
    at.send.records[:] = [*at.send.records, *after.send.records]
    check_all(at)


@pytest.mark.parametrize("seed", range(4))
def test_hours_of_two_owners_count_once(tmp_path: Path, seed: int) -> None:
    """Two workers that both own all partitions for a while publish every hour twice."""
    chance, log = random.Random(seed), busy(seed)
    both = [bench(tmp_path / name, log) for name in ("one", "two")]
    for at in both:
        asyncio.run(run_whole(at, size=chance.randrange(5, 40)))
    left = [list(at.send.records) for at in both]
    mixed = []
    while any(left):
        mixed.append(chance.choice([owner for owner in left if owner]).pop(0))
    both[0].send.records[:] = mixed
    check_all(both[0])


def test_a_late_event_is_told_in_the_next_closing_record(tmp_path: Path) -> None:
    """An event whose hour is closed is in no row; the next closing record counts it."""
    lines = [encode(view("e1", 5, "cup")), encode(view("e2", 2 * HOUR, "cup"))]
    late = [encode(click("e3", 7, "cup")), encode(view("e4", 5 * HOUR, "cup"))]
    at = bench(tmp_path, Log({0: [*lines, *late]}))
    asyncio.run(run_whole(at))
    check_all(at)
    messages = [decode_hour(value) for topic, _, value, _ in at.send.records if topic == "counts"]
    closing = [one for one in messages if isinstance(one, HourClosed)]
    assert [(0, 0), (1, 1)] == [(one.first, one.uncounted) for one in closing][:2]
    assert 1 == sum(one.uncounted for one in closing)
    assert 2 == sum(
        row.shown for hour in at.send.hours(0) for row in hour.counts if row.kind == "item"
    )
