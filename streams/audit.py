"""The audit: reads the topics and the history, and checks that they balance."""

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from mainstem.bootstrap import open_broker, open_store
from mainstem.join import LedgerRow
from mainstem.join.ledger import imbalance
from mainstem.kafka import Broker, DirectReader
from mainstem.kafka.messages import decode_samples, read_message
from mainstem.kafka.reach import reach, reach_store
from mainstem.printable import in_json
from mainstem.settings import Join
from mainstem.settings.addresses import Addresses
from mainstem.store import Store
from mainstem.store.compared import samples_of
from mainstem.store.ledgers import newest_ledger

from .audit_counts import HoursLine, hours_beside

__all__ = ["Audit", "run_audit"]

_LOG = logging.getLogger("mainstem")
_READ: Final = (
    *("question", "outcome", "context", "duplicate", "late"),
    *("rejected", "tick", "control", "accepted"),
)


_LEDGER_HEAD: Final = (
    *("topic", "partition", "read", "of", "outcome", "question"),
    *("next offset", "broker", "out by", ""),
)
_SAMPLES_HEAD: Final = (
    *("samples", "in topic", "in history"),
    *("missing", "records", "first offset", ""),
)
_HOURS_HEAD: Final = (
    *("hours", "in topic", "in history"),
    *("rows", "missing", "other", "first offset", ""),
)
_MOST_HOURS: Final = 10  # hours that differ, of those that a person sees


@dataclass(frozen=True)
class LedgerLine:
    """The ledger of one partition of `events` or `items`, beside the topic.

    Attributes:
        topic, partition: the partition.
        read: sum of all counts of events read.
        span: next offset - first offset of the ledger; equals `read` if the first sum holds.
        outcome: second sum of the ledger, as text.
        question: third sum of the ledger, as text.
        next_offset: offset that the ledger reaches.
        broker_offset: offset that the topic reaches.
        out: how far the three sums are out, added up.
    """

    topic: str
    partition: int
    read: int
    span: int
    outcome: str
    question: str
    next_offset: int
    broker_offset: int
    out: int

    @property
    def in_balance(self) -> bool:
        """Whether all sums hold and nothing is left unread."""
        return self.out == 0 and self.next_offset == self.broker_offset


@dataclass(frozen=True)
class SamplesLine:
    """One partition of topic `samples` beside the samples of the history.

    Attributes:
        partition: the partition.
        in_topic: number of distinct (sample_id, label_version) in the topic.
        in_history: number of distinct (sample_id, label_version) in the history.
        missing: how many of those in the topic the history lacks.
        records: number of offsets in the topic.
        first_offset: oldest offset of the topic; above 0 if the broker has deleted records.
    """

    partition: int
    in_topic: int
    in_history: int
    missing: int
    records: int
    first_offset: int

    @property
    def in_balance(self) -> bool:
        """Whether the history has all samples of the topic.

        As long as the broker has deleted no record, the history must have no other samples.
        """
        return self.missing == 0 and (self.first_offset > 0 or self.in_topic == self.in_history)


@dataclass(frozen=True)
class Audit:
    """What an audit has found, one line for each partition."""

    ledger: list[LedgerLine]
    samples: list[SamplesLine]
    hours: list[HoursLine]

    @property
    def in_balance(self) -> bool:
        """Whether every line is in balance."""
        ledger = all(line.in_balance for line in self.ledger)
        samples = all(line.in_balance for line in self.samples)
        return ledger and samples and all(line.in_balance for line in self.hours)

    @property
    def is_empty(self) -> bool:
        """Whether neither the topics nor the history hold anything."""
        ledger = any(line.broker_offset or line.next_offset for line in self.ledger)
        samples = any(line.in_topic or line.in_history for line in self.samples)
        hours = any(line.in_topic or line.in_history for line in self.hours)
        return not (ledger or samples or hours)

    def show(self, *, as_json: bool) -> None:
        """Print the lines as one JSON object or as two tables."""
        if as_json:
            found = {
                name: [{**asdict(line), "in_balance": line.in_balance} for line in lines]
                for name, lines in (("ledger", self.ledger), ("samples", self.samples))
            }
            found["hours"] = [_hours_in_json(line) for line in self.hours]
            print(in_json({"in_balance": self.in_balance, **found}))
            return
        from mainstem.cli.tables import show  # rich is slow to import

        show(_LEDGER_HEAD, [_ledger_cells(line) for line in self.ledger])
        print()
        show(_SAMPLES_HEAD, [_samples_cells(line) for line in self.samples])
        print()
        show(_HOURS_HEAD, [_hours_cells(line) for line in self.hours])
        for line in self.hours:
            for one in line.out[:_MOST_HOURS]:
                place = f"partition {line.partition}, hour {one.hour}"
                print(f"{place}: {one.missing:,} rows missing, {one.other:,} other")
            if (more := len(line.out) - _MOST_HOURS) > 0:
                print(f"partition {line.partition}: {more:,} more hours; --json shows all")
        whole = "in balance" if not self.is_empty else "nothing to balance: no topic holds a record"
        print(f"\n{whole if self.in_balance else 'OUT OF BALANCE'}")


