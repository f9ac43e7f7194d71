"""Rule on time zones: a kind of event whose times are off by whole or half hours.

Local time that was sent as UTC leaves one of three traces. Neighbours in a log in order of arrival
are hours apart; outcomes come hours before their question; or no outcome comes sooner than some
hours after its question. A trace counts only if most events of a kind show the same shift.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Final

from mainstem.validate.finding import FAIL, PASS, Finding, Seen, duration

__all__ = ["Arrivals", "Matches", "Shift", "Zones"]

STEP: Final = 1_800_000
"""Half an hour, because clocks in India and central Australia are off by half hours."""
LEAST: Final = 2
"""The smallest shift, in steps: one hour, as between Britain and France."""
MOST: Final = 28
"""The largest shift, in steps: 14 hours, as in Kiribati."""
NEAR: Final = 600_000
"""Longest time between neighbours in a log without their shift: ten minutes."""
AGREE: Final = 0.8
"""Share of a kind's events that must show the same shift; true delays are spread over hours."""
LEAST_SHARE: Final = 0.02
"""Share of all neighbours that must be hours apart; fewer come from nights and quiet hours."""
FEWEST: Final = 10
"""Fewest events of a kind that can show a shift."""


@dataclass(frozen=True)
class Shift:
    """By how much the times of a kind of event are off.

    Attributes:
        millis: milliseconds by which the times are too late; negative if they are too early.
        events: number of events that show it.
    """

    millis: int
    events: int


class Zones:
    """`time zone`: no kind of event is shifted, as far as the traces show."""

    name = "time zone"

    def __init__(self) -> None:
        self._shifts: dict[str, Shift] = {}
        self._seen = Seen()

    def add(self, shifts: dict[str, Shift], examples: dict[str, Seen]) -> None:
        """Add the shifts that a trace shows; the first trace of a kind counts."""
        for kind, shift in shifts.items():
            self._shifts.setdefault(kind, shift)
            for example in examples[kind].examples:
                self._seen.note(example.offset, example.event_id)

    @property
    def shifts(self) -> dict[str, int]:
        """Milliseconds by which each kind's times are too late."""
        return {kind: shift.millis for kind, shift in self._shifts.items()}

    def finding(self) -> Finding:
        """Return the verdict. One shifted kind is enough to fail."""
        shifted, mend = [], []
        for kind, shift in self._shifts.items():
            late, by = shift.millis > 0, abs(shift.millis)
            shifted.append(f"{kind} times are {duration(by)} too {'late' if late else 'early'}")
            mend.append(f"{kind}: {'-' if late else '+'}{by}")
        advice = f"send UTC; to mend this log, change event_timestamp ({', '.join(mend)})"
        return Finding(
            self.name,
            FAIL if shifted else PASS,
            "; ".join(shifted) or "the kinds of events agree",
            {f"{kind}_shift_ms": shift.millis for kind, shift in self._shifts.items()},
            tuple(self._seen.examples),
            advice if shifted else "",
        )


class Arrivals:
    """Finds neighbours in the log, of two kinds, whose times often differ by the same hours.

    Attributes:
        examples: places of events that may be shifted, by kind.

    Example:
        >>> arrivals, minute = Arrivals(), 60_000
        >>> for n in range(20):
        ...     arrivals.note(3 * n, "view", f"v{n}", n * minute)
        ...     arrivals.note(3 * n + 1, "click", f"c{n}", (n + 120) * minute)
        ...     arrivals.note(3 * n + 2, "search", f"s{n}", n * minute)
        >>> arrivals.shifts()
        {'click': Shift(millis=7200000, events=40)}
    """

    def __init__(self) -> None:
        self._last: tuple[str, int] | None = None
        # by kind before, kind after and the steps between them
        self._pairs: Counter[tuple[str, str, int]] = Counter()
        self.examples: dict[str, Seen] = defaultdict(Seen)

    def note(self, offset: int, kind: str, event_id: str, time: int) -> None:
        """Add an event, in the order of the log."""
        last, self._last = self._last, (kind, time)
        if last is None or last[0] == kind:
            return
        gap = time - last[1]
        step = round(gap / STEP)
        if abs(gap - step * STEP) <= NEAR:
            self._pairs[last[0], kind, step] += 1
            if _is_shift(step):
                self.examples[kind].note(offset, event_id)

    def shifts(self) -> dict[str, Shift]:
        """Return the shift of each kind that makes neighbours agree; empty unless most then agree.

        Kinds are shifted back one after another, each time the kind that leaves the fewest
        neighbours apart, as long as their number falls.
        """
        pairs, found = self._pairs, dict[str, Shift]()
        begin = left = _disagreeing(pairs)

        def rank(one: tuple[str, int]) -> tuple[int, int, tuple[str, int]]:
            return _disagreeing(_mended(pairs, *one)), _rate(pairs, one[0]), one

        while options := [
            (kind, step) for _, kind, step in pairs if _is_shift(step) and kind not in found
        ]:
            kind, step = min(options, key=rank)
            mended = _mended(pairs, kind, step)
            if _disagreeing(mended) >= left:
                break
            found[kind] = Shift(step * STEP, left - _disagreeing(mended))
            pairs, left = mended, _disagreeing(mended)
        enough = begin >= max(FEWEST, LEAST_SHARE * sum(self._pairs.values()))
        if not enough or left > (1 - AGREE) * begin:
            return {}
        return {kind: shift for kind, shift in found.items() if shift.events >= FEWEST}


