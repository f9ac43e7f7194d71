"""Rules on traffic: no shopper acts faster than a person, and no category's answers change overnight."""

import math
from collections import defaultdict
from collections.abc import Collection
from statistics import median
from typing import Any, Final

from mainstem.events import Purchase, Return, Tick
from mainstem.validate.clocks import DAY
from mainstem.validate.finding import FAIL, PASS, WARN, Example, Finding, Seen, graded, share
from mainstem.validate.follow import Closed

__all__ = ["Jumps", "Rates"]

MINUTE: Final = 60_000
A_MINUTE: Final = 60
"""Nobody searches, looks or clicks every second for a minute, ..."""
BUSY_MINUTES: Final = 3
"""... and who seems to, three minutes of a day, does not open tabs but runs a program."""
A_DAY: Final = 5000
"""An act every six seconds for more than eight hours."""
BOTS_FAIL: Final = 0.01
"""A hundredth of the events is what a model notices."""
DAYS: Final = 5
"""Days of a category without which there is no usual rate."""
SAMPLES: Final = 50
"""Answers on a day without which there is no rate."""
JUMP_WARN: Final = 5.0
JUMP_FAIL: Final = 8.0
"""Robust standard errors of a day's log-odds; a normal day comes to 5 once in a million, a sale sometimes."""
LEAST_JUMP: Final = math.log(2)
"""Odds that do not even double are no jump, however many answers show it."""


class Rates:
    """`rates`: users act at human rates. A basket is bought at once, so purchases and returns do not count.

    Holds a few numbers a shopper.
    """

    name = "rates"

    def __init__(self) -> None:
        self._events = 0
        self._users: dict[
            str, list[int]
        ] = {}  # minute, acts in it, day, acts in it, busy minutes in it, acts in all
        self._fast: dict[str, tuple[int, str]] = {}

    def note(self, offset: int, event: Any) -> None:
        """Take one event."""
        if isinstance(event, Purchase | Return | Tick):
            return
        self._events += 1
        minute, day = event.event_timestamp // MINUTE, event.event_timestamp // DAY
        user = self._users.setdefault(event.user_id, [minute, 0, day, 0, 0, 0])
        if user[2] != day:
            user[2:5] = [day, 0, 0]
        if user[0] != minute:
            user[:2] = [minute, 0]
        user[1] += 1
        user[3] += 1
        user[4] += user[1] == A_MINUTE
        user[5] += 1
        if (user[4] >= BUSY_MINUTES or user[3] > A_DAY) and event.user_id not in self._fast:
            self._fast[event.user_id] = (offset, event.event_id)

    def finding(self) -> Finding:
        """The verdict, by these users' part of all events."""
        seen = Seen()
        for place in self._fast.values():
            seen.note(*place)
        theirs = sum(self._users[user][5] for user in self._fast)
        part = share(theirs, self._events)
        return Finding(
            self.name,
            graded(part, 0, BOTS_FAIL),
            f"{seen.count:,} of {len(self._users):,} users act as no person can ({part:.1%} of the events)"
            if seen.count
            else f"{len(self._users):,} users at human rates"
            if self._users
            else "no users",
            {
                "users": len(self._users),
                "inhuman": seen.count,
                "events": self._events,
                "theirs": theirs,
                "share": part,
            },
            tuple(seen.examples),
            "leave out the events of these users (programs, tills, tests)" if seen.count else "",
        )


