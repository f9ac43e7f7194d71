"""Rule on event ids: a copy is dropped, but two events under one id are one too few, and a late copy is one too many.

Which ids come more than once is found in a first reading, by a Bloom filter: a fixed piece of memory that never misses a
repeat, but takes some ids for repeated that are not. A second reading then keeps only those, and tells exactly.
"""

import hashlib
from typing import Any, Final

from mainstem.events import encode
from mainstem.settings import Join
from mainstem.validate.delays import rung_at_least
from mainstem.validate.finding import PASS, WARN, Finding, Seen, duration, graded, share

__all__ = ["Filter", "Repeats"]

_BITS: Final = (
    1 << 28
)  # 32 MiB: at ten million ids one in a thousand is looked at twice for nothing
WRONG_SHARE: Final = 0.001
"""Labels go wrong with each; one in a thousand is no accident."""
COPIES_WARN: Final = 0.05
"""Copies within the horizon do no harm, but one in twenty tells of a producer that sends too often."""


class Filter:
    """Which ids may come more than once.

    Attributes:
        repeating: ids that came again, and a few that did not.

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
        """Take one id; whether it may have come before."""
        found = hash(
            event_id
        )  # subtle: salted per process, so which ids are kept for nothing differs; findings do not
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
        join: `grace` and `dedupe_horizon`.
        repeating: ids to look at; grows with them, not with the log.
    """

    name = "repeated ids"

    def __init__(self, join: Join, repeating: set[str]) -> None:
        self._join, self._repeating = join, repeating
        self._known: dict[str, tuple[int, bytes]] = {}
        self._events = self._copies = self._longest = 0
        self._newest = -1
        self._reused, self._again, self._either = Seen(), Seen(), Seen()

    def drops(self, offset: int, event: Any) -> bool:
        """Whether the joiner drops this event, as one whose id it remembers."""
        self._events += 1
        watermark = self._newest - self._join.grace
        self._newest = max(self._newest, event.event_timestamp)
        if event.event_id not in self._repeating:
            return False
        digest = hashlib.blake2b(encode(event), digest_size=16).digest()
        before = self._known.get(event.event_id)
        remembered = before is not None and before[0] >= watermark - self._join.dedupe_horizon
        if before is not None:
            self._note(
                offset,
                event.event_id,
                watermark - before[0],
                same=before[1] == digest,
                remembered=remembered,
            )
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
        """The verdict."""
        reused, again = self._reused.count, self._again.count
        status = graded(share(self._either.count, self._events), 0, WRONG_SHARE)
        if status == PASS and share(self._copies, self._events) > COPIES_WARN:
            status = WARN
        horizon = duration(self._join.dedupe_horizon)
        return Finding(
            self.name,
            status,
            f"{reused:,} ids stand for another event, {again:,} copies come after dedupe_horizon ({horizon}), "
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
            advice.append(f"MAINSTEM_JOIN__DEDUPE_HORIZON={duration(rung_at_least(self._longest))}")
        return (
            "; ".join(advice) or "send each event once; the copies are dropped, and cost time only"
        )
