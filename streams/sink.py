"""The sink writes samples, items, counts, the ledger and rejected events to the history.

It writes a batch before it commits. A batch that is delivered again is written again, which is the
same as writing it once. Topic `items` holds raw events, so the sink itself makes the rejections and
the ledger of that topic. The ledger row of `items` is written last and says where the sink goes on.
An hour of topic `counts` is written once it is complete; until then, its parts are not committed.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from mainstem.events import Item, Refusal, decode
from mainstem.join import LedgerRow, Rejection, Sample, rejection_of
from mainstem.join.ledger import block_of, new_counts
from mainstem.kafka.hours import CountsPart, HourClosed, decode_hour
from mainstem.kafka.intake import Assigned, Intake
from mainstem.kafka.messages import decode_ledger, decode_rejection, decode_samples
from mainstem.kafka.outages import patiently
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.counts import count_columns, hour_columns
from mainstem.store.hours import closed_hours
from mainstem.store.ledgers import ledger_of_items
from mainstem.store.writes import (
    item_columns,
    ledger_columns,
    rejection_columns,
    sample_columns,
    trusted_columns,
)
from mainstem.trusted import Confirmed, Trust

from .hours import Hours

__all__ = ["SINK_TOPICS", "Sink"]

SINK_TOPICS: Final = ("counts", "items", "ledger", "rejected", "samples")
_T = TypeVar("_T")


class Sink:
    """Writes batches of records to the history.

    Args:
        store: the history.
        settings: settings; the shares of the trusted parts are used.
        key: secret of the digests of refused events.

    Attributes:
        rows: number of rows written so far, by table.
        hours: the hours of topic `counts`.
        changes: how often owners have changed. Records taken before a change and not committed are
            given out again after it.
    """

    def __init__(self, store: Store, settings: Settings, key: bytes) -> None:
        self.rows: dict[str, int] = defaultdict(int)
        self._store, self._key, self._trust = store, key, Trust(settings)
        self.hours, self.changes = Hours(), 0
        self._items: dict[int, LedgerRow] = {}  # ledger of `items`, by partition
        self._read_to: dict[Assigned, int] = {}  # offset after the last record

    def assigned(self, owned: Sequence[Assigned], intake: Intake) -> None:
        """Take over partitions; topic `items` goes on at its ledger, not at its commit."""
        self.changes += 1
        closed = patiently(closed_hours, self._store)
        for topic, partition in owned:
            if topic == "counts":
                self.hours.own(partition, closed.get(partition))
            if topic == "items":
                place = (topic, partition)
                row = self._ledger_of_items(partition, intake.committed(place))
                self._items[partition] = row
                intake.seek(place, row.next_offset)

    def revoked(self, owned: Sequence[Assigned]) -> None:
        """Give up partitions, which another sink goes on with."""
        self.changes += 1
        for topic, partition in owned:
            self._read_to.pop((topic, partition), None)
            if topic == "counts":
                self.hours.disown(partition)
            elif topic == "items":
                self._items.pop(partition, None)

    def trust(self, confirmed: Sequence[Confirmed]) -> None:
        """Write confirmed trusted samples.

        Until the first of them arrives, a slice of the stream is assumed to be trusted.
        """
        for one in confirmed:
            self._trust.take(one)
        rows = ((one.sample_id, one.part, one.origin, one.label) for one in confirmed)
        self._write("trusted", trusted_columns(rows))

    def write(self, batch: Sequence[tuple[str, Any]]) -> None:
        """Write the records of a batch, and return once the history has them.

        Args:
            batch: pairs of a topic's short name and a record.
        """
        by_topic: dict[str, list[Any]] = defaultdict(list)
        for topic, record in batch:
            by_topic[topic].append(record)
            self._read_to[topic, record.partition] = record.offset + 1
        self._write_hours(self._read("counts", by_topic, decode_hour))
        self._write_samples(self._read("samples", by_topic, decode_samples))
        refused = [rejection for _, rejection in self._read("rejected", by_topic, decode_rejection)]
        self._write("rejected", rejection_columns(refused))
        rows = [row for _, row in self._read("ledger", by_topic, decode_ledger)]
        self._write("ledger", ledger_columns(rows))
        self._write_items(by_topic["items"])

    @property
    def commits(self) -> dict[Assigned, tuple[int, str]] | None:
        """Offsets to commit after a write; None to commit all records given out so far.

        While an hour is incomplete, its first part and what follows it are not committed, so that
        another sink reads the parts again.
        """
        if not any(self.hours.waiting.values()):
            return None
        return {
            (topic, partition): (
                self.hours.begins(partition, reached) if topic == "counts" else reached,
                "",
            )
            for (topic, partition), reached in self._read_to.items()
        }

    def passed(self, intake: Intake) -> bool:
        """Count offsets at the end of `items` that hold no record.

        Returns:
            Whether there were any, so that the new position can be committed.
        """
        touched = []
        for partition, row in self._items.items():
            position = patiently(intake.position, ("items", partition))
            if position > row.next_offset:
                control = row.counts["control"] + position - row.next_offset
                counts = {**row.counts, "control": control}
                self._items[partition] = _row(partition, row.first_offset, position, counts)
                touched.append(self._items[partition])
        self._write("ledger", ledger_columns(touched))
        return bool(touched)

    def _read(
        self, topic: str, batch: Mapping[str, Sequence[Any]], decode: Callable[[bytes], _T]
    ) -> list[tuple[Any, _T]]:
        """Decode the records of a topic; those that no program of ours wrote go to `rejected`."""
        found: list[tuple[Any, _T]] = []
        refused: list[Rejection] = []
        for record in batch.get(topic, ()):
            value = record.value or b""
            try:
                found.append((record, decode(value)))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                digest = hashlib.blake2b(value, digest_size=16).hexdigest()
                reason = f"no record of topic `{topic}`: {error}"
                refusal = Refusal(reason=reason, path="$", digest=digest, body="")
                place = (topic, record.partition, record.offset)
                refused.append(rejection_of(refusal, *place, self._key))
        self._write("rejected", rejection_columns(refused))
        return found

    def _write_hours(self, read: Sequence[tuple[Any, CountsPart | HourClosed]]) -> None:
        taken = (self.hours.take(record, message) for record, message in read)
        hours = [hour for hour in taken if hour]
        # subtle: counts before hours, because whoever finds an hour relies on its counts
        self._write("counts", count_columns(hours))
        self._write("hours", hour_columns(hours))

    def _write_samples(self, read: Sequence[tuple[Any, Sequence[Sample]]]) -> None:
        placed = [
            (sample, record.partition, record.offset)
            for record, samples in read
            for sample in samples
        ]
        self._write("samples", sample_columns(placed))
        trust = self._trust
        if not trust.is_own:
            parts = [
                (sample.sample_id, trust.part_of(sample.sample_id, sample.question_id))
                for sample, _, _ in placed
            ]
            rows = ((one, part, "assumed", None) for one, part in parts if part != "stream")
            self._write("trusted", trusted_columns(rows))

    def _write_items(self, records: Sequence[Any]) -> None:
        """Write items and rejections, then the ledger rows that say how far `items` was read."""
        items: list[Item] = []
        rejections: list[Rejection] = []
        for record in records:
            row = self._items.get(record.partition)
            # skip partitions that were revoked and records that were written before
            if row is None or record.offset < row.next_offset:
                continue
            counts = dict(row.counts)
            counts["control"] += record.offset - row.next_offset
            event = decode(record.value or b"")
            if isinstance(event, Item):
                items.append(event)
                counts["accepted"] += 1
            else:
                refusal = event if isinstance(event, Refusal) else _no_item(event)
                place = ("items", record.partition, record.offset)
                rejections.append(rejection_of(refusal, *place, self._key))
                counts["rejected"] += 1
            counted = _row(record.partition, row.first_offset, record.offset + 1, counts)
            self._items[record.partition] = counted
        if items or rejections:
            self._write("items", item_columns(items))
            self._write("rejected", rejection_columns(rejections))
            touched = {record.partition for record in records} & self._items.keys()
            rows = [self._items[partition] for partition in sorted(touched)]
            self._write("ledger", ledger_columns(rows))

    def _ledger_of_items(self, partition: int, first: int) -> LedgerRow:
        found = patiently(ledger_of_items, self._store, partition)
        return found or _row(partition, first, first, new_counts())

    def _write(self, table: str, columns: Any) -> None:
        patiently(self._store.write, table, columns)
        self.rows[table] += len(next(iter(columns.values()), ()))


def _row(partition: int, first: int, end: int, counts: dict[str, int]) -> LedgerRow:
    return LedgerRow(
        topic="items",
        partition=partition,
        block=block_of(end),
        first_offset=first,
        next_offset=end,
        counts=counts,
    )


def _no_item(event: Any) -> Refusal:
    return Refusal(
        reason="only item events belong to topic `items`",
        path="$.type",
        digest=event.__class__.__name__,
        body="",
    )