def run_audit(addresses: Addresses, join: Join) -> Audit:
    """Compare the ledgers, samples and counts of a deployment with its topics.

    Args:
        addresses: where the broker and the history are.
        join: settings of the join; `partitions` is used.
    """
    broker = open_broker(addresses.events)
    reach(broker, ["events", "items", "samples", "counts"])
    reach_store(addresses.store)
    with open_store(addresses.store, make=False) as store:
        return Audit(
            list(_ledger(broker, store)),
            list(_samples(broker, store, join)),
            list(hours_beside(broker, store, join)),
        )


def _ledger(broker: Broker, store: Store) -> Iterator[LedgerLine]:
    rows = {(row.topic, row.partition): row for row in newest_ledger(store)}
    for topic in ("events", "items"):
        with DirectReader(broker, broker.topic(topic)) as reader:
            for partition in reader.partitions():
                first, end = reader.first(partition), reader.end(partition)
                if held := reader.held_back(partition):
                    waiting = "%s/%d: %d offsets wait for an open transaction and are not counted"
                    _LOG.warning(waiting, topic, partition, held)
                row = rows.get((topic, partition)) or _empty_row(topic, partition, first)
                yield _line(row, end)


def _empty_row(topic: str, partition: int, first: int) -> LedgerRow:
    return LedgerRow(
        topic=topic, partition=partition, block=0, first_offset=first, next_offset=first, counts={}
    )


def _line(row: LedgerRow, end: int) -> LedgerLine:
    counts = row.counts
    parts = (("joined", "revised", "orphaned", "parked"), ("answered", "expired", "open"))
    outcome, question = (
        f"{counts.get(name, 0)} = {' + '.join(str(counts.get(part, 0)) for part in some)}"
        for name, some in zip(("outcome", "question"), parts, strict=True)
    )
    return LedgerLine(
        topic=row.topic,
        partition=row.partition,
        read=sum(counts.get(name, 0) for name in _READ),
        span=row.next_offset - row.first_offset,
        outcome=outcome,
        question=question,
        next_offset=row.next_offset,
        broker_offset=end,
        out=imbalance(row) if counts else 0,
    )


def _samples(broker: Broker, store: Store, join: Join) -> Iterator[SamplesLine]:
    with DirectReader(broker, broker.topic("samples")) as reader:
        for partition in range(join.partitions):
            first, end = reader.first(partition), reader.end(partition)
            in_topic: set[tuple[bytes, int]] = set()
            at = first
            while at < end:
                for offset, value in reader.read(partition, at, end, most=5000):
                    at = offset + 1
                    if not value:
                        continue
                    place = f"samples/{partition} at {offset}"
                    samples = read_message(value, decode_samples, place) or ()
                    in_topic.update((one.sample_id.bytes, one.label_version) for one in samples)
            in_history = {
                (sample_id.bytes, label_version)
                for sample_id, label_version in samples_of(store, partition)
            }
            yield SamplesLine(
                partition=partition,
                in_topic=len(in_topic),
                in_history=len(in_history),
                missing=len(in_topic - in_history),
                records=end - first,
                first_offset=first,
            )


def _ledger_cells(line: LedgerLine) -> tuple[object, ...]:
    return (
        *(line.topic, line.partition, line.read, line.span, line.outcome, line.question),
        *(line.next_offset, line.broker_offset, line.out, _verdict(ok=line.in_balance)),
    )


def _samples_cells(line: SamplesLine) -> tuple[object, ...]:
    return (
        *(line.partition, line.in_topic, line.in_history),
        *(line.missing, line.records, line.first_offset, _verdict(ok=line.in_balance)),
    )


def _hours_cells(line: HoursLine) -> tuple[object, ...]:
    return (
        *(line.partition, line.in_topic, line.in_history, line.rows),
        *(line.missing, line.other, line.first_offset, _verdict(ok=line.in_balance)),
    )


def _hours_in_json(line: HoursLine) -> dict[str, object]:
    return {
        **asdict(line),
        "missing": line.missing,
        "other": line.other,
        "out": [one._asdict() for one in line.out],
        "in_balance": line.in_balance,
    }


def _verdict(*, ok: bool) -> str:
    return "in balance" if ok else "OUT"
