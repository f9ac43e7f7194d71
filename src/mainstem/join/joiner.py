"""The joiner: one partition of events in, samples and ledger out. A deterministic fold, whose state is a value.

An event moves the watermark (largest event time seen, less `grace`) before anything else. It is counted at once, waits
until the watermark has passed it, and then happens in event time order (`fold`). No clock is read here: only event time.
"""

import heapq
import hmac
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

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
from mainstem.join.sample import Sample
from mainstem.join.state import FORM, JoinState
from mainstem.settings import Settings

__all__ = ["Joiner", "Output", "Rejection", "Snapshot", "pseudonym", "rejection_of"]

_OF_SHOPPERS: Final = frozenset({Search, Impression, View, Click, Cart, Purchase, Return})
_ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic")
_DECODER: Final = msgspec.msgpack.Decoder(JoinState)


class Rejection(Struct, frozen=True, kw_only=True):
    """A refused event, where it was, and why."""

    topic: str
    partition: int
    offset: int
    reason: str
    path: str
    digest: str
    body: str


def rejection_of(
    refusal: Refusal, topic: str, partition: int, offset: int, key: bytes
) -> Rejection:
    """A refusal at its place; its digest keyed, else a guessed name could be tried against it."""
    return Rejection(
        topic=topic,
        partition=partition,
        offset=offset,
        reason=refusal.reason,
        path=refusal.path,
        digest=pseudonym(key, refusal.digest),
        body=refusal.body,
    )


class Snapshot(Struct, frozen=True, kw_only=True):
    """A joiner's state as a value: two owners of a partition write the same bytes."""

    partition: int
    next_offset: int
    state: bytes
    form: int = 0

    @property
    def lacks(self) -> str:
        """What it lacks of a state of today, in words; empty where a joiner can go on from it."""
        if self.form == FORM:
            return ""
        return f"form {self.form} there, {FORM} now: of another mainstem, whose samples hold other fields"


Output: TypeAlias = Sample | Rejection | LedgerRow


@lru_cache(maxsize=65_536)  # a shopper who comes once comes again
def pseudonym(key: bytes, name: str) -> str:
    """HMAC-SHA-256 of a user or session id, 64 hex digits: the only form in which one is kept anywhere.

    Example:
        >>> len(pseudonym(b"secret", "user-1"))
        64
    """
    return hmac.digest(key, name.encode("utf-8", "surrogatepass"), "sha256").hex()