class Jumps:
    """`jumps`: a category's share of yes stays near that of its other days, the other categories' changes taken off.

    Holds two counts and a place for each category and day. Drawn negatives say nothing and do not count.
    """

    name = "jumps"

    def __init__(self) -> None:
        self._cells: dict[str, dict[int, list[int]]] = defaultdict(
            dict
        )  # category: day: answers, yes
        self._places: dict[tuple[str, int], Seen] = defaultdict(Seen)

    def closed(self, one: Closed) -> None:
        """Take the first labels of a question."""
        for sample in one.samples:
            if sample.source == "drawn":
                continue
            day = sample.event_time // DAY
            cell = self._cells[sample.category].setdefault(day, [0, 0])
            cell[0] += 1
            cell[1] += sample.label == 1
            self._places[sample.category, day].note(one.offset, one.event_id)

    def finding(self) -> Finding:
        """The verdict, by the largest jump of any category on any day."""
        scores = self._scores()
        jumps = sorted(
            (place for place, score in scores.items() if abs(score) > JUMP_WARN),
            key=lambda one: -abs(scores[one]),
        )
        worst = max(map(abs, scores.values()), default=0.0)
        told = (
            f"no category jumps on any of {len(scores):,} days"
            if scores
            else "too few answers to compare days"
        )
        examples = list[Example]()
        if jumps:
            category, day = jumps[0]
            answers, yes = self._cells[category][day]
            usual = self._usual(category, day)
            told = f"{category or '(none)'}: {yes / answers:.1%} yes on one day, else {usual:.1%}; {len(jumps)} such days"
            examples = self._places[jumps[0]].examples
        return Finding(
            self.name,
            FAIL if worst > JUMP_FAIL else WARN if jumps else PASS,
            told,
            {"category_days": len(scores), "jumps": len(jumps), "largest_score": round(worst, 2)},
            tuple(examples),
            "look for bots, a changed page or lost outcomes on these days; leave the category's events of the day out"
            if jumps
            else "",
        )

    def _scores(self) -> dict[tuple[str, int], float]:
        """Robust standard errors by which each category's day lies off, where there is enough to tell."""
        all_days: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for days in self._cells.values():
            for day, (answers, yes) in days.items():
                all_days[day][0] += answers
                all_days[day][1] += yes
        found = {}
        for category, days in self._cells.items():
            own, others = _noise(days.values()), _noise(all_days.values())
            points = {}
            for day, (answers, yes) in days.items():
                if answers < SAMPLES:
                    continue
                odds, noise = _log_odds(answers, yes), own / answers
                left = all_days[day][0] - answers
                if left >= SAMPLES:
                    odds, noise = (
                        odds - _log_odds(left, all_days[day][1] - yes),
                        noise + others / left,
                    )
                points[day] = (odds, noise)
            if len(points) >= DAYS:
                found.update({(category, day): score for day, score in _robust(points).items()})
        return found

    def _usual(self, category: str, day: int) -> float:
        cells = [cell for other, cell in self._cells[category].items() if other != day]
        return share(sum(yes for _, yes in cells), sum(answers for answers, _ in cells))


def _log_odds(answers: int, yes: int) -> float:
    """Log-odds of yes, half an answer added to each side (Haldane and Anscombe)."""
    return math.log((yes + 0.5) / (answers - yes + 0.5))


def _noise(cells: Collection[list[int]]) -> float:
    """Variance of log-odds for one answer, at the usual share of yes.

    subtle: at a day's own share a day of nothing but yes would be its own excuse.
    """
    answers, yes = sum(cell[0] for cell in cells), sum(cell[1] for cell in cells)
    part = (yes + 0.5) / (answers + 1)
    return 1 / (part * (1 - part))


def _robust(points: dict[int, tuple[float, float]]) -> dict[int, float]:
    """Each point's distance from the median, in standard errors; 0 where it is no jump.

    The spread between days is the median absolute deviation, or what drawing answers explains where that is more.
    """
    middle = median(odds for odds, _ in points.values())
    spread = 1.4826 * median(abs(odds - middle) for odds, _ in points.values())
    usual = max(spread**2, median(noise for _, noise in points.values()))
    return {
        day: (odds - middle) / math.sqrt(usual + noise) if abs(odds - middle) > LEAST_JUMP else 0.0
        for day, (odds, noise) in points.items()
    }
