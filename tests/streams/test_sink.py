"""The sink writes what its topics hold; twice is the same as once, and a crash anywhere loses nothing."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mainstem.events import Item, encode
from mainstem.fingerprint import newest_ledger
from mainstem.join import LedgerRow, Rejection, Sample, digest_of, imbalance
from mainstem.kafka.messages import encode as encode_message
from mainstem.kafka.messages import questions_of
from mainstem.standing.trusted import Confirmed, part_of
from mainstem.store import Store
from mainstem.streams.sink import Sink
from tests.join.shop import KEY, short, view
from tests.streams.fakes import plainly, shop_log

SETTINGS = short(direction_share=0.3, canary_share=0.3, gate_share=0.2)
TABLES = ("samples", "trusted", "ledger", "rejected", "items")
Batch = list[tuple[str, Any]]


class DeadError(Exception):
    """The program is no more."""


class FakeRecord(NamedTuple):
    """A record as kafka-python gives it."""

    partition: int
    offset: int
    value: bytes | None


class FakeIntake:
    """Says where the group stands, and remembers where it was sent to."""

    def __init__(self, committed: int = 0) -> None:
        self.sought: dict[tuple[str, int], int] = {}
        self.read_to = 0
        self._committed = committed

    def committed(self, _: tuple[str, int]) -> int:
        """Where the group stands."""
        return self._committed

    def seek(self, place: tuple[str, int], offset: int) -> None:
        """Go on elsewhere."""
        self.sought[place] = offset

    def position(self, _: tuple[str, int]) -> int:
        """How far it was read."""
        return self.read_to


class CrashingStore:
    """A history before which the program dies at the nth write, either just before or just after it."""

    def __init__(self, store: Store, writes: int, *, after: bool) -> None:
        self._store, self._left, self._after = store, writes, after

    def rows(self, *arguments: Any, **named: Any) -> Any:
        """Ask it."""
        return self._store.rows(*arguments, **named)

    def write(self, table: str, columns: Any) -> None:
        """Write, or die."""
        self._left -= 1
        if self._left == 0 and not self._after:
            raise DeadError
        self._store.write(table, columns)
        if self._left == 0:
            raise DeadError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty history."""
    with Store(f"chdb://{tmp_path}/history") as opened:
        yield opened


def sink_of(store: Any, committed: int = 0) -> tuple[Sink, FakeIntake]:
    """A sink to which partition 0 of every topic was given."""
    sink, intake = Sink(store, SETTINGS, KEY), FakeIntake(committed)
    sink.assigned([(topic, 0) for topic in ("items", "ledger", "rejected", "samples")], intake)
    return sink, intake


def joined_batch(seed: int = 0) -> tuple[Batch, list[Sample], list[Rejection], list[LedgerRow]]:
    """What a worker sends of a small log, as records."""
    joined = plainly(shop_log(random.Random(seed), 1, 120), 0)
    values = [("samples", encode_message(samples)) for _, samples in questions_of(joined.samples)]
    values += [("rejected", encode_message(rejection)) for rejection in joined.rejections]
    values += [("ledger", encode_message(joined.row))]
    batch = [(topic, FakeRecord(0, offset, value)) for offset, (topic, value) in enumerate(values)]
    return batch, joined.samples, joined.rejections, [joined.row]


def item(name: str, time: int = 0) -> bytes:
    """An item on the wire."""
    return encode(Item(event_id=f"i-{name}", event_timestamp=time, item_id=name, title=name))


def items_batch(*values: bytes | None, first: int = 0) -> Batch:
    """Records of topic `items`; None where an offset holds no record."""
    return [("items", FakeRecord(0, first + place, value)) for place, value in enumerate(values) if value is not None]


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """All that the history holds, of every table."""
    return {table: sorted(store.rows(f"SELECT * FROM {table} FINAL"), key=repr) for table in TABLES}


def ledger_of_items(store: Store) -> LedgerRow:
    """The newest row of partition 0 of topic `items`."""
    [row] = [row for row in newest_ledger(store) if row.topic == "items"]
    return row


