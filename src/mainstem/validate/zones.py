"""Rule on time zones: a kind of event whose times are off by whole or half hours.

Three traces of local time sent as UTC, each of which must point to one and the same shift for most events of a kind:
neighbours in a log in order of arrival that are hours apart; outcomes hours before their question; outcomes of which not
one comes sooner than so many hours after it.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Final

from mainstem.validate.finding import FAIL, PASS, Finding, Seen, duration

__all__ = ["Arrivals", "Matches", "Shift", "Zones"]

STEP: Final = 1_800_000
"""Half an hour, as India's and central Australia's clocks differ by one."""
LEAST: Final = 2
"""Steps of the smallest shift that is looked for: one hour, as between Britain and France."""
MOST: Final = 28
"""Steps of the largest: 14 hours, as in Kiribati."""
NEAR: Final = 600_000
"""Ten minutes: neighbours in a log lie no further apart, once the shift is taken off."""
AGREE: Final = 0.8
"""Part of a kind's events that must show the same shift; honest delays are spread over hours."""
LEAST_SHARE: Final = 0.02
"""Part of all neighbours below which hours between them are nights and quiet hours."""
FEWEST: Final = 10
"""Events of a kind below which nothing is said."""


@dataclass(frozen=True)
class Shift:
    """A kind's times are this much too late (milliseconds; below 0: too early), as so many events show."""

    millis: int
    events: int


class Zones:
    """`time zone`: what the traces found, as one verdict."""

    name = "time zone"

    def __init__(self) -> None:
        self._shifts: dict[str, Shift] = {}
        self._seen = Seen()

    def add(self, shifts: dict[str, Shift], examples: dict[str, Seen]) -> None:
        """Take what a trace found."""
        for kind, shift in shifts.items():
            self._shifts.setdefault(kind, shift)
            for example in examples[kind].examples:
                self._seen.note(example.offset, example.event_id)

    @property
    def shifts(self) -> dict[str, int]:
        """Milliseconds by which each kind's times are too late."""
        return {kind: shift.millis for kind, shift in self._shifts.items()}

    def finding(self) -> Finding:
        """The verdict: one shifted kind is enough to fail."""
        told = [
            f"{kind} times are {duration(abs(shift.millis))} too {'late' if shift.millis > 0 else 'early'}"
            for kind, shift in self._shifts.items()
        ]
        mend = [
            f"{kind}: {'-' if shift.millis > 0 else '+'}{abs(shift.millis)}"
            for kind, shift in self._shifts.items()
        ]
        return Finding(
            self.name,
            FAIL if told else PASS,
            "; ".join(told) or "the kinds of events agree",
            {f"{kind}_shift_ms": shift.millis for kind, shift in self._shifts.items()},
            tuple(self._seen.examples),
            f"send UTC; to mend this log, change event_timestamp ({', '.join(mend)})"
            if told
            else "",
        )


class Arrivals:
    """Neighbours in the log, of two kinds, whose times differ by the same hours again and again.

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
        self._pairs: Counter[tuple[str, str, int]] = (
            Counter()
        )  # kind before, kind after, steps between
        self.examples: dict[str, Seen] = defaultdict(Seen)

    def note(self, offset: int, kind: str, event_id: str, time: int) -> None:
        """Take one event, in the order of the log."""
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
        """The kinds that must be shifted back for neighbours to agree, where that makes most of them agree."""
        pairs, found = self._pairs, {}
        begin = left = _disagreeing(pairs)
        while options := [
            (kind, step) for _, kind, step in pairs if _is_shift(step) and kind not in found
        ]:
            kind, step = min(
                options,
                key=lambda one: (_disagreeing(_mended(pairs, *one)), _rate(pairs, one[0]), one),
            )
            mended = _mended(pairs, kind, step)
            if _disagreeing(mended) >= left:
                break
            found[kind] = Shift(step * STEP, left - _disagreeing(mended))
            pairs, left = mended, _disagreeing(mended)
        well = (
            begin >= max(FEWEST, LEAST_SHARE * sum(self._pairs.values()))
            and left <= (1 - AGREE) * begin
        )
        return (
            {kind: shift for kind, shift in found.items() if shift.events >= FEWEST} if well else {}
        )


def _is_shift(step: int) -> bool:
    return LEAST <= abs(step) <= MOST


def _disagreeing(pairs: Counter[tuple[str, str, int]]) -> int:
    return sum(count for (_, _, step), count in pairs.items() if step)


def _mended(
    pairs: Counter[tuple[str, str, int]], kind: str, by: int
) -> Counter[tuple[str, str, int]]:
    """The pairs as they would be if a kind's times were earlier by so many steps."""
    mended: Counter[tuple[str, str, int]] = Counter()
    for (before, after, step), count in pairs.items():
        mended[before, after, step + by * ((before == kind) - (after == kind))] += count
    return mended


def _rate(pairs: Counter[tuple[str, str, int]], kind: str) -> int:
    return sum(count for (_, after, _), count in pairs.items() if after == kind)


class Matches:
    """Outcomes hours before the question they answer, or none of which comes sooner than hours after it.

    Remembers outcomes without a question for 15 hours, in case it comes.
    """

    def __init__(self) -> None:
        self._orphans: dict[tuple[str, str], list[tuple[int, Any]]] = {}
        self._early: dict[str, Counter[int]] = defaultdict(Counter)
        self._delays: dict[str, Counter[int]] = defaultdict(Counter)
        self.examples: dict[str, Seen] = defaultdict(Seen)
        self._since_sweep = 0

    def asked(self, event: Any) -> None:
        """A question was opened: was one of its outcomes there before?"""
        if not self._orphans:
            return
        items = (
            [shown.item_id for shown in event.items] if hasattr(event, "items") else [event.item_id]
        )
        for item in items:
            for offset, outcome in self._orphans.pop((event.user_id, item), ()):
                gap = event.event_timestamp - outcome.event_timestamp
                named = outcome.impression_id in {None, event.impression_id}
                if named and gap <= MOST * STEP:
                    kind = _kind(outcome)
                    self._early[kind][-(-gap // STEP)] += 1
                    self.examples[kind].note(offset, outcome.event_id)

    def orphaned(self, offset: int, event: Any) -> None:
        """An outcome found no question."""
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
        """An outcome found its question."""
        kind = _kind(event)
        step = delay // STEP
        self._delays[kind][step if delay - step * STEP <= STEP * 2 // 3 else -2] += 1
        if LEAST <= step <= MOST:
            self.examples[kind].note(offset, event.event_id)

    def shifts(self) -> dict[str, Shift]:
        """The kinds that come before their question, and those that never come soon."""
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
