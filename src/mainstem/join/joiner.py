"""The joiner folds one partition of events into samples, rejections and rows of the ledger.

Each event is counted as soon as it is read. Its time moves the watermark, which is the largest
event time seen, less `grace`. The event itself waits until the watermark has passed it, and is then
folded in event time order (`fold`). The joiner reads event time only, never a clock, and its state
is a value.
"""

import heapq
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import msgspec

from mainstem.behaviour import HOUR, Hour, hour_of
from mainstem.behaviour.counting import close
from mainstem.events import (
    Cart,
    Click,
    Event,
    Impression,
    Item,
    Labelled,
    Purchase,
    Refusal,
    Return,
    Search,
    Tick,
    View,
    refusal_of,
)
from mainstem.join.catalogue import Catalogue
from mainstem.join.fold import Fold
from mainstem.join.ledger import BLOCK, LedgerRow, block_of
from mainstem.join.rejections import Rejection, pseudonym, rejection_of
from mainstem.join.sample import Sample
from mainstem.join.seen import Seen
from mainstem.join.snapshot import Snapshot
from mainstem.join.state import JoinState
from mainstem.settings import Settings

__all__ = ["Joiner", "Output"]

_OF_SHOPPERS: Final = frozenset({Search, Impression, View, Click, Cart, Purchase, Return})
Output: TypeAlias = Sample | Rejection | LedgerRow | Hour


