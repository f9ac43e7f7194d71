"""The audit: what lies in the topics beside what lies in the history. Reads both, trusts neither."""

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

__all__ = ["Audit", "run_audit"]

_LOG = logging.getLogger("mainstem")
_READ: Final = (
    "question",
    "outcome",
    "context",
    "duplicate",
    "late",
    "rejected",
    "tick",
    "control",
    "accepted",
)


@dataclass(frozen=True)
class LedgerLine:
    """One partition of a topic that has a ledger.

    Attributes:
        topic, partition: which.
        read: what the first sum gives, beside next offset - first offset.
        next_offset, broker_offset: how far the ledger goes, and how far the topic does.
        out: by how much the three sums are out.
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
    """One partition of `samples`: distinct (sample_id, label_version) in the topic and in the history."""

    partition: int
    in_topic: int
    in_history: int
    missing: int
    records: int
    first_offset: int

    @property
    def in_balance(self) -> bool:
        """Whether the history has what the topic has, and nothing else as long as the topic is whole."""
        return self.missing == 0 and (self.first_offset > 0 or self.in_topic == self.in_history)


@dataclass(frozen=True)
class Audit:
    """What was found."""

    ledger: list[LedgerLine]
    samples: list[SamplesLine]

    @property
    def in_balance(self) -> bool:
        """Whether nothing is out."""
        return all(line.in_balance for line in self.ledger) and all(
            line.in_balance for line in self.samples
        )

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing on either side."""
        return not any(line.broker_offset or line.next_offset for line in self.ledger) and not any(
            line.in_topic or line.in_history for line in self.samples
        )

    def show(self, *, as_json: bool) -> None:
        """Print it."""
        if as_json:
            ledger = [{**asdict(line), "in_balance": line.in_balance} for line in self.ledger]
            samples = [{**asdict(line), "in_balance": line.in_balance} for line in self.samples]
            print(in_json({"in_balance": self.in_balance, "ledger": ledger, "samples": samples}))
            return
        from mainstem.cli.tables import show  # rich is slow to import

        show(
            (
                "topic",
                "partition",
                "read",
                "of",
                "outcome",
                "question",
                "next offset",
                "broker",
                "out by",
                "",
            ),
            [
                (
                    *(
                        line.topic,
                        line.partition,
                        line.read,
                        line.span,
                        line.outcome,
                        line.question,
                    ),
                    *(line.next_offset, line.broker_offset, line.out, _verdict(ok=line.in_balance)),
                )
                for line in self.ledger
            ],
        )
        print()
        show(
            ("samples", "in topic", "in history", "missing", "records", "first offset", ""),
            [
                (
                    *(
                        line.partition,
                        line.in_topic,
                        line.in_history,
                        line.missing,
                        line.records,
                        line.first_offset,
                    ),
                    _verdict(ok=line.in_balance),
                )
                for line in self.samples
            ],
        )
        whole = "in balance" if not self.is_empty else "nothing to balance: no topic holds a record"
        print(f"\n{whole if self.in_balance else 'OUT OF BALANCE'}")


def run_audit(addresses: Addresses, join: Join) -> Audit:
    """Read both sides."""
    broker = open_broker(addresses.events)
    reach(broker, ["events", "items", "samples"])
    reach_store(addresses.store)
    with open_store(addresses.store, make=False) as store:
        return Audit(list(_ledger(broker, store)), list(_samples(broker, store, join)))


def _ledger(broker: Broker, store: Store) -> Iterator[LedgerLine]:
    rows = {(row.topic, row.partition): row for row in newest_ledger(store)}
    for topic in ("events", "items"):
        with DirectReader(broker, broker.topic(topic)) as reader:
            for partition in reader.partitions():
                first, end = reader.first(partition), reader.end(partition)
                if held := reader.held_back(partition):
                    _LOG.warning(
                        "%s/%d: %d offsets wait for an open transaction, and are not counted",
                        topic,
                        partition,
                        held,
                    )
                row = rows.get((topic, partition)) or LedgerRow(
                    topic=topic,
                    partition=partition,
                    block=0,
                    first_offset=first,
                    next_offset=first,
                    counts={},
                )
                yield _line(row, end)


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
                    samples = (
                        read_message(value, decode_samples, f"samples/{partition} at {offset}")
                        if value
                        else None
                    )
                    in_topic.update(
                        (sample.sample_id.bytes, sample.label_version) for sample in samples or ()
                    )
            in_history = {
                (sample_id.bytes, label_version)
                for sample_id, label_version in samples_of(store, partition)
            }
            yield SamplesLine(
                partition,
                len(in_topic),
                len(in_history),
                len(in_topic - in_history),
                end - first,
                first,
            )


def _verdict(*, ok: bool) -> str:
    return "in balance" if ok else "OUT"
