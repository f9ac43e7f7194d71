"""The audit reports every disagreement between topics and history."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import typer

from mainstem.behaviour import HOUR, Hour
from mainstem.join import Joiner, LedgerRow, Sample
from mainstem.kafka import Broker, DirectReader
from mainstem.kafka.hours import encode_hour
from mainstem.kafka.messages import encode, questions_of
from mainstem.settings.addresses import Addresses
from mainstem.settings.urls import url_of
from mainstem.store import Store
from mainstem.store.counts import count_columns
from mainstem.streams.audit import Audit, run_audit
from mainstem.streams.cli import audit
from mainstem.streams.sink import Sink
from mainstem.streams.topics import make_topics
from tests.join.shop import KEY, shelf, short
from tests.kafka.topic import delete_before, produce
from tests.streams.fakes import plainly, shop_log
from tests.streams.sinking import FakeIntake, FakeRecord, hour_of_counts, item

SETTINGS = short(partitions=2)
Change = Callable[[list[tuple[str, FakeRecord]]], list[tuple[str, FakeRecord]]]


@dataclass
class Deployed:
    """Joined topics and the history that a sink writes them to."""

    broker: Broker
    store: str
    hours: dict[int, list[Hour]] = field(default_factory=dict)

    def write(self, change: Change = list) -> None:
        """Write the topics' records to the history, after `change` was applied to them."""
        batch = [
            (topic, FakeRecord(partition, offset, value))
            for topic in ("samples", "ledger", "items", "counts")
            for partition, offset, value in self._read(topic)
        ]
        with Store(self.store) as store:
            sink = Sink(store, SETTINGS, KEY)
            sink.assigned([("items", 0), ("counts", 0), ("counts", 1)], FakeIntake())
            sink.write(change(batch))

    def audit(self) -> Audit:
        """Return the result of the audit."""
        addresses = Addresses(
            events=f"kafka://{self.broker.servers[0]}/{self.broker.prefix}", store=self.store
        )
        return run_audit(addresses, SETTINGS.join)

    def _read(self, topic: str) -> list[tuple[int, int, bytes]]:
        with DirectReader(self.broker, self.broker.topic(topic)) as reader:
            return [
                (partition, record.offset, record.value or b"")
                for partition in reader.partitions()
                for record in reader.read(partition, 0, reader.end(partition))
            ]


def empty_history(folder: Path) -> str:
    """Make an empty history, because an audit does not make one."""
    url = url_of("chdb", folder / "history")
    with Store(url):
        return url


@pytest.fixture
def deployed(events_url: str, tmp_path: Path) -> Deployed:
    """Two partitions of events that are joined to the end."""
    broker = Broker.parse(events_url)
    make_topics(broker, SETTINGS.join)
    produce(broker, broker.topic("items"), [item("a"), item("b"), b"bad"])
    hours = {}
    log = shop_log(random.Random(0), 2, 60)
    for partition, lines in log.values.items():
        log.values[partition] = [line for line in lines if line is not None]
        produce(broker, broker.topic("events"), log.values[partition], partition)
        joined = plainly(log, partition)
        assert joined.samples
        values = [encode(samples) for _, samples in questions_of(joined.samples)]
        produce(broker, broker.topic("samples"), values, partition)
        produce(broker, broker.topic("ledger"), [encode(joined.row)])
        made = [hour_of_counts(hour) for hour in (7, 8)]
        hours[partition] = [msgspec.structs.replace(one, partition=partition) for one in made]
        values = [value for hour in hours[partition] for value in encode_hour(hour)]
        produce(broker, broker.topic("counts"), values, partition)
    return Deployed(broker, empty_history(tmp_path), hours)


def without_one_sample(batch: list[tuple[str, FakeRecord]]) -> list[tuple[str, FakeRecord]]:
    """Remove one sample from the first record of `samples`."""
    (topic, record), *rest = batch
    _, *others = msgspec.json.decode(record.value, type=list[Sample])
    assert topic == "samples"
    return [(topic, record._replace(value=encode(others))), *rest] if others else rest