class Joiner:
    """Folds one partition of the event log.

    Args:
        partition: its number.
        settings: windows and what asks (`questions` must be settled: `shown` or `purchases`).
        catalogue: shared and already read as far as the log's item events go.
        key: secret of the pseudonyms.

    Example:
        >>> from mainstem.events import Click, Item, Tick, View
        >>> catalogue = Catalogue()
        >>> catalogue.add(Item(event_id="i", event_timestamp=0, item_id="cup", title="red cup"))
        >>> joiner = Joiner(0, Settings.of({"join.questions": "shown"}), catalogue, b"secret")
        >>> view = View(event_id="v", event_timestamp=1, user_id="u", item_id="cup")
        >>> click = Click(event_id="c", event_timestamp=2, user_id="u", item_id="cup")
        >>> [*joiner.step(0, view), *joiner.step(1, click)]
        []
        >>> [(sample.label, sample.outcomes) for sample in joiner.step(2, Tick(event_timestamp=10**9))]
        [(1, ('click',))]
    """

    def __init__(
        self, partition: int, settings: Settings, catalogue: Catalogue, key: bytes
    ) -> None:
        if settings.join.questions == "auto":
            msg = "questions='auto' must be settled before joining: `shown` or `purchases`"
            raise ValueError(msg)
        self.partition = partition
        self._settings = settings
        self._catalogue = catalogue
        self._key = key
        self._use(JoinState())

    def begin_at(self, offset: int) -> None:
        """Begin at the oldest offset that the broker still has; nothing has been folded yet."""
        self._use(JoinState(first_offset=offset, next_offset=offset))

    @property
    def next_offset(self) -> int:
        """The offset of the event that comes next."""
        return self._state.next_offset

    @property
    def watermark(self) -> int:
        """Event time that has passed, in milliseconds: what happened before it has been folded."""
        return self._state.newest - self._settings.join.grace

    def step(self, offset: int, event: Event | Refusal | None) -> Iterable[Output]:
        """Fold the event at `offset` (None where a direct read shows the offset to be empty); gives what follows, in order.

        Raises:
            ValueError: if `offset` is not the next one. An event must be neither skipped nor folded twice.
        """
        state = self._state
        if offset != state.next_offset:
            msg = f"partition {self.partition} expects offset {state.next_offset}; got {offset}"
            raise ValueError(msg)
        state.next_offset = offset + 1
        outputs: list[Output] = []
        if type(event) in _OF_SHOPPERS:  # most of all
            self._take_user_event(event, outputs)
        else:
            self._take(offset, event, outputs)
        if state.next_offset % BLOCK == 0:
            outputs.append(self.ledger_row())
        return outputs

    def ledger_row(self) -> LedgerRow:
        """The ledger as it stands."""
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
        """The state as a value; the same log prefix gives the same bytes."""
        state = _ENCODER.encode(self._state)
        return Snapshot(
            partition=self.partition, next_offset=self._state.next_offset, state=state, form=FORM
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot of the same partition.

        Raises:
            ValueError: if it is of another partition, or `lacks` something.
        """
        if snapshot.partition != self.partition or snapshot.lacks:
            other = snapshot.lacks or f"partition {snapshot.partition} there, {self.partition} here"
            msg = f"this joiner cannot go on from the snapshot ({other})"
            raise ValueError(msg)
        self._use(_DECODER.decode(snapshot.state))

    def closed(self, time: int) -> tuple["Joiner", list[Output]]:
        """What a final tick would give, on a copy: this joiner stays as it is, so that a log that grows can go on."""
        copy = Joiner(self.partition, self._settings, self._catalogue, self._key)
        copy.restore(self.snapshot())
        outputs: list[Output] = []
        copy._advance(time, outputs)
        return copy, [*outputs, copy.ledger_row()]

    def _use(self, state: JoinState) -> None:
        self._state = state
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
        state, key = self._state, self._key
        time, event_id = event.event_timestamp, event.event_id
        if event_id in state.seen:
            state.counts["duplicate"] += 1
        else:
            state.seen[event_id] = time
            heapq.heappush(state.forget, (time, event_id))
            is_outcome = self._fold.is_outcome(event)
            self._count(event, is_outcome=is_outcome)
            session = pseudonym(key, event.session_id) if event.session_id else None
            known = msgspec.structs.replace(
                event, user_id=pseudonym(key, event.user_id), session_id=session
            )
            # subtle: at equal times a question comes before its outcomes, whatever their ids; logs may know whole seconds
            heapq.heappush(state.waiting, (time, is_outcome, event_id, known))
        self._advance(time, outputs)

    def _count(self, event: Event, *, is_outcome: bool) -> None:
        counts = self._state.counts
        if is_outcome:
            counts["outcome"] += 1
            counts["parked"] += 1
        elif self._fold.is_question(event):
            counts["question"] += 1
            counts["open"] += 1
        else:
            counts["context"] += 1

    def _advance(self, time: int, outputs: list[Output]) -> None:
        """Move the watermark and let happen what it has passed: events and deadlines, earliest first."""
        state, fold = self._state, self._fold
        state.newest = max(state.newest, time)
        watermark, waiting, deadlines = self.watermark, state.waiting, state.deadlines
        while True:
            # subtle: at equal times the event comes first, so the end of a window still belongs to it
            if (
                waiting
                and waiting[0][0] < watermark
                and (not deadlines or waiting[0][0] <= deadlines[0][0])
            ):
                outputs += fold.happen(heapq.heappop(waiting)[3])  # type: ignore[arg-type]  # only user events wait
            elif deadlines and deadlines[0][0] < watermark:
                outputs += fold.act(heapq.heappop(deadlines))
            else:
                break
        self._forget(watermark)

    def _forget(self, watermark: int) -> None:
        state = self._state
        forget, before = state.forget, watermark - self._settings.join.dedupe_horizon
        while forget and forget[0][0] < before:
            del state.seen[heapq.heappop(forget)[1]]
        state.since_sweep += 1
        if state.since_sweep > BLOCK and state.since_sweep > len(state.users):
            state.since_sweep = 0
            self._fold.sweep(watermark)
