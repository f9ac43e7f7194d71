"""Rules on event times: not after now, not in seconds, not far out of order, no days missing."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from mainstem.settings import Join
from mainstem.validate.delays import Spread, rung_at_least
from mainstem.validate.finding import FAIL, PASS, Finding, Seen, duration, graded, share

__all__ = [
    "DAY",
    "DISORDER_FAIL",
    "DISORDER_WARN",
    "LONGEST_GRACE",
    "Days",
    "Disorder",
    "Future",
    "Unit",
]

DAY: Final = 86_400_000
OLDEST: Final = 788_918_400_000
"""The start of 1995. Older times are wrong: no shop sold on the web before, and seconds read as
milliseconds fall into January 1970."""
DISORDER_WARN: Final = 0.001
DISORDER_FAIL: Final = 0.01
"""An event behind the watermark may miss its question. If one event in a hundred does, the share of
positives changes visibly."""
LONGEST_GRACE: Final = DAY
"""`grace` delays every label; a log with events more than a day late should be sorted instead."""
MISSING_FAIL: Final = 0.05
"""One day in twenty is more than a shop's holidays; fewer days, or a single one, make a warning."""
_WEEK: Final = 7


class Future:
    """`future`: no event happens after now.

    An event in the future closes every open question, and all events after it come late.

    Args:
        now: milliseconds since 1970, UTC.
    """

    name = "future"

    def __init__(self, now: int) -> None:
        self._now, self._furthest = now, 0
        self._seen = Seen()

    def refuses(self, offset: int, event_id: str | None, time: int) -> bool:
        """Note an event if it is after now, and tell whether it is."""
        if time <= self._now:
            return False
        self._seen.note(offset, event_id)
        self._furthest = max(self._furthest, time - self._now)
        return True

    def finding(self) -> Finding:
        """Return the verdict. One event is enough to fail."""
        count = self._seen.count
        found = f"{count:,} events are up to {duration(self._furthest)} after now"
        advice = (
            "set the producer's clock (milliseconds since 1970, UTC); "
            "leave these lines out or correct them"
        )
        return Finding(
            self.name,
            FAIL if count else PASS,
            found if count else "nothing after now",
            {"future": count, "furthest_ms": self._furthest},
            tuple(self._seen.examples),
            advice if count else "",
        )


class Unit:
    """`unit`: event times are in milliseconds, not in seconds."""

    name = "unit"

    def __init__(self) -> None:
        self._seen = Seen()

    def refuses(self, offset: int, event_id: str | None, time: int) -> bool:
        """Note an event if it is older than online shopping; return whether it is."""
        if time >= OLDEST:
            return False
        self._seen.note(offset, event_id)
        return True

    def finding(self) -> Finding:
        """Return the verdict. One event is enough to fail."""
        count = self._seen.count
        return Finding(
            self.name,
            FAIL if count else PASS,
            f"{count:,} events are before 1995" if count else "milliseconds",
            {"before_1995": count},
            tuple(self._seen.examples),
            "event_timestamp is in milliseconds: multiply seconds by 1000" if count else "",
        )


class Disorder:
    """`disorder`: few events are more than `grace` older than the newest event before them.

    Attributes:
        newest: newest event time so far, in milliseconds since 1970; -1 before the first event.
        spread: by how much events are older than the newest event before them.
    """

    name = "disorder"

    def __init__(self, join: Join) -> None:
        self._join = join
        self.newest = -1
        self.spread = Spread((join.grace,))
        self._late = Seen()

    def note(self, offset: int, event_id: str | None, time: int) -> None:
        """Add an event, in the order of the log."""
        lateness = max(self.newest - time, 0)
        self.newest = max(self.newest, time)
        self.spread.note(lateness)
        if lateness > self._join.grace:
            self._late.note(offset, event_id)

    def finding(self) -> Finding:
        """Return the verdict, with the `grace` that would suffice."""
        spread, grace = self.spread, self._join.grace
        late, part = self._late.count, share(self._late.count, spread.count)
        status = graded(part, DISORDER_WARN, DISORDER_FAIL)
        found = (
            f"{late:,} of {spread.count:,} events come later than grace ({duration(grace)}); "
            f"the latest by {duration(spread.largest)}"
        )
        return Finding(
            self.name,
            status,
            found if spread.count else "no events of a shopper",
            {"events": spread.count, "late": late, "share": part, "latest_ms": spread.largest},
            tuple(self._late.examples),
            "" if status == PASS else self._advice(),
        )

    def _advice(self) -> str:
        needed = rung_at_least(self.spread.quantile(1 - DISORDER_WARN))
        if needed > LONGEST_GRACE:
            return "sort the log by event_timestamp: these events come more than a day late"
        longer = needed > self._join.dedupe_horizon
        horizon = f" MAINSTEM_JOIN__DEDUPE_HORIZON={duration(needed)}" if longer else ""
        return (
            f"set MAINSTEM_JOIN__GRACE={duration(needed)}{horizon}, "
            "or sort the log by event_timestamp"
        )


class Days:
    """`missing days`: no day between the first and the last is without events.

    A weekday that occurs at least twice and never has an event is a day of rest, and is not
    missing.
    """

    name = "missing days"

    def __init__(self) -> None:
        self._days: Counter[int] = Counter()
        self._first: dict[int, tuple[int, str | None]] = {}

    def note(self, offset: int, event_id: str | None, time: int) -> None:
        """Add an event."""
        day = time // DAY
        self._days[day] += 1
        if self._days[day] == 1:
            self._first[day] = (offset, event_id)

    def finding(self) -> Finding:
        """Return the verdict. Its examples are the first events after each gap."""
        days = sorted(self._days)
        span = range(days[0], days[-1] + 1) if days else range(0)
        gaps = [day for day in span if day not in self._days]
        rest = _days_of_rest(span, gaps)
        missing = [day for day in gaps if day % _WEEK not in rest]
        open_days = sum(day % _WEEK not in rest for day in span)
        seen = Seen()
        for before, day in pairwise(days):
            if any(gap % _WEEK not in rest for gap in range(before + 1, day)):
                seen.note(*self._first[day])
        found = "no days"
        if days:
            found = f"none missing in {open_days} day{'' if open_days == 1 else 's'}"
        if missing:
            named = ", ".join(_date(day) for day in missing[:3])
            more = " and more" if len(missing) > 3 else ""
            found = f"{len(missing)} of {open_days} days have no event: {named}{more}"
        advice = "add the log of these days, unless the shop was closed"
        return Finding(
            self.name,
            graded(share(len(missing), open_days), 0, MISSING_FAIL if len(missing) > 1 else 1),
            found,
            {"days": open_days, "missing": len(missing), "days_of_rest": len(gaps) - len(missing)},
            tuple(seen.examples),
            advice if missing else "",
        )


def _days_of_rest(span: range, gaps: Iterable[int]) -> set[int]:
    """Weekdays (day number modulo 7) that occur at least twice and are always empty."""
    all_days, empty = Counter(day % _WEEK for day in span), Counter(day % _WEEK for day in gaps)
    return {weekday for weekday, count in empty.items() if count == all_days[weekday] >= 2}


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d")
