"""Reads as a member of a consumer group: take a batch, write what follows from it, then commit."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Self

from mainstem.kafka.broker import Broker
from mainstem.kafka.faults import decoded_poll, stuck
from mainstem.kafka.outages import patiently

__all__ = ["Intake"]

Assigned = tuple[str, int]
"""Short name of a topic, and a partition of it."""
_POLL_MS: Final = 500
# time limit of a request; then the client raises an error and the caller tries again
_ANSWER_MS: Final = 15_000
# a partition that is behind but gives nothing in this time and this many looks is stuck
_STILL_SECONDS: Final = 60.0
_STILL_LOOKS: Final = 60
_LOG = logging.getLogger("mainstem")


class Intake:
    """Gives batches of records from the partitions that this member of a group owns.

    The caller writes first and commits then. So a batch may come again after a crash, or at another
    member, and writing it twice must be the same as writing it once.

    Args:
        broker: broker of the topics.
        group: short name of the consumer group.
        topics: short names of the topics.
        most: number of records in a batch at most.
        assigned: called with the partitions that this member owns from now on, before their first
            record is given.
        revoked: called with the partitions that this member no longer owns.
        session_timeout: seconds of silence after which other members take over.
        poll_timeout: seconds without a call of `next_batch` after which other members take over.
    """

    def __init__(
        self,
        broker: Broker,
        group: str,
        topics: Iterable[str],
        *,
        most: int,
        assigned: Callable[[list[Assigned]], None] = lambda _: None,
        revoked: Callable[[list[Assigned]], None] = lambda _: None,
        session_timeout: float = 30.0,
        poll_timeout: float = 900.0,
    ) -> None:
        from kafka import KafkaConsumer  # the library is read without it
        from kafka.consumer.subscription_state import ConsumerRebalanceListener

        self._short = {broker.topic(name): name for name in topics}

        class Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # untyped
            # subtle: called on the client's own thread, which must not ask the broker anything; so
            # `next_batch` reports the changes to the caller
            def on_partitions_assigned(_, owned: Any) -> None:  # noqa: N805 - self is the intake
                self._changes.append((assigned, self._short_of(owned)))

            def on_partitions_revoked(_, owned: Any) -> None:  # noqa: N805 - self is the intake
                self._changes.append((revoked, self._short_of(owned)))

        self._changes: list[tuple[Callable[[list[Assigned]], None], list[Assigned]]] = []
        # partitions that are behind and do not move: number of looks, since when, position
        self._still: dict[Assigned, tuple[int, float, int]] = {}
        self._most = most
        self._consumer: Any = KafkaConsumer(
            **broker.options,
            group_id=broker.group(group),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            isolation_level="read_committed",
            max_partition_fetch_bytes=4 << 20,
            session_timeout_ms=int(session_timeout * 1000),
            heartbeat_interval_ms=int(session_timeout * 100),
            max_poll_interval_ms=int(poll_timeout * 1000),
        )
        self._consumer.subscribe(list(self._short), listener=Listener())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close(autocommit=False)

    @property
    def generation(self) -> int:
        """Generation of the group; it grows with every change of owners."""
        return int(self._consumer.group_metadata().generation_id)

    @property
    def owned(self) -> list[Assigned]:
        """The partitions that this member owns."""
        return self._short_of(self._consumer.assignment())

    def next_batch(self) -> list[tuple[str, Any]]:
        """Take the next records, each with the short name of its topic.

        The batch is empty if no records come within half a second, or if owners have changed.

        Raises:
            BrokerError: if records cannot be decoded.
        """
        found = decoded_poll(self._consumer, _POLL_MS, self._most)
        if self._changes:
            self._settle()
            return []
        return [
            (self._short[at.topic], record) for at, records in found.items() for record in records
        ]

    def stay(self) -> None:
        """Remain a member for half a second without taking records.

        A caller that cannot write its batch yet calls this instead of `next_batch`, over and over.
        """
        held = self._consumer.assignment()
        self._consumer.pause(*held)
        try:
            decoded_poll(self._consumer, _POLL_MS, self._most)
        finally:
            self._consumer.resume(*(held & self._consumer.assignment()))
        self._still.clear()  # a partition that is held is not stuck
        if self._changes:
            self._settle()

    def _settle(self) -> None:
        """After a change of owners, go back to the commits and report the change to the caller.

        Records that were given out but not committed are given out again.
        """
        for at in list(self._consumer.assignment()):
            # subtle: in a partition that stays here, the client would go on at its own position,
            # not at the group's commit
            self._consumer.seek(at, patiently(self.committed, *self._short_of([at])))
        while self._changes:
            tell, owned = self._changes.pop(0)
            tell(owned)

    def seek(self, assigned: Assigned, offset: int) -> None:
        """Go on reading a partition at an offset."""
        self._consumer.seek(self._at(assigned), offset)

    def position(self, assigned: Assigned) -> int:
        """Offset of the next record; earlier offsets that were not given out hold no record."""
        return int(self._consumer.position(self._at(assigned), timeout_ms=_ANSWER_MS) or 0)

    def committed(self, assigned: Assigned) -> int:
        """Offset that the group has committed; the oldest offset if it has committed none."""
        return self.last_commit(assigned)[0]

    def last_commit(self, assigned: Assigned) -> tuple[int, str]:
        """The committed offset as in `committed`, and the note committed with it, empty if none."""
        at = self._at(assigned)
        found = self._consumer.committed(at, metadata=True, timeout_ms=_ANSWER_MS)
        oldest = int(self._consumer.beginning_offsets([at], timeout_ms=_ANSWER_MS)[at])
        if found is None:
            return oldest, ""
        offset, note, _ = found
        if int(offset) < oldest:
            gone = f"offsets {offset} to {oldest - 1} of {at.topic!r} partition {at.partition}"
            how = "the broker deleted them before this group read them; it goes on after them"
            _LOG.warning("%s are gone: %s", gone, how)
        return max(int(offset), oldest), note or ""

    def commit(self, places: Mapping[Assigned, tuple[int, str]] | None = None) -> bool:
        """Commit the records given out so far, or the offsets of `places`.

        Args:
            places: next offset of each partition, and a note that the commit keeps. None commits
                the records given out so far.

        Returns:
            False if the partitions belong to another member by now.
        """
        from kafka.errors import (
            CommitFailedError,
            IllegalGenerationError,
            RebalanceInProgressError,
            UnknownMemberIdError,
        )
        from kafka.structs import OffsetAndMetadata

        offsets = None
        if places is not None:
            # subtle: not the position of the client, because owners may have changed since the note
            # was made
            offsets = {
                self._at(assigned): OffsetAndMetadata(offset, note, -1)
                for assigned, (offset, note) in places.items()
            }
        try:
            self._consumer.commit(offsets)
        except (
            CommitFailedError,
            IllegalGenerationError,
            RebalanceInProgressError,
            UnknownMemberIdError,
        ):
            return False
        return True

    def lag(self) -> dict[Assigned, int]:
        """Number of records between the position and the end of each owned partition.

        Raises:
            BrokerError: if the broker answers and has more records, but gives none for a minute.
        """
        owned = list(self._consumer.assignment())
        try:
            ends = self._consumer.end_offsets(owned, timeout_ms=_ANSWER_MS) if owned else {}
        except Exception:
            self._still.clear()  # a broker that is away is no sign of a stuck partition
            raise
        behind = {}
        for at, assigned in zip(owned, self._short_of(owned), strict=True):
            position = self.position(assigned)
            behind[assigned] = max(ends[at] - position, 0)
            self._check_that_it_moves(assigned, position, behind[assigned])
        return behind

    def _check_that_it_moves(self, assigned: Assigned, position: int, behind: int) -> None:
        looks, since, before = self._still.get(assigned, (0, time.monotonic(), position))
        if not behind or position != before:
            self._still.pop(assigned, None)
            return
        self._still[assigned] = looks + 1, since, before
        if looks > _STILL_LOOKS and time.monotonic() - since > _STILL_SECONDS:
            raise stuck(self._at(assigned).topic, assigned[1], position, position + behind)

    def _short_of(self, found: Iterable[Any]) -> list[Assigned]:
        return [(self._short[at.topic], at.partition) for at in found]

    def _at(self, assigned: Assigned) -> Any:
        from kafka import TopicPartition

        topic, partition = assigned
        full = next(full for full, short in self._short.items() if short == topic)
        return TopicPartition(full, partition)