def ledger(change: Callable[[LedgerRow], LedgerRow]) -> Change:
    """Return a change of the ledger row of partition 1 of `events`."""

    def changed(batch: list[tuple[str, FakeRecord]]) -> list[tuple[str, FakeRecord]]:
        def of(topic: str, record: FakeRecord) -> FakeRecord:
            row = msgspec.json.decode(record.value, type=LedgerRow) if topic == "ledger" else None
            return (
                record._replace(value=encode(change(row))) if row and row.partition == 1 else record
            )

        return [(topic, of(topic, record)) for topic, record in batch]

    return changed


def time_of(hour: Hour) -> str:
    """Return the begin of an hour as an audit writes it."""
    return f"{datetime.fromtimestamp(hour.first * HOUR / 1000, UTC):%Y-%m-%dT%H:%MZ}"


def off_by_one(name: str) -> Change:
    """Return a change that raises one count of partition 1 by one."""
    return ledger(
        lambda row: msgspec.structs.replace(row, counts=row.counts | {name: row.counts[name] + 1})
    )


def test_what_was_written_whole_is_in_balance(deployed: Deployed) -> None:
    """A complete deployment is in balance: every offset is counted and every sample is stored."""
    deployed.write()
    found = deployed.audit()
    assert found.in_balance
    assert [("events", 0), ("events", 1), ("items", 0)] == [
        (line.topic, line.partition) for line in found.ledger
    ]
    assert all(line.read == line.span == line.broker_offset for line in found.ledger)
    assert all(line.in_topic == line.in_history > 0 == line.missing for line in found.samples)
    assert all(line.in_topic == line.in_history > 0 < line.rows for line in found.hours)


def test_nothing_written_is_out(deployed: Deployed) -> None:
    """An empty history lacks everything that the topics hold."""
    found = deployed.audit()
    assert not any(line.in_balance for line in [*found.ledger, *found.samples, *found.hours])
    assert all(line.missing == line.in_topic > 0 for line in found.samples)


def test_a_deployment_without_events_is_in_balance(events_url: str, tmp_path: Path) -> None:
    """A deployment without events is in balance."""
    broker = Broker.parse(events_url)
    make_topics(broker, SETTINGS.join)
    assert Deployed(broker, empty_history(tmp_path)).audit().in_balance


def test_a_missing_sample_is_told(deployed: Deployed) -> None:
    """A missing sample is reported with its partition, and the other partition is in balance."""
    deployed.write(without_one_sample)
    found = deployed.audit()
    assert [1, 0] == [line.missing for line in found.samples]
    assert [False, True] == [line.in_balance for line in found.samples]
    assert all(line.in_balance for line in found.ledger)


def test_a_sample_that_no_topic_has_is_told(deployed: Deployed) -> None:
    """A sample that only the history has is out of balance like a missing one."""

    def one_more(batch: list[tuple[str, FakeRecord]]) -> list[tuple[str, FakeRecord]]:
        [first, *_] = msgspec.json.decode(batch[0][1].value, type=list[Sample])
        other = encode([msgspec.structs.replace(first, label_version=99)])
        return [*batch, ("samples", batch[0][1]._replace(value=other))]

    deployed.write(one_more)
    found = deployed.audit()
    assert [(0, False), (0, True)] == [(line.missing, line.in_balance) for line in found.samples]


def test_a_sample_in_place_of_another_is_told(deployed: Deployed) -> None:
    """A sample stored in place of another is reported although the numbers agree."""

    def another(batch: list[tuple[str, FakeRecord]]) -> list[tuple[str, FakeRecord]]:
        (topic, record), *rest = batch
        first, *others = msgspec.json.decode(record.value, type=list[Sample])
        changed = [msgspec.structs.replace(first, label_version=99), *others]
        return [(topic, record._replace(value=encode(changed))), *rest]

    deployed.write(another)
    line, _ = deployed.audit().samples
    assert (line.in_topic, 1, False) == (line.in_history, line.missing, line.in_balance)


