"""The sink writes the contents of its topics once, and a crash at any point loses nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mainstem.events import encode
from mainstem.join import digest_of
from mainstem.store import Store
from mainstem.store.ledgers import newest_ledger
from mainstem.streams.sink import Sink
from mainstem.trusted.trust import Confirmed, part_of
from tests.join.shop import view
from tests.streams.sinking import (
    SETTINGS,
    Batch,
    FakeRecord,
    contents,
    item,
    items_batch,
    joined_batch,
    sink_of,
)


class DeadError(Exception):
    """Stands for the death of the program."""


class CrashingStore:
    """A history whose nth write kills the program, either before or after it takes effect."""

    def __init__(self, store: Store, writes: int, *, after: bool) -> None:
        self._store, self._left, self._after = store, writes, after

    def rows(self, *arguments: Any, **named: Any) -> Any:
        """Ask the history."""
        return self._store.rows(*arguments, **named)

    def write(self, table: str, columns: Any) -> None:
        """Write to the history or kill the program."""
        self._left -= 1
        if self._left == 0 and not self._after:
            raise DeadError
        self._store.write(table, columns)
        if self._left == 0:
            raise DeadError


def test_what_was_sent_is_in_the_history(store: Store) -> None:
    """Samples with their place, rejections and ledger rows are stored as they were sent."""
    batch, samples, rejections, [row] = joined_batch()
    sink, _ = sink_of(store)
    sink.write(batch)
    expected = sorted(
        (sample.sample_id, sample.label_version, digest_of(sample)) for sample in samples
    )
    found = store.rows(
        "SELECT sample_id, label_version, digest FROM samples FINAL "
        "ORDER BY toString(sample_id), label_version"
    )
    assert expected == sorted(
        (sample_id, version, _text(digest)) for sample_id, version, digest in found
    )
    offsets = {record.offset for topic, record in batch if topic == "samples"}
    assert offsets == {offset for (offset,) in store.rows("SELECT offset FROM samples")}
    assert sorted(rejection.offset for rejection in rejections) == [
        offset for (offset,) in store.rows("SELECT offset FROM rejected ORDER BY offset")
    ]
    assert [row] == newest_ledger(store)
    assert (len(samples), len(rejections), 1) == (
        sink.rows["samples"],
        sink.rows["rejected"],
        sink.rows["ledger"],
    )


def test_a_batch_written_twice_is_the_same_as_once(store: Store) -> None:
    """A batch written twice, by one sink or by two, is stored once."""
    batch = [*joined_batch()[0], *items_batch(item("a"), b"bad", item("b"))]
    sink, _ = sink_of(store)
    sink.write(batch)
    once = contents(store)
    assert all(once.values())
    sink.write(batch)
    again, _ = sink_of(store)
    again.write(batch)
    assert once == contents(store)


def test_trusted_parts_are_those_of_the_settings(store: Store) -> None:
    """Each sample of a trusted slice is in its part, and no other sample is in any part."""
    batch, samples, *_ = joined_batch()
    sink_of(store)[0].write(batch)
    parts = {sample.sample_id: part_of(SETTINGS, sample.question_id) for sample in samples}
    assert {"stream", "direction", "canary", "gate"} == set(parts.values())
    expected = {
        (sample_id, part, "assumed") for sample_id, part in parts.items() if part != "stream"
    }
    assert expected == set(store.rows("SELECT sample_id, part, origin FROM trusted FINAL"))


def test_trusted_samples_of_somebodys_own_replace_the_slices(store: Store) -> None:
    """A trusted sample of the user replaces the assumed slices and is stored with its label."""
    batch, samples, *_ = joined_batch()
    sink, _ = sink_of(store)
    own = Confirmed(sample_id=samples[0].sample_id, part="canary", label=0, origin="confirmed")
    sink.trust([own])
    sink.write(batch)
    assert [(own.sample_id, "canary", "confirmed", 0)] == store.rows(
        "SELECT sample_id, part, origin, label FROM trusted FINAL"
    )


def test_an_empty_batch_writes_nothing(store: Store) -> None:
    """An empty batch writes nothing."""
    sink_of(store)[0].write([])
    assert [] == [row for rows in contents(store).values() for row in rows]


def test_what_somebody_else_wrote_into_our_topics_is_rejected(store: Store) -> None:
    """Foreign records in our topics are rejected with their place, and the rest is written."""
    batch, samples, rejections, _ = joined_batch()
    sink, _ = sink_of(store)
    values = [None, b"", b"junk", b"{}", b"[1]", b"\xff", b'"text"']
    topics = ("samples", "rejected", "ledger")
    junk = [
        (topic, FakeRecord(0, 900 + place, value))
        for topic in topics
        for place, value in enumerate(values)
    ]
    sink.write([*junk, *batch])
    found = store.rows(
        "SELECT topic, offset, reason FROM rejected FINAL "
        "WHERE offset >= 900 ORDER BY topic, offset"
    )
    assert sorted((topic, record.offset) for topic, record in junk) == [
        (topic, offset) for topic, offset, _ in found
    ]
    assert all(reason.startswith(f"no record of topic `{topic}`: ") for topic, _, reason in found)
    assert [(len({sample.sample_id for sample in samples}),)] == store.rows(
        "SELECT uniqExact(sample_id) FROM samples"
    )
    assert [(len(rejections) + len(junk),)] == store.rows("SELECT count() FROM rejected FINAL")


def batches() -> list[Batch]:
    """Return three batches that together write to every table."""
    joined = joined_batch()[0]
    some = len(joined) // 2
    return [
        [*joined[:some], *items_batch(item("a"), b"bad")],
        items_batch(item("b"), None, encode(view("v", 1)), first=2),
        [*joined[some:], *items_batch(item("c"), item("a", 5), first=5)],
    ]


def run(sink: Sink, some: Sequence[Batch], since: int) -> None:
    """Write batches, and of `items` only records after the offset that the sink sought."""
    for batch in some:
        sink.write(
            [
                (topic, record)
                for topic, record in batch
                if topic != "items" or record.offset >= since
            ]
        )


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
def test_a_crash_at_any_write_changes_nothing(
    tmp_path: Path,
    after: bool,
) -> None:
    """After a crash at any write the next sink ends with the same history."""
    with Store(f"chdb://{tmp_path}/whole") as store:
        run(sink_of(store)[0], batches(), 0)
        expected = contents(store)
    crashes = 0
    for number in range(1, 100):
        with Store(f"chdb://{tmp_path}/{number}") as store:
            try:
                run(sink_of(CrashingStore(store, number, after=after))[0], batches(), 0)
            except DeadError:
                crashes += 1
            else:
                break
            sink, intake = sink_of(store)
            run(sink, batches(), intake.sought["items", 0])
            assert expected == contents(store)
    assert crashes >= 12


def _text(content: Any) -> str:
    return content.decode() if isinstance(content, bytes) else str(content)