class Joiner:
    """Folds one partition of the event log.

    Args:
        partition: number of the partition.
        settings: settings of the join. `join.questions` must be `shown` or `purchases`.
        catalogue: catalogue that the joiners share. It must hold all item events already.
        key: secret of the pseudonyms.

    Raises:
        ValueError: if `join.questions` is still `auto`.

    Example:
        >>> from mainstem.events import Click, Item, Tick, View
        >>> catalogue = Catalogue()
        >>> catalogue.add(Item(event_id="i", event_timestamp=0, item_id="cup", title="red cup"))
        >>> joiner = Joiner(0, Settings.of({"join.questions": "shown"}), catalogue, b"secret")
        >>> view = View(event_id="v", event_timestamp=1, user_id="u", item_id="cup")
        >>> click = Click(event_id="c", event_timestamp=2, user_id="u", item_id="cup")
        >>> [*joiner.step(0, view), *joiner.step(1, click)]
        []
        >>> tick = Tick(event_timestamp=10**9)
        >>> sample, hour = joiner.step(2, tick)
        >>> sample.label, sample.outcomes, len(hour.counts)
        (1, ('click',), 2)
    """

    def __init__(
        self, partition: int, settings: Settings, catalogue: Catalogue, key: bytes
    ) -> None:
        if settings.join.questions == "auto":
            msg = "a joiner cannot use questions='auto'; choose `shown` or `purchases`"
            raise ValueError(msg)
        self.partition = partition
        self._settings = settings
        self._catalogue = catalogue
        self._key = key
        self._grace = settings.join.grace
        self._use(JoinState())

    def begin_at(self, offset: int) -> None:
        """Start from an empty state at `offset`, the oldest offset that the broker still has."""
        self._use(JoinState(first_offset=offset, next_offset=offset))

    @property
    def next_offset(self) -> int:
        """Offset of the next event to fold."""
        return self._state.next_offset

    @property
    def watermark(self) -> int:
        """Event time up to which all events and deadlines have been folded, in milliseconds."""
        return self._state.newest - self._settings.join.grace

    @property
    def newest(self) -> int:
        """Largest event time seen, in milliseconds; -1 before the first event."""
        return self._state.newest

    @property
    def open_hour(self) -> int:
        """The first hour that is not closed, as a number of hours since 1970 UTC."""
        return max(self._state.open_hour.hour, 0)

    def step(self, offset: int, event: Event | Refusal | None) -> Iterable[Output]:
        """Fold the event at `offset`.

        Args:
            offset: offset of the event in the partition.
            event: the event, or a refusal of it. None means that the offset holds no record,
                which a direct read of the topic has shown.

        Returns:
            What the event brings about, in order: samples and closed hours, a rejection, and at the
            end of a block a row of the ledger.

        Raises:
            ValueError: if `offset` is not the next offset. No event may be skipped or folded twice.
        """
        state = self._state
        if offset != state.next_offset:
            msg = f"partition {self.partition} expects offset {state.next_offset}; got {offset}"
            raise ValueError(msg)
        state.next_offset = offset + 1
        outputs: list[Output] = []
        if type(event) in _OF_SHOPPERS:  # a short cut, because most events are of these kinds
            self._take_user_event(event, outputs)
        else:
            self._take(offset, event, outputs)
        if state.next_offset % BLOCK == 0:
            outputs.append(self.ledger_row())
        return outputs

    def tick(self, time: int) -> list[Output]:
        """Move the watermark by a tick that has no offset, because no topic holds it.

        Args:
            time: event time that has been reached, in milliseconds. No later event may be earlier
                than this less `grace`.

        Returns:
            The samples and closed hours that the tick brings about.
        """
        outputs: list[Output] = []
        self._advance(time, outputs)
        return outputs

    def ledger_row(self) -> LedgerRow:
        """The row of the ledger at the current offset."""
        state = self._state
        return LedgerRow(
            topic="events",
            partition=self.partition,
            block=block_of(state.next_offset),
            first_offset=state.first_offset,
            next_offset=state.next_offset,
            counts=dict(state.counts),
        )

    def snapshot(self) -> Snapshot:
        """The state as a value; the same prefix of the log gives the same bytes."""
        self._seen.cut()
        return Snapshot.of(self.partition, self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state with the state of a snapshot.

        Raises:
            ValueError: if the snapshot belongs to another partition or has another form.
        """
        if snapshot.partition != self.partition or snapshot.lacks:
            other = snapshot.lacks or f"partition {snapshot.partition} there, {self.partition} here"
            msg = f"this joiner cannot go on from the snapshot ({other})"
            raise ValueError(msg)
        self._use(snapshot.decoded())

    def closed(self, time: int) -> tuple["Joiner", list[Output]]:
        """Fold a final tick into a copy, so that this joiner can go on when the log grows.

        Args:
            time: event time of the tick, in milliseconds.

        Returns:
            The copy, and the outputs that the tick brings about, with a row of the ledger last.
            Hours that the tick closes are provisional.
        """
        copy = Joiner(self.partition, self._settings, self._catalogue, self._key)
        copy.restore(self.snapshot())
        outputs = [
            msgspec.structs.replace(one, provisional=True) if isinstance(one, Hour) else one
            for one in copy.tick(time)
        ]
        return copy, [*outputs, copy.ledger_row()]

    def _use(self, state: JoinState) -> None:
        self._state = state
        self._seen = Seen(state, self._settings.join.dedupe_horizon)
        self._fold = Fold(state, self._settings, self._catalogue)

    def _take(self, offset: int, event: Event | Refusal | None, outputs: list[Output]) -> None:
        counts, refusal = self._state.counts, None
        match event:
            case None:
                counts["control"] += 1
            case Refusal():
                refusal = event
            case Item():
                refusal = Refusal(
                    reason="an item belongs to topic `items`", path="$.type", digest="", body=""
                )
            case Labelled() if self._fold.class_of(event) is None:
                names = ", ".join(self._settings.objectives.class_names)
                reason = f"{event.label!r} is no class; the setting `classes` names {names}"
                refusal = refusal_of(event, reason, "$.label")
            case Tick():
                counts["tick"] += 1
                self._advance(event.event_timestamp, outputs)
            case _:
                self._take_user_event(event, outputs)
        if refusal:
            counts["rejected"] += 1
            outputs.append(rejection_of(refusal, "events", self.partition, offset, self._key))

    def _take_user_event(self, event: Any, outputs: list[Output]) -> None:
        state, key, counts = self._state, self._key, self._state.counts
        time, event_id = event.event_timestamp, event.event_id
        if event_id in state.seen:
            counts["duplicate"] += 1
        else:
            self._seen.add(event_id, time)
            role = self._fold.role_of(event)
            counts[role] += 1
            if role == "question":
                counts["open"] += 1
            elif role == "outcome":
                counts["parked"] += 1
            session = pseudonym(key, event.session_id) if event.session_id else None
            known = msgspec.structs.replace(
                event, user_id=pseudonym(key, event.user_id), session_id=session
            )
            # subtle: at equal times a search precedes its question, and a question its outcomes,
            # whatever the event ids are, because some logs record whole seconds
            rank = 2 if role == "outcome" else 0 if type(event) is Search else 1
            heapq.heappush(state.waiting, (time, rank, event_id, known))
        self._advance(time, outputs)

    def _advance(self, time: int, outputs: list[Output]) -> None:
        """Move the watermark, and fold the events and deadlines that it passes, earliest first."""
        state, fold = self._state, self._fold
        state.newest = max(state.newest, time)
        watermark, waiting, deadlines = state.newest - self._grace, state.waiting, state.deadlines
        hour = state.open_hour
        if hour.hour < 0:
            hour.hour = max(hour_of(watermark), 0)
        end = (hour.hour + 1) * HOUR
        while True:
            due = waiting[0][0] if waiting else watermark
            # subtle: at equal times the event comes first, so the end of a window belongs to it
            if due < watermark and (not deadlines or due <= deadlines[0][0]):
                if due >= end:
                    outputs.append(self._close(due))
                    end = (hour.hour + 1) * HOUR
                outputs += fold.happen(heapq.heappop(waiting)[3])  # type: ignore[arg-type]  # only user events wait
            elif deadlines and deadlines[0][0] < watermark:
                outputs += fold.act(heapq.heappop(deadlines))
            else:
                break
        if watermark >= end:
            outputs.append(self._close(watermark))
        self._seen.forget(watermark)
        state.since_sweep += 1
        if state.since_sweep > BLOCK and state.since_sweep > len(state.users):
            state.since_sweep = 0
            fold.sweep(watermark)

    def _close(self, time: int) -> Hour:
        """Close all hours before the one of an event time."""
        hour, categories_of = self._state.open_hour, self._catalogue.categories_of
        return close(hour, self.partition, hour_of(time), categories_of)
