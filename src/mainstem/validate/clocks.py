"""Rules on event times: not after now, not in seconds, not too far out of order, and none of the days missing."""

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
"""1995: no shop sold on the web before. Seconds taken for milliseconds fall into January 1970."""
DISORDER_WARN: Final = 0.001
DISORDER_FAIL: Final = 0.01
"""Behind the watermark an event may miss its question; one in a hundred moves a share of positives visibly."""
LONGEST_GRACE: Final = DAY
"""`grace` delays every label; what comes later than a day is better sorted into the log."""
MISSING_FAIL: Final = 0.05
"""One day in twenty is more than a shop's holidays; fewer missing days, or a single one, are only told."""
_WEEK: Final = 7


class Future:
    """`future`: no event happens after now. One that does closes every open question, and all after it come late."""

    name = "future"

    def __init__(self, now: int) -> None:
        self._now, self._furthest = now, 0
        self._seen = Seen()

    def refuses(self, offset: int, event_id: str | None, time: int) -> bool:
        """Whether an event is after now."""
        if time <= self._now:
            return False
        self._seen.note(offset, event_id)
        self._furthest = max(self._furthest, time - self._now)
        return True

    def finding(self) -> Finding:
        """The verdict: one is enough to fail."""
        count = self._seen.count
        return Finding(
            self.name,
            FAIL if count else PASS,
            f"{count:,} events are up to {duration(self._furthest)} after now"
            if count
            else "nothing after now",
            {"future": count, "furthest_ms": self._furthest},
            tuple(self._seen.examples),
            "set the producer's clock (milliseconds since 1970, UTC); leave these lines out or correct them"
            if count
            else "",
        )


class Unit:
    """`unit`: event times are milliseconds, not seconds."""

    name = "unit"

    def __init__(self) -> None:
        self._seen = Seen()

    def refuses(self, offset: int, event_id: str | None, time: int) -> bool:
        """Whether an event is older than any shop on the web."""
        if time >= OLDEST:
            return False
        self._seen.note(offset, event_id)
        return True

    def finding(self) -> Finding:
        """The verdict: one is enough to fail."""
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
    """`disorder`: few events come later than `grace` behind the newest event time before them."""

    name = "disorder"

    def __init__(self, join: Join) -> None:
        self._join = join
        self.newest = -1
        self.spread = Spread((join.grace,))
        self._late = Seen()

    def note(self, offset: int, event_id: str | None, time: int) -> None:
        """Take one event, in the order of the log."""
        lateness = max(self.newest - time, 0)
        self.newest = max(self.newest, time)
        self.spread.note(lateness)
        if lateness > self._join.grace:
            self._late.note(offset, event_id)

    def finding(self) -> Finding:
        """The verdict, with the `grace` that would do."""
        spread, grace = self.spread, self._join.grace
        late, part = self._late.count, share(self._late.count, spread.count)
        status = graded(part, DISORDER_WARN, DISORDER_FAIL)
        worst = duration(spread.largest)
        return Finding(
            self.name,
            status,
            f"{late:,} of {spread.count:,} events come later than grace ({duration(grace)}); the latest by {worst}"
            if spread.count
            else "no events of a shopper",
            {"events": spread.count, "late": late, "share": part, "latest_ms": spread.largest},
            tuple(self._late.examples),
            "" if status == PASS else self._advice(),
        )

    def _advice(self) -> str:
        needed = rung_at_least(self.spread.quantile(1 - DISORDER_WARN))
        if needed > LONGEST_GRACE:
            return "sort the log by event_timestamp: these events come more than a day late"
        more = (
            f" MAINSTEM_JOIN__DEDUPE_HORIZON={duration(needed)}"
            if needed > self._join.dedupe_horizon
            else ""
        )
        return f"MAINSTEM_JOIN__GRACE={duration(needed)}{more}, or sort the log by event_timestamp"


class Days:
    """`missing days`: days without events between days that have some. A weekday that never has any is a day of rest."""

    name = "missing days"

    def __init__(self) -> None:
        self._days: Counter[int] = Counter()
        self._first: dict[int, tuple[int, str | None]] = {}

    def note(self, offset: int, event_id: str | None, time: int) -> None:
        """Take one event."""
        day = time // DAY
        self._days[day] += 1
        if self._days[day] == 1:
            self._first[day] = (offset, event_id)

    def finding(self) -> Finding:
        """The verdict; examples are the first events after a gap."""
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
        whole = f"{open_days} days" if days else "no days"
        told = ", ".join(_date(day) for day in missing[:3]) + (
            " and more" if len(missing) > 3 else ""
        )
        return Finding(
            self.name,
            graded(share(len(missing), open_days), 0, MISSING_FAIL if len(missing) > 1 else 1),
            f"{len(missing)} of {open_days} days have no event: {told}" if missing else whole,
            {"days": open_days, "missing": len(missing), "days_of_rest": len(gaps) - len(missing)},
            tuple(seen.examples),
            "add the log of these days; where the shop was closed, nothing is to be done"
            if missing
            else "",
        )


def _days_of_rest(span: range, gaps: Iterable[int]) -> set[int]:
    """Weekdays (day number modulo 7) that came at least twice and were always empty."""
    came, empty = Counter(day % _WEEK for day in span), Counter(day % _WEEK for day in gaps)
    return {weekday for weekday, count in empty.items() if count == came[weekday] >= 2}


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d")
