"""Whether the hours that the features of a batch need are closed, and what is waited for if not.

Features count behaviour of all shoppers, so a batch waits until every partition of events has
closed the hours before its questions. Only event time closes them: a partition whose events stop
coming holds the scorers up, and is named.
"""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from mainstem.behaviour import HOUR
from mainstem.join import Sample
from mainstem.kafka.messages import decode_samples, read_message
from mainstem.kafka.outages import patiently
from mainstem.scoring.features import needed
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.hours import closed_hours

__all__ = ["Brought", "Waiting"]

_LOG = logging.getLogger("mainstem.score")


class Brought(NamedTuple):
    """A record of topic `samples`, and the samples in it."""

    record: Any
    samples: Sequence[Sample]

    @classmethod
    def by(cls, record: Any) -> Self:
        """Read the samples of a record; a record that cannot be read brings none."""
        place = f"samples/{record.partition} at {record.offset}"
        return cls(record, read_message(record.value, decode_samples, place) or ())


class Waiting:
    """Holds back batches whose hours are not closed.

    Args:
        store: the history, to which the sink writes closed hours.
        settings: settings with the partitions of events and the lag of features.

    Attributes:
        reason: what the batch waits for; empty if no batch waits.
        samples: number of samples that wait.
        seconds: how long batches have waited so far, all together.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self.reason, self.samples, self.seconds = "", 0, 0.0
        self._store, self._settings = store, settings
        self._reached = 0  # all partitions have closed the hours before this one
        self._looked: float | None = None  # when this batch was last looked at

    def lacks(self, batch: Sequence[Brought]) -> bool:
        """Whether the features of a batch must wait for hours that are not closed yet.

        Args:
            batch: records of the batch.
        """
        samples = [sample for one in batch for sample in one.samples]
        now, end = time.monotonic(), needed(samples, self._settings)
        if self._looked is not None:
            self.seconds += now - self._looked
        behind = self._behind(end) if end > self._reached else []
        if not behind:
            self.stop()
            return False
        self._looked, self.samples = now, len(samples)
        reason = _reason(behind, end)
        if reason != self.reason:
            _LOG.info("%d samples wait: %s", len(samples), reason)
        self.reason = reason
        return True

    def stop(self) -> None:
        """Wait no longer, as when the batch belongs to another worker by now."""
        self.reason, self.samples, self._looked = "", 0, None

    def _behind(self, end: int) -> list[int]:
        closed = patiently(closed_hours, self._store)
        ends = {
            partition: closed.get(partition, -1) + 1
            for partition in range(self._settings.join.partitions)
        }
        self._reached = min(ends.values())
        return [partition for partition, reached in ends.items() if reached < end]


def _reason(behind: Sequence[int], end: int) -> str:
    until = datetime.fromtimestamp(end * HOUR / 1000, UTC)
    several = "s" if len(behind) > 1 else ""
    named = ", ".join(map(str, behind[:5])) + (", ..." if len(behind) > 5 else "")
    return (
        f"waiting for partition{several} {named} of events to close the hours "
        f"before {until:%Y-%m-%dT%H:%MZ}"
    )