def test_what_was_sent_is_in_the_history(store: Store) -> None:
    """Samples with their place, refused events and the ledger are written as they were sent."""
    batch, samples, rejections, [row] = joined_batch()
    sink, _ = sink_of(store)
    sink.write(batch)
    expected = sorted((sample.sample_id, sample.label_version, digest_of(sample)) for sample in samples)
    found = store.rows(
        "SELECT sample_id, label_version, digest FROM samples FINAL ORDER BY toString(sample_id), label_version"
    )
    assert expected == sorted((sample_id, version, _text(digest)) for sample_id, version, digest in found)
    offsets = {record.offset for topic, record in batch if topic == "samples"}
    assert offsets == {offset for (offset,) in store.rows("SELECT offset FROM samples")}
    assert sorted(rejection.offset for rejection in rejections) == [
        offset for (offset,) in store.rows("SELECT offset FROM rejected ORDER BY offset")
    ]
    assert [row] == newest_ledger(store)
    assert (len(samples), len(rejections), 1) == (sink.rows["samples"], sink.rows["rejected"], sink.rows["ledger"])


def test_a_batch_written_twice_is_the_same_as_once(store: Store) -> None:
    """A batch that comes again, to the same sink or to another one, changes nothing."""
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
    """Each sample of a slice of the stream is in its part; the rest of the stream is in none."""
    batch, samples, *_ = joined_batch()
    sink_of(store)[0].write(batch)
    parts = {sample.sample_id: part_of(SETTINGS, sample.question_id) for sample in samples}
    assert {"stream", "direction", "canary", "gate"} == set(parts.values())
    expected = {(sample_id, part, "assumed") for sample_id, part in parts.items() if part != "stream"}
    assert expected == set(store.rows("SELECT sample_id, part, origin FROM trusted FINAL"))


def test_trusted_samples_of_somebodys_own_replace_the_slices(store: Store) -> None:
    """Once one is believed it is in the history with its label, and no sample is assumed to be trusted any more."""
    batch, samples, *_ = joined_batch()
    sink, _ = sink_of(store)
    own = Confirmed(sample_id=samples[0].sample_id, part="canary", label=0, origin="confirmed")
    sink.believe([own])
    sink.write(batch)
    assert [(own.sample_id, "canary", "confirmed", 0)] == store.rows(
        "SELECT sample_id, part, origin, label FROM trusted FINAL"
    )


def test_an_empty_batch_writes_nothing(store: Store) -> None:
    """Nothing in, nothing out."""
    sink_of(store)[0].write([])
    assert [] == [row for rows in contents(store).values() for row in rows]


def test_refused_items_are_told_and_counted(store: Store) -> None:
    """A line that is no event, one without a value and one of another kind go to `rejected`, and the ledger balances."""
    sink, _ = sink_of(store)
    sink.write([*items_batch(item("a"), b"bad", b"", encode(view("v", 1)), item("b"))])
    told = store.rows("SELECT topic, offset, reason FROM rejected ORDER BY offset")
    assert [("items", 1), ("items", 2), ("items", 3)] == [row[:2] for row in told]
    assert ("the line is empty", "only item events belong to topic `items`") == (told[1][2], told[2][2])
    row = ledger_of_items(store)
    assert (2, 3, 5, 0) == (row.counts["accepted"], row.counts["rejected"], row.next_offset, imbalance(row))
    assert [("a",), ("b",)] == store.rows("SELECT item_id FROM items FINAL ORDER BY item_id")


def test_names_do_not_get_into_the_history(store: Store) -> None:
    """A shopper's event in the wrong topic leaves no name there, and a digest that cannot be guessed without the key."""
    sink_of(store)[0].write(items_batch(encode(view("v", 1)), b'{"type": "item", "user_id": "ann"'))
    assert "ann" not in repr(contents(store))
    other = Sink(store, SETTINGS, b"another secret")
    before = store.rows("SELECT digest FROM rejected FINAL WHERE offset = 1")
    other.assigned([("items", 0)], FakeIntake())
    other._items[0] = LedgerRow(topic="items", partition=0, block=0, next_offset=1, counts=dict(other._items[0].counts))
    other.write(items_batch(None, b'{"type": "item", "user_id": "ann"'))
    assert before != store.rows("SELECT digest FROM rejected FINAL WHERE offset = 1")


