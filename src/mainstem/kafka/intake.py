"""Reading as a member of a consumer group: a batch, what must be written because of it, then the commit."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Self

from mainstem.kafka.broker import Broker
from mainstem.kafka.faults import decoded_poll, stuck
from mainstem.kafka.outages import patiently

__all__ = ["Intake"]

Assigned = tuple[str, int]
"""A topic (its short name) and a partition of it."""
_POLL_MS: Final = 500
_ANSWER_MS: Final = (
    15_000  # a client that is not answered by then raises, and whoever asked tries again
)
_STILL_SECONDS, _STILL_LOOKS = (
    60.0,
    60,
)  # a partition that is behind and gives nothing for as long, however often asked
_LOG = logging.getLogger("mainstem")


class Intake:
    """Batches of records of the partitions that this member of the group owns.

    Whoever takes batches writes first and commits then, so a batch may come again after a crash, or at another member:
    writing must be such that twice is the same as once.

    Args:
        broker: where.
        group: short name of the group.
        topics: short names of the topics.
        most: records in a batch, at most.
        assigned: called with the partitions that this member owns from now on, before their first record comes.
        revoked: called with those that it no longer owns.
        session_timeout: seconds of silence after which the others take over.
        poll_timeout: seconds between two batches after which they do.
    """

    def __init__(
        self,
        broker: Broker,
        group: str,
        topics: Iterable[str],
        *,
        most: int,
        assigned: Callable[[list[Assigned]], None] = lambda owned: None,  # noqa: ARG005
        revoked: Callable[[list[Assigned]], None] = lambda owned: None,  # noqa: ARG005
        session_timeout: float = 30.0,
        poll_timeout: float = 900.0,
    ) -> None:
        from kafka import KafkaConsumer  # the library is read without it
        from kafka.consumer.subscription_state import ConsumerRebalanceListener

        self._short = {broker.topic(name): name for name in topics}

        class Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
            # subtle: called on the client's own thread, where nothing may ask the broker; `next_batch` tells the caller
            def on_partitions_assigned(_, owned: Any) -> None:  # noqa: N805
                self._changes.append((assigned, self._short_of(owned)))

            def on_partitions_revoked(_, owned: Any) -> None:  # noqa: N805
                self._changes.append((revoked, self._short_of(owned)))

        self._changes: list[tuple[Callable[[list[Assigned]], None], list[Assigned]]] = []
        self._still: dict[
            Assigned, tuple[int, float, int]
        ] = {}  # behind, and standing still: looks, since, where
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
        """The group's generation that this member belongs to; it grows with every change of owners."""
        return int(self._consumer.group_metadata().generation_id)

    @property
    def owned(self) -> list[Assigned]:
        """The partitions that this member owns."""
        return self._short_of(self._consumer.assignment())

    def next_batch(self) -> list[tuple[str, Any]]:
        """Records with the short names of their topics; after half a second without any, an empty batch.

        Raises:
            BrokerError: if a batch of records cannot be decoded.
        """
        found = decoded_poll(self._consumer, _POLL_MS, self._most)
        if self._changes:
            self._settle()
            return []
        return [
            (self._short[at.topic], record) for at, records in found.items() for record in records
        ]

    def _settle(self) -> None:
        """Owners changed: what was given out and not committed is asked for again, after the caller has been told."""
        for at in list(self._consumer.assignment()):
            # subtle: in a partition that stays here the client would go on where it was, not where the group stands
            self._consumer.seek(at, patiently(self.committed, *self._short_of([at])))
        while self._changes:
            tell, owned = self._changes.pop(0)
            tell(owned)

    def seek(self, assigned: Assigned, offset: int) -> None:
        """Read a partition from an offset on."""
        self._consumer.seek(self._at(assigned), offset)

    def position(self, assigned: Assigned) -> int:
        """The next offset that will be given out; what lies before it and was not given out holds no record."""
        return int(self._consumer.position(self._at(assigned), timeout_ms=_ANSWER_MS) or 0)

    def committed(self, assigned: Assigned) -> int:
        """Where the group stands in a partition; the beginning where it never stood."""
        return self.stand(assigned)[0]

    def stand(self, assigned: Assigned) -> tuple[int, str]:
        """The same, and the note that was committed with it; without one, an empty note."""
        at = self._at(assigned)
        found = self._consumer.committed(at, metadata=True, timeout_ms=_ANSWER_MS)
        oldest = int(self._consumer.beginning_offsets([at], timeout_ms=_ANSWER_MS)[at])
        if found is None:
            return oldest, ""
        offset, note, _ = found
        if int(offset) < oldest:
            told = f"offsets {offset} to {oldest - 1} of {at.topic!r} partition {at.partition}"
            _LOG.warning(
                "%s are gone: the broker deleted them before this group read them; it goes on after them",
                told,
            )
        return max(int(offset), oldest), note or ""

    def commit(self, stands: Mapping[Assigned, tuple[int, str]] | None = None) -> bool:
        """Commit what was given out so far; False where the partitions belong to another member by now.

        Args:
            stands: instead, for each of these partitions, its next offset and a note that is kept with it.
        """
        from kafka.errors import (
            CommitFailedError,
            IllegalGenerationError,
            RebalanceInProgressError,
            UnknownMemberIdError,
        )
        from kafka.structs import OffsetAndMetadata

        offsets = None
        if stands is not None:
            # subtle: an offset and the note that belongs to it, not where the client stands: owners may have changed since
            offsets = {
                self._at(assigned): OffsetAndMetadata(offset, note, -1)
                for assigned, (offset, note) in stands.items()
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
        """Records behind the end, of each owned partition.

        Raises:
            BrokerError: if the broker answers, says that there is more, and has given nothing of it for long.
        """
        owned = list(self._consumer.assignment())
        try:
            ends = self._consumer.end_offsets(owned, timeout_ms=_ANSWER_MS) if owned else {}
        except Exception:
            self._still.clear()  # what an absent broker does not give is not held against it
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
