"""The joiners of an embedded replay, one for each partition, and the ticks between them.

A partition without events would keep its hours open, and readers of counts wait for the hours of
all partitions. So when one partition closes an hour, the others are ticked to the same time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mainstem.behaviour import HOUR, hour_of
from mainstem.events import Refusal, decode
from mainstem.events.survey import belongs_to_items
from mainstem.join import Catalogue, Joiner, LedgerRow, Output, Snapshot, closing_time
from mainstem.join.route import partitions_of_event
from mainstem.settings import Settings

__all__ = ["Joiners"]


class Joiners:
    """All joiners of a replay.

    Args:
        settings: settings of the replay, whose `join.questions` may not be `auto`.
        catalogue: catalogue with all items of the log.
        key: secret of the pseudonyms.
    """

    def __init__(self, settings: Settings, catalogue: Catalogue, key: bytes) -> None:
        self._join = settings.join
        partitions = range(settings.join.partitions)
        self._joiners = [Joiner(one, settings, catalogue, key) for one in partitions]
        self._due = 0  # event time at which the next hour closes

    def join(self, lines: Iterable[bytes]) -> Iterator[Output]:
        """Join lines of the log; item events are left out, because the survey has read them."""
        for raw in lines:
            event = decode(raw)
            if belongs_to_items(event, raw):
                continue
            mine = partitions_of_event(event, len(self._joiners))
            if not isinstance(event, Refusal) and event.event_timestamp >= self._due:
                yield from self._tick(event.event_timestamp, mine)
            for partition in mine:
                joiner = self._joiners[partition]
                yield from joiner.step(joiner.next_offset, event)

    def closed(self, newest: int) -> list[list[Output]]:
        """Close all open questions and hours by a final tick, on copies of the joiners.

        Args:
            newest: largest event time of the log, in milliseconds.

        Returns:
            The outputs of each partition.
        """
        time = closing_time(newest, self._join)
        return [joiner.closed(time)[1] for joiner in self._joiners]

    def snapshots(self) -> list[Snapshot]:
        """The states of the joiners."""
        return [joiner.snapshot() for joiner in self._joiners]

    def restore(self, snapshots: Sequence[Snapshot]) -> None:
        """Go back to the states of a checkpoint."""
        for joiner, snapshot in zip(self._joiners, snapshots, strict=True):
            joiner.restore(snapshot)
        self._due = self._after(max(joiner.newest for joiner in self._joiners))

    @property
    def ledger(self) -> list[LedgerRow]:
        """The present row of the ledger of each partition."""
        return [joiner.ledger_row() for joiner in self._joiners]

    @property
    def open_hours(self) -> Mapping[int, int]:
        """The first hour of each partition that is not closed."""
        return {joiner.partition: joiner.open_hour for joiner in self._joiners}

    def _tick(self, time: int, mine: range) -> Iterator[Output]:
        """Tick the partitions that an event at `time` does not go to."""
        self._due = self._after(time)
        for joiner in self._joiners:
            if joiner.partition not in mine:
                yield from joiner.tick(self._due - HOUR)

    def _after(self, time: int) -> int:
        """The first event time after `time` at which an hour closes."""
        return (hour_of(time - self._join.grace) + 1) * HOUR + self._join.grace