def test_offsets_without_a_record_are_control(store: Store) -> None:
    """Gaps within a batch and between two are counted, and the ledger balances."""
    sink, _ = sink_of(store)
    sink.write(items_batch(None, item("a"), None, None, item("b")))
    sink.write(items_batch(None, item("c"), first=5))
    row = ledger_of_items(store)
    assert (4, 3, 7, 0) == (row.counts["control"], row.counts["accepted"], row.next_offset, imbalance(row))


def test_a_topic_whose_beginning_is_gone_balances(store: Store) -> None:
    """Where the group stands on the oldest offset left, the ledger begins there."""
    sink, intake = sink_of(store, committed=40)
    assert {("items", 0): 40} == intake.sought
    sink.write(items_batch(item("a"), item("b"), first=40))
    row = ledger_of_items(store)
    assert (40, 42, 0) == (row.first_offset, row.next_offset, imbalance(row))


def test_items_go_on_where_the_ledger_stands(store: Store) -> None:
    """Not where the commit does, whether that is behind or ahead."""
    sink_of(store)[0].write(items_batch(item("a"), b"bad", item("b")))
    for committed in (0, 2, 9):
        _, intake = sink_of(store, committed)
        assert {("items", 0): 3} == intake.sought


def test_items_of_a_partition_that_went_away_are_left_to_others(store: Store) -> None:
    """What still lies in a batch when the partition was revoked is not written."""
    sink, _ = sink_of(store)
    sink.revoked([("items", 0), ("samples", 0)])
    sink.write(items_batch(item("a")))
    assert [] == store.rows("SELECT * FROM items")


def batches() -> list[Batch]:
    """Three batches with something for every table."""
    joined = joined_batch()[0]
    some = len(joined) // 2
    return [
        [*joined[:some], *items_batch(item("a"), b"bad")],
        items_batch(item("b"), None, encode(view("v", 1)), first=2),
        [*joined[some:], *items_batch(item("c"), item("a", 5), first=5)],
    ]


def run(sink: Sink, some: Sequence[Batch], since: int) -> None:
    """Take batches; of `items` only what comes after the place that was sought."""
    for batch in some:
        sink.write([(topic, record) for topic, record in batch if topic != "items" or record.offset >= since])


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
def test_a_crash_at_any_write_changes_nothing(tmp_path: Path, after: bool) -> None:  # noqa: FBT001
    """Whatever write the program dies at, the next one goes on to the same history; of three batches none was committed."""
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


def test_offsets_without_a_record_at_the_end_are_control(store: Store) -> None:
    """A transaction's marker, or what was aborted, after the last item: the ledger goes on to where the topic ends."""
    sink, intake = sink_of(store)
    assert not sink.passed(intake)
    sink.write(items_batch(item("cup"), None, item("plate")))
    intake.read_to = 5
    assert sink.passed(intake)
    assert not sink.passed(intake)
    row = ledger_of_items(store)
    assert (3, 2, 5, 0) == (row.counts["control"], row.counts["accepted"], row.next_offset, imbalance(row))
    sink.write(items_batch(item("pot"), first=5))
    assert (3, 3, 6) == (ledger_of_items(store).counts["control"], *list_of(store))


def list_of(store: Store) -> tuple[int, int]:
    """Accepted items, and how far."""
    row = ledger_of_items(store)
    return row.counts["accepted"], row.next_offset


def test_what_somebody_else_wrote_into_our_topics_is_rejected(store: Store) -> None:
    """At its place, and the rest of the batch is written; it never stops the sink."""
    batch, samples, rejections, _ = joined_batch()
    sink, _ = sink_of(store)
    values = [None, b"", b"junk", b"{}", b"[1]", b"\xff", b'"text"']
    topics = ("samples", "rejected", "ledger")
    junk = [(topic, FakeRecord(0, 900 + place, value)) for topic in topics for place, value in enumerate(values)]
    sink.write([*junk, *batch])
    found = store.rows("SELECT topic, offset, reason FROM rejected FINAL WHERE offset >= 900 ORDER BY topic, offset")
    assert sorted((topic, record.offset) for topic, record in junk) == [(topic, offset) for topic, offset, _ in found]
    assert all(reason.startswith(f"no record of topic `{topic}`: ") for topic, _, reason in found)
    assert [(len({sample.sample_id for sample in samples}),)] == store.rows("SELECT uniqExact(sample_id) FROM samples")
    assert [(len(rejections) + len(junk),)] == store.rows("SELECT count() FROM rejected FINAL")