def _is_shift(step: int) -> bool:
    return LEAST <= abs(step) <= MOST


def _disagreeing(pairs: Counter[tuple[str, str, int]]) -> int:
    return sum(count for (_, _, step), count in pairs.items() if step)


def _mended(
    pairs: Counter[tuple[str, str, int]], kind: str, by: int
) -> Counter[tuple[str, str, int]]:
    """The pairs as they would be if the times of a kind were `by` steps earlier."""
    mended: Counter[tuple[str, str, int]] = Counter()
    for (before, after, step), count in pairs.items():
        mended[before, after, step + by * ((before == kind) - (after == kind))] += count
    return mended


def _rate(pairs: Counter[tuple[str, str, int]], kind: str) -> int:
    return sum(count for (_, after, _), count in pairs.items() if after == kind)


class Matches:
    """Finds kinds of outcomes that come hours before their question, or never soon after it.

    Outcomes without a question are remembered for 14 hours of event time, in case the question
    comes.

    Attributes:
        examples: places of outcomes that may be shifted, by kind.
    """

    def __init__(self) -> None:
        self._orphans: dict[tuple[str, str], list[tuple[int, Any]]] = {}
        self._early: dict[str, Counter[int]] = defaultdict(Counter)
        self._delays: dict[str, Counter[int]] = defaultdict(Counter)
        self.examples: dict[str, Seen] = defaultdict(Seen)
        self._since_sweep = 0

    def asked(self, event: Any) -> None:
        """Add a question, and match it with outcomes that came before it."""
        if not self._orphans:
            return
        shown = getattr(event, "items", [event])  # a page, or the one item of a view
        items = [one.item_id for one in shown]
        for item in items:
            for offset, outcome in self._orphans.pop((event.user_id, item), ()):
                gap = event.event_timestamp - outcome.event_timestamp
                named = outcome.impression_id in {None, event.impression_id}
                if named and gap <= MOST * STEP:
                    kind = _kind(outcome)
                    self._early[kind][-(-gap // STEP)] += 1
                    self.examples[kind].note(offset, outcome.event_id)

    def orphaned(self, offset: int, event: Any) -> None:
        """Add an outcome that found no question."""
        self._orphans.setdefault((event.user_id, event.item_id), []).append((offset, event))
        self._delays[_kind(event)][-1] += 1
        self._since_sweep += 1
        if self._since_sweep > max(1000, len(self._orphans)):
            self._since_sweep = 0
            oldest = event.event_timestamp - MOST * STEP
            self._orphans = {
                key: kept
                for key, kept in self._orphans.items()
                if kept[-1][1].event_timestamp >= oldest
            }

    def answered(self, offset: int, event: Any, delay: int) -> None:
        """Add an outcome that found its question `delay` milliseconds before."""
        kind = _kind(event)
        step = delay // STEP
        self._delays[kind][step if delay - step * STEP <= STEP * 2 // 3 else -2] += 1
        if LEAST <= step <= MOST:
            self.examples[kind].note(offset, event.event_id)

    def shifts(self) -> dict[str, Shift]:
        """Return the shift of each kind that comes before its question or never soon after it."""
        found = {}
        for kind, delays in self._delays.items():
            outcomes = sum(delays.values())
            for steps, sign in ((self._early[kind], -1), (delays, 1)):
                [(step, count)] = steps.most_common(1) or [(0, 0)]
                if count >= max(FEWEST, AGREE * outcomes) and LEAST <= step <= MOST:
                    found[kind] = Shift(sign * step * STEP, count)
        return found


def _kind(event: Any) -> str:
    return type(event).__name__.lower()