def test_counts_that_differ_are_told_by_hour_and_partition(deployed: Deployed) -> None:
    """A lost and a changed row are told with their hour; a later publication is not compared."""
    deployed.write()
    changed, lost = deployed.hours[0][0], deployed.hours[1][1]
    again = msgspec.structs.replace(changed, counts=[], uncounted=9)
    produce(deployed.broker, deployed.broker.topic("counts"), encode_hour(again), 0)
    assert all(line.in_balance for line in deployed.audit().hours)
    other = msgspec.structs.replace(changed.counts[0], shown=99)
    with Store(deployed.store) as store:
        store.write("counts", count_columns([msgspec.structs.replace(changed, counts=[other])]))
        key = "key = {key:String} AND other = {other:String} AND kind = {kind:String}"
        store.execute(
            f"DELETE FROM counts WHERE partition = 1 AND hour = {lost.first} AND {key}",
            **{name: getattr(lost.counts[0], name) for name in ("key", "other", "kind")},
        )
    found = deployed.audit()
    assert not found.in_balance
    assert [[(time_of(changed), 1, 1)], [(time_of(lost), 1, 0)]] == [one.out for one in found.hours]


def test_a_ledger_behind_the_broker_is_told(deployed: Deployed) -> None:
    """A ledger that ends before its topic is reported although its sums hold."""
    joiner = Joiner(1, SETTINGS, shelf(), KEY)
    list(joiner.step(0, None))
    deployed.write(ledger(lambda _: joiner.ledger_row()))
    [_, line, _] = deployed.audit().ledger
    assert (1, 0, False) == (line.next_offset, line.out, line.in_balance)
    assert line.broker_offset > 60 // 2


def test_events_that_nobody_has_joined_are_told(deployed: Deployed) -> None:
    """A partition with an event that nobody has joined is out of balance."""
    deployed.write()
    produce(deployed.broker, deployed.broker.topic("events"), [b"new"], 0)
    produce(deployed.broker, deployed.broker.topic("items"), [b"new"])
    assert [False, True, False] == [line.in_balance for line in deployed.audit().ledger]


@pytest.mark.parametrize(
    "name", ["question", "outcome", "control", "joined", "orphaned", "parked", "answered", "open"]
)
def test_sums_that_do_not_hold_are_told(deployed: Deployed, name: str) -> None:
    """One event too many in any count puts the partition out of balance."""
    deployed.write(off_by_one(name))
    found = deployed.audit().ledger
    assert [0, 2 if name in {"question", "outcome"} else 1, 0] == [line.out for line in found]
    assert [True, False, True] == [line.in_balance for line in found]


def test_a_topic_that_forgot_is_no_longer_compared_in_full(deployed: Deployed) -> None:
    """Records that the broker deleted may be in the history, and all others must be."""
    deployed.write()
    delete_before(deployed.broker, deployed.broker.topic("samples"), 3)
    found = deployed.audit().samples[0]
    assert (3, True) == (found.first_offset, found.in_balance)
    assert found.in_topic < found.in_history


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_exits_with_1_where_something_is_out(
    deployed: Deployed,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    as_json: bool,
) -> None:
    """The command prints the disagreements and exits with 1, and exits with 0 in balance."""
    monkeypatch.setenv(
        "MAINSTEM_EVENTS", f"kafka://{deployed.broker.servers[0]}/{deployed.broker.prefix}"
    )
    monkeypatch.setenv("MAINSTEM_STORE", deployed.store)
    monkeypatch.setenv("MAINSTEM_JOIN__PARTITIONS", "2")
    deployed.write(without_one_sample)
    with pytest.raises(typer.Exit) as caught:
        audit(as_json=as_json)
    assert 1 == caught.value.exit_code
    said = capsys.readouterr().out
    assert not msgspec.json.decode(said)["in_balance"] if as_json else "OUT OF BALANCE" in said
    deployed.write()
    audit(as_json=as_json)
    said = capsys.readouterr().out
    assert msgspec.json.decode(said)["in_balance"] if as_json else said.endswith("\nin balance\n")
