"""Join the mutated events of a fuzzing run twice, and count what comes of them."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from mainstem.events import Event, Item, Labelled, Refusal, Tick
from mainstem.join import (
    BLOCK,
    Catalogue,
    Joiner,
    LedgerRow,
    Rejection,
    Sample,
    imbalance,
    new_counts,
)
from mainstem.join.route import partitions_of_event
from mainstem.settings import Settings

DAY = 86_400_000
CLASSES = tuple(name for name in new_counts() if name != "accepted")  # of topic `events`

Told = Event | Refusal | None


@dataclass
class Tally:
    """Counts over the events of all runs."""

    mutations: Counter[str] = field(default_factory=Counter)
    decoded: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    ledger: Counter[str] = field(default_factory=Counter)  # in the run with one partition
    most: Counter[str] = field(default_factory=Counter)  # open and parked at the end of a block
    samples: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)  # by rule of the validator
    lines: int = 0
    restores: int = 0

    @property
    def missing(self) -> list[str]:
        """Classes of the ledger without an event."""
        return [
            name
            for name in CLASSES
            if not (self.most if name in {"open", "parked"} else self.ledger)[name]
        ]


def is_refused(event: Told, settings: Settings) -> bool:
    """Return whether the joiner rejects the event."""
    return isinstance(event, Refusal | Item) or (
        isinstance(event, Labelled) and event.label not in settings.objectives.class_names
    )


class Lane:
    """Two sets of joiners for one number of partitions: one runs through, the other restarts."""

    def __init__(
        self,
        partitions: int,
        settings: Settings,
        catalogue: Catalogue,
        chance: Random,
        tally: Tally,
    ) -> None:
        self._partitions, self._settings, self._catalogue = partitions, settings, catalogue
        self._chance, self._tally = chance, tally
        self._whole = [self._joiner(number) for number in range(partitions)]
        self._cut = [self._joiner(number) for number in range(partitions)]
        self._rejections = 0

    def join(self, events: list[Told]) -> None:
        """Join all events and a final tick, and assert that every count agrees."""
        for event in events:
            try:
                self._take(event)
            except BaseException as error:
                error.add_note(f"at event {str(event)[:5000]}")
                raise
        newest = max(
            (event.event_timestamp for event in events if not isinstance(event, Refusal | None)),
            default=0,
        )
        settings = self._settings
        self._take(
            Tick(event_timestamp=newest + settings.join.label_window + settings.join.grace + 1)
        )
        rows = [joiner.ledger_row() for joiner in self._whole]
        ticks = 1 + sum(isinstance(event, Tick) for event in events)
        assert sum(row.next_offset for row in rows) == len(events) + 1 + ticks * (
            self._partitions - 1
        )
        assert sum(row.counts["tick"] for row in rows) == ticks * self._partitions
        assert sum(row.counts["control"] for row in rows) == events.count(None)
        assert sum(row.counts["rejected"] for row in rows) == self._rejections
        assert self._rejections == sum(is_refused(event, settings) for event in events)
        assert [0] * self._partitions == [
            imbalance(row) + row.counts["open"] + row.counts["parked"] for row in rows
        ]
        if self._partitions == 1:
            self._tally.ledger.update(rows[0].counts)
        # Everything that is kept for a time expires.
        self._take(Tick(event_timestamp=newest + 1000 * DAY))
        for joiner in self._whole:
            joiner.snapshot()  # cuts the ids off that are forgotten
            state = joiner._state
            assert ([], [], {}, []) == (state.waiting, state.deadlines, state.seen, state.forget)

    def _joiner(self, number: int) -> Joiner:
        return Joiner(number, self._settings, self._catalogue, b"secret")

    def _take(self, event: Told) -> None:
        if isinstance(event, Item | None):  # any partition may hold these
            places = [self._chance.randrange(self._partitions)]
        else:
            places = partitions_of_event(event, self._partitions)
        for place in places:
            whole = self._whole[place]
            offset = whole.next_offset
            if self._chance.random() < 0.001:
                self._restore(place)
            outputs = list(whole.step(offset, event))
            assert outputs == list(self._cut[place].step(offset, event))
            for output in outputs:
                self._note(output, offset, event)
            if (offset + 1) % BLOCK == 0:
                assert isinstance(outputs[-1], LedgerRow)

    def _restore(self, place: int) -> None:
        snapshot = self._cut[place].snapshot()
        assert self._whole[place].snapshot() == snapshot
        self._cut[place] = self._joiner(place)
        self._cut[place].restore(snapshot)
        self._tally.restores += 1

    def _note(self, output: Any, offset: int, event: Told) -> None:
        if isinstance(output, LedgerRow):
            assert (0, offset + 1) == (imbalance(output), output.next_offset)
            for name in ("open", "parked"):
                self._tally.most[name] = max(self._tally.most[name], output.counts[name])
        elif isinstance(output, Rejection):
            assert is_refused(event, self._settings)
            assert offset == output.offset
            assert '"user_id":' not in output.body
            self._rejections += 1
        elif isinstance(output, Sample) and self._partitions == 1:
            self._tally.samples[output.source] += 1
