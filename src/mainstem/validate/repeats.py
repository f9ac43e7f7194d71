"""Rule on event ids: no id stands for two events, and copies come before the joiner forgets the id.

The joiner drops an event whose id it remembers, even if it is another event; it joins a copy again
that comes after `dedupe_horizon`.

The first reading finds ids that may repeat with a Bloom filter: it has a fixed size and misses no
repeated id, but reports some ids that do not repeat. The second reading remembers only the reported
ids, and compares their events exactly.
"""

import hashlib
from typing import Any, Final

from mainstem.events import encode
from mainstem.settings import Join
from mainstem.validate.delays import rung_at_least
from mainstem.validate.finding import PASS, WARN, Finding, Seen, duration, graded, share

__all__ = ["Filter", "Repeats"]

_BITS: Final = 1 << 28  # 32 MiB: of ten million ids, one in a thousand is reported wrongly
WRONG_SHARE: Final = 0.001
"""Each such event makes a wrong label, and one in a thousand is not an accident."""
COPIES_WARN: Final = 0.05
"""Copies within the horizon do no harm, but one in twenty means that a producer sends too often."""


class Filter:
    """Finds ids that may come more than once.

    Attributes:
        repeating: all ids that came again, and a few that did not.

    Example:
        >>> ids = Filter()
        >>> for event_id in ("a", "b", "a"):
        ...     _ = ids.note(event_id)
        >>> "a" in ids.repeating
        True
    """

    def __init__(self) -> None:
        self._bits = bytearray(_BITS // 8)
        self.repeating: set[str] = set()

    def note(self, event_id: str) -> bool:
        """Add an id, and tell whether it may have come before."""
        # subtle: hash() is salted per process: runs differ in wrongly reported ids, not in findings
        found = hash(event_id)
        known = True
        for place in (found % _BITS, (found >> 29) % _BITS, (found * 0x9E3779B1 >> 17) % _BITS):
            byte, bit = place >> 3, 1 << (place & 7)
            if not self._bits[byte] & bit:
                known = False
                self._bits[byte] |= bit
        if known:
            self.repeating.add(event_id)
        return known


class Repeats:
    """`repeated ids`: copies come within `dedupe_horizon`, and no id stands for two events.

    Args:
        join: settings with `grace` and `dedupe_horizon`.
        repeating: ids that may repeat; memory grows with their number, not with the log.
    """

    name = "repeated ids"

    def __init__(self, join: Join, repeating: set[str]) -> None:
        self._join, self._repeating = join, repeating
        self._known: dict[str, tuple[int, bytes]] = {}
        self._events = self._copies = self._longest = 0
        self._newest = -1
        self._reused, self._again, self._either = Seen(), Seen(), Seen()

    def drops(self, offset: int, event: Any) -> bool:
        """Add an event, and tell whether the joiner drops it because it remembers its id."""
        self._events += 1
        watermark = self._newest - self._join.grace
        self._newest = max(self._newest, event.event_timestamp)
        if event.event_id not in self._repeating:
            return False
        digest = hashlib.blake2b(encode(event), digest_size=16).digest()
        before = self._known.get(event.event_id)
        remembered = before is not None and before[0] >= watermark - self._join.dedupe_horizon
        if before is not None:
            age, same = watermark - before[0], before[1] == digest
            self._note(offset, event.event_id, age, same=same, remembered=remembered)
        if not remembered:
            self._known[event.event_id] = (event.event_timestamp, digest)
        return remembered

    def _note(self, offset: int, event_id: str, age: int, *, same: bool, remembered: bool) -> None:
        if same and remembered:
            self._copies += 1
            return
        if same:
            self._again.note(offset, event_id)
            self._longest = max(self._longest, age)
        else:
            self._reused.note(offset, event_id)
        self._either.note(offset, event_id)

    def finding(self) -> Finding:
        """Return the verdict."""
        reused, again = self._reused.count, self._again.count
        status = graded(share(self._either.count, self._events), 0, WRONG_SHARE)
        if status == PASS and share(self._copies, self._events) > COPIES_WARN:
            status = WARN
        horizon = duration(self._join.dedupe_horizon)
        return Finding(
            self.name,
            status,
            f"{reused:,} ids stand for another event, "
            f"{again:,} copies come after dedupe_horizon ({horizon}), "
            f"{self._copies:,} before it (dropped)",
            {
                "events": self._events,
                "reused": reused,
                "copies_beyond_horizon": again,
                "copies": self._copies,
            },
            tuple(self._either.examples),
            "" if status == PASS else self._advice(),
        )

    def _advice(self) -> str:
        advice = []
        if self._reused.count:
            advice.append("give every event an id of its own, like its kind and a number")
        if self._again.count:
            horizon = duration(rung_at_least(self._longest))
            advice.append(f"set MAINSTEM_JOIN__DEDUPE_HORIZON={horizon}")
        return "; ".join(advice) or "send each event once; dropped copies only cost time"
