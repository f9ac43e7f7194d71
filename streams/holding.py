"""Finds the partition that holds the others up: its hours stay open while those of others close.

Features of a question need the hours of all partitions, so scoring waits for the slowest one.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from mainstem.behaviour import HOUR

__all__ = ["Holding"]

_LOOK_EVERY: Final = 15.0  # seconds between two looks
_STILL: Final = 300.0  # seconds without a closed hour after which a partition holds others up
_TELL_EVERY: Final = 300.0  # seconds between two remarks


class Holding:
    """Watches the last closed hour of every partition.

    Args:
        partitions: number of partitions of `events`.
        clock: gives seconds that only grow. It paces looks and remarks; it closes nothing.

    Attributes:
        closed_until: end of the last closed hour of each partition, in milliseconds of event time;
            0 if the partition has closed none.
    """

    def __init__(self, partitions: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.closed_until = dict.fromkeys(range(partitions), 0)
        self._clock = clock
        self._moved = dict.fromkeys(self.closed_until, clock())
        self._looked = self._told = -float("inf")

    @property
    def is_due(self) -> bool:
        """Whether it is time for the next look."""
        return self._clock() - self._looked >= _LOOK_EVERY

    def look(self, closed: Mapping[int, int]) -> str:
        """Take note of the closed hours.

        Args:
            closed: last closed hour of each partition that has one.

        Returns:
            A remark that names the partition that holds the others up; empty if none does, or if
            that was said a short while ago.
        """
        now = self._looked = self._clock()
        for partition, until in self.closed_until.items():
            reached = (closed[partition] + 1) * HOUR if partition in closed else 0
            if reached != until:
                self.closed_until[partition], self._moved[partition] = reached, now
        slowest = min(self.closed_until, key=lambda one: (self.closed_until[one], one))
        others = max(self.closed_until.values())
        waits = others > self.closed_until[slowest] and now - self._moved[slowest] >= _STILL
        if not waits or now - self._told < _TELL_EVERY:
            return ""
        self._told = now
        return (
            f"partition {slowest} holds the others up: its counts are closed up to "
            f"{_shown(self.closed_until[slowest])}, those of others up to {_shown(others)}; "
            "check that a stream worker owns it and that its events can be read"
        )


def _shown(time: int) -> str:
    if not time:
        return "nothing yet"
    return f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%dT%H:%MZ}"
