"""The first complete publication of an hour counts, whatever else is in the topic."""

import random
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mainstem.behaviour import Hour
from mainstem.kafka.hours import decode_hour, encode_hour
from mainstem.store import Store
from mainstem.store.counts import counts_hash, write_hours
from mainstem.streams.hours import Hours
from tests.streams.sinking import Batch, FakeRecord, hour_of_counts, sink_of


def many(hour: int, **more: int) -> Hour:
    """Return an hour whose rows need three parts."""
    return hour_of_counts(hour, 5000, **more)


def records(*values: bytes) -> list[FakeRecord]:
    """Return records of partition 0 from offset 0 on."""
    return [FakeRecord(0, offset, value) for offset, value in enumerate(values)]


def reader(closed: int | None = None) -> Hours:
    """Return a reader of partition 0."""
    hours = Hours()
    hours.own(0, closed)
    return hours


def taken(hours: Hours, read: list[FakeRecord]) -> list[Hour]:
    """Return the hours that records complete."""
    made = [hours.take(record, decode_hour(record.value or b"")) for record in read]
    return [hour for hour in made if hour]


def test_an_hour_that_is_published_twice_counts_once() -> None:
    """A second publication of an hour is ignored, whether its rows are the same or others."""
    hours = reader()
    other = many(7, shown=2)
    values = [value for hour in (many(7), many(7), other, many(8)) for value in encode_hour(hour)]
    assert [many(7), many(8)] == taken(hours, records(*values))
    assert ({0: 2}, {0: 2}) == (hours.complete, hours.repeated)
    assert {0: 0} == hours.waiting


@pytest.mark.parametrize("seed", range(5))
def test_publications_of_two_owners_do_not_mix(seed: int) -> None:
    """Whatever the order of two owners' records, the hour of the one that ends first counts."""
    chance, owners = random.Random(seed), [many(7), many(7, shown=2)]
    left, values, ended = [encode_hour(hour) for hour in owners], list[bytes](), list[Hour]()
    while any(left):
        owner = chance.choice([owner for owner in (0, 1) if left[owner]])
        values.append(left[owner].pop(0))
        if not left[owner]:
            ended.append(owners[owner])
    assert ended[:1] == taken(reader(), records(*values))


def test_a_publication_that_was_cut_off_is_completed_by_the_next() -> None:
    """Parts of a killed worker count once the worker after it publishes the hour whole."""
    hours, whole = reader(), encode_hour(many(7))
    assert [] == taken(hours, records(*whole[:2]))
    assert {0: 1} == hours.waiting
    assert [many(7)] == taken(hours, records(*whole))
    assert {0: 0} == hours.waiting


def test_a_closing_record_without_all_parts_closes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A closing record whose parts are not all there is passed over with a warning."""
    hours, whole = reader(), encode_hour(many(7))
    assert [] == taken(hours, records(*whole[:1], whole[-1]))
    assert "only 1 of its 3 parts are there" in caplog.text
    assert [many(7)] == taken(hours, records(*whole))


def test_hours_that_no_record_closes_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """A gap between two hours, as after lost records, is told, and reading goes on."""
    hours = reader(closed=6)
    assert [many(9)] == taken(hours, records(*encode_hour(many(9))))
    assert "no record closes the hours from 7 to 8" in caplog.text


def test_what_is_open_is_not_committed() -> None:
    """The offset to commit stays before the first part of an hour that is not complete."""
    hours = reader()
    values = [*encode_hour(many(7)), *encode_hour(many(8))]
    begins = []
    for record in records(*values):
        taken(hours, [record])
        begins.append(hours.begins(0, record.offset + 1))
    assert [0, 0, 0, 4, 4, 4, 4, 8] == begins


def test_a_partition_that_was_given_up_completes_nothing() -> None:
    """Records of a partition that another reader owns by now are passed over."""
    hours = reader()
    hours.disown(0)
    assert [] == taken(hours, records(*encode_hour(many(7))))


def published(*hours: Hour) -> Batch:
    """Return the records of topic `counts` for some hours."""
    values = [value for hour in hours for value in encode_hour(hour)]
    return [("counts", record) for record in records(*values)]


def tables(store: Store) -> list[Any]:
    """Return the rows of both tables."""
    return [sorted(store.rows(f"SELECT * FROM {table} FINAL")) for table in ("counts", "hours")]


@pytest.mark.parametrize("cut", [1, 3, 4, 6])
def test_a_sink_that_is_killed_between_parts_loses_none(tmp_path: Path, cut: int) -> None:
    """A sink killed in the middle of an hour commits before it; the next reads the hour whole."""
    batch = published(many(7), many(8, uncounted=2))
    with Store(f"chdb://{tmp_path}/whole") as store:
        write_hours(store, [many(7), many(8, uncounted=2)])
        expected, hashed = tables(store), counts_hash(store)
    with Store(f"chdb://{tmp_path}/cut") as store:
        sink, _ = sink_of(store)
        sink.write(batch[:cut])
        commits = sink.commits
        begins = commits["counts", 0][0] if commits else cut
        assert begins == (cut // 4) * 4
        again, _ = sink_of(store)
        again.write(batch[begins:])
        assert expected == tables(store)
        assert hashed == counts_hash(store)
        assert again.commits is None


def test_a_sink_does_not_take_an_hour_that_the_history_has(store: Store) -> None:
    """After a restart, another publication of a closed hour changes nothing."""
    sink_of(store)[0].write(published(many(7)))
    before = tables(store)
    again, _ = sink_of(store)
    again.write(published(many(7, shown=3)))
    assert before == tables(store)
    assert {0: 1} == again.hours.repeated


def test_only_counts_are_held_back(store: Store) -> None:
    """While an hour is open, the other topics are committed up to their last record."""
    sink, _ = sink_of(store)
    numbers = count(40)
    junk = [("ledger", FakeRecord(0, next(numbers), b"junk")) for _ in range(2)]
    sink.write([*published(many(7))[:2], *junk])
    assert {("counts", 0): (0, ""), ("ledger", 0): (42, "")} == sink.commits
