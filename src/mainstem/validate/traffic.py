"""Rules on traffic: shoppers act as fast as people can, and no category changes overnight."""

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
"""Events that make a minute busy: nobody searches, views or clicks every second for a minute."""
BUSY_MINUTES: Final = 3
"""Busy minutes in a day that show a program; fewer may be a person opening many tabs."""
A_DAY: Final = 5000
"""Most events of a person in a day: one every six seconds for more than eight hours."""
BOTS_FAIL: Final = 0.01
"""A hundredth of the events is enough to change a model."""
DAYS: Final = 5
"""Fewest days of a category that give a usual rate."""
SAMPLES: Final = 50
"""Fewest answers on a day that give a rate."""
JUMP_WARN: Final = 5.0
JUMP_FAIL: Final = 8.0
"""Robust standard errors of a day's log-odds. A normal day exceeds 5 once in a million."""
LEAST_JUMP: Final = math.log(2)
"""The odds must at least double or halve to be a jump, however many answers there are."""


_NOTHING: Final = "nothing to measure; purchases and returns do not count"


class Rates:
    """`rates`: users act at human rates.

    Purchases and returns do not count, because a whole basket is bought at once. The rule holds a
    few numbers per shopper.
    """

    name = "rates"

    def __init__(self) -> None:
        self._events = 0
        # by user: minute, events in it, day, events in it, busy minutes in it, events in all
        self._users: dict[str, list[int]] = {}
        self._fast: dict[str, tuple[int, str]] = {}

    def note(self, offset: int, event: Any) -> None:
        """Add an event."""
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
        """Return the verdict, which depends on the share of events by users who act too fast."""
        seen = Seen()
        for place in self._fast.values():
            seen.note(*place)
        theirs = sum(self._users[user][5] for user in self._fast)
        part, users = share(theirs, self._events), len(self._users)
        found = f"{users:,} users at human rates" if users else _NOTHING
        if seen.count:
            found = (
                f"{seen.count:,} of {users:,} users act faster than a person can "
                f"({part:.1%} of the events)"
            )
        return Finding(
            self.name,
            graded(part, 0, BOTS_FAIL),
            found,
            {
                "users": users,
                "inhuman": seen.count,
                "events": self._events,
                "theirs": theirs,
                "share": part,
            },
            tuple(seen.examples),
            "leave out the events of these users (programs, tills, tests)" if seen.count else "",
        )


class Jumps:
    """`jumps`: a category's share of yes stays near that of its other days.

    Changes that the other categories share are subtracted. Drawn negatives do not count. The rule
    holds two counts and a few places per category and day.
    """

    name = "jumps"

    def __init__(self) -> None:
        # by category and day: answers, and those that are yes
        self._cells: dict[str, dict[int, list[int]]] = defaultdict(dict)
        self._places: dict[tuple[str, int], Seen] = defaultdict(Seen)

    def closed(self, one: Closed) -> None:
        """Add a closed question with the first labels of its samples."""
        for sample in one.samples:
            if sample.source == "drawn":
                continue
            day = sample.event_time // DAY
            cell = self._cells[sample.category].setdefault(day, [0, 0])
            cell[0] += 1
            cell[1] += sample.label == 1
            self._places[sample.category, day].note(one.offset, one.event_id)

    def finding(self) -> Finding:
        """Return the verdict, which depends on the largest jump of any category on any day."""
        scores = self._scores()
        found_jumps = (place for place, score in scores.items() if abs(score) > JUMP_WARN)
        jumps = sorted(found_jumps, key=lambda one: -abs(scores[one]))
        worst = max(map(abs, scores.values()), default=0.0)
        found = "too few answers to compare days"
        if scores:
            found = f"no category jumps on any of {len(scores):,} days"
        examples = list[Example]()
        if jumps:
            category, day = jumps[0]
            answers, yes = self._cells[category][day]
            usual = self._usual(category, day)
            found = (
                f"{category or '(none)'}: {yes / answers:.1%} yes on one day, "
                f"{usual:.1%} on the others; {len(jumps)} such days"
            )
            examples = self._places[jumps[0]].examples
        advice = (
            "look for bots, a changed page or lost outcomes on these days; "
            "leave out the category's events of these days"
        )
        return Finding(
            self.name,
            FAIL if worst > JUMP_FAIL else WARN if jumps else PASS,
            found,
            {"category_days": len(scores), "jumps": len(jumps), "largest_score": round(worst, 2)},
            tuple(examples),
            advice if jumps else "",
        )

    def _scores(self) -> dict[tuple[str, int], float]:
        """By category and day, the distance from the usual rate in robust standard errors.

        A category with fewer than `DAYS` days, and a day with fewer than `SAMPLES` answers, has
        none.
        """
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
                    odds -= _log_odds(left, all_days[day][1] - yes)
                    noise += others / left
                points[day] = (odds, noise)
            if len(points) >= DAYS:
                found.update({(category, day): score for day, score in _robust(points).items()})
        return found

    def _usual(self, category: str, day: int) -> float:
        cells = [cell for other, cell in self._cells[category].items() if other != day]
        return share(sum(yes for _, yes in cells), sum(answers for answers, _ in cells))


def _log_odds(answers: int, yes: int) -> float:
    """Log-odds of yes, with half an answer added to each side (Haldane and Anscombe)."""
    return math.log((yes + 0.5) / (answers - yes + 0.5))


def _noise(cells: Collection[list[int]]) -> float:
    """Variance of log-odds per answer, at the usual share of yes.

    subtle: at a day's own share, a day with nothing but yes would have so large a variance that it
    could not be a jump.
    """
    answers, yes = sum(cell[0] for cell in cells), sum(cell[1] for cell in cells)
    part = (yes + 0.5) / (answers + 1)
    return 1 / (part * (1 - part))


def _robust(points: dict[int, tuple[float, float]]) -> dict[int, float]:
    """The distance of each point from the median in standard errors; 0 below `LEAST_JUMP`.

    The spread between days is their median absolute deviation, or the median sampling noise if that
    is larger.
    """
    middle = median(odds for odds, _ in points.values())
    spread = 1.4826 * median(abs(odds - middle) for odds, _ in points.values())
    usual = max(spread**2, median(noise for _, noise in points.values()))
    return {
        day: (odds - middle) / math.sqrt(usual + noise) if abs(odds - middle) > LEAST_JUMP else 0.0
        for day, (odds, noise) in points.items()
    }
