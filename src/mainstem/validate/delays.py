"""How long outcomes take, how late events come, and what each window would cost.

A spread is counts between fixed edges, so it stays small however long the log is. Every duration that is suggested, and the
setting's value now, is an edge: what a window costs is counted exactly, quantiles are good to a quarter.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from mainstem.settings import Join

__all__ = ["RUNGS", "Candidate", "Delays", "Spread", "Window", "grace_window", "rung_at_least"]

_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000
RUNGS: Final = (
    *(_SECOND * n for n in (1, 2, 5, 10, 20, 30)),
    *(_MINUTE * n for n in (1, 2, 5, 10, 20, 30)),
    *(_HOUR * n for n in (1, 2, 3, 6, 12)),
    *(_DAY * n for n in (1, 2, 3, 7, 14, 30, 60, 90, 180, 365)),
)
"""Durations that a window may be suggested to have."""
_FINE: Final = 1.25  # between two edges
REVISED_SHARE: Final = 0.05
"""A longer `label_window` makes every label wait; one in twenty may be scored again instead."""
LONGEST_LABEL: Final = _DAY
"""What takes longer than a day (a parcel, a second thought) is better revised than waited for."""
SHORTEST_REVISION: Final = _DAY
"""A shorter `revision_window` saves next to nothing."""
LOST_SHARE: Final = 0.001
"""An outcome that comes too late is lost for ever, an event behind the watermark may be: one in a thousand."""
FEWEST: Final = 30
"""With fewer measured a share of one in twenty says nothing."""


def rung_at_least(millis: float) -> int:
    """The shortest rung that is not shorter.

    Example:
        >>> rung_at_least(61_000), rung_at_least(10**12) == RUNGS[-1]
        (120000, True)
    """
    return RUNGS[min(bisect_left(RUNGS, millis), len(RUNGS) - 1)]


class Spread:
    """Counts of durations between edges.

    Args:
        own: more edges, in milliseconds.

    Example:
        >>> spread = Spread()
        >>> for seconds in (1, 2, 3, 3600):
        ...     spread.note(seconds * 1000)
        >>> spread.beyond(2000), spread.quantile(0.25), spread.largest
        (2, 1000, 3600000)
    """

    def __init__(self, own: Iterable[int] = ()) -> None:
        fine = [_SECOND / 10 * _FINE**step for step in range(120)]
        self.edges = sorted(
            {0, *RUNGS, *own, *(round(edge) for edge in fine if edge <= 2 * RUNGS[-1])}
        )
        self._counts = [0] * (len(self.edges) + 1)
        self.count = self.largest = 0

    def note(self, millis: int) -> None:
        """Count one duration."""
        self._counts[bisect_left(self.edges, millis)] += 1
        self.count += 1
        self.largest = max(self.largest, millis)

    def beyond(self, edge: int) -> int:
        """How many were longer than an edge (a rung, or one of its own)."""
        return sum(self._counts[bisect_right(self.edges, edge) :])

    def quantile(self, part: float) -> int:
        """The edge that this part of the durations does not go beyond, in milliseconds; 0 where there are none."""
        left = part * self.count
        for edge, count in zip(self.edges, self._counts, strict=False):
            left -= count
            if left <= 0:
                return min(edge, self.largest)
        return self.largest

    def between(self, edges: Iterable[int]) -> list[int]:
        """How many lay up to the first edge, between each two, and beyond the last."""
        beyond = [self.count, *(self.beyond(edge) for edge in edges), 0]
        return [here - there for here, there in pairwise(beyond)]


@dataclass(frozen=True)
class Candidate:
    """A value that a window could have, in milliseconds, and the share that it would cost; None where nobody measured."""

    millis: int
    cost: float | None


@dataclass(frozen=True)
class Window:
    """A setting, what it is now, what is suggested, and the cost of each value.

    Attributes:
        setting: its name.
        costs: what the cost is a share of, and what becomes of it.
        measured: how many durations stand behind it.
        now: milliseconds.
        suggested: milliseconds; None where too little was measured.
        candidates: by length.
    """

    setting: str
    costs: str
    measured: int
    now: int
    suggested: int | None
    candidates: tuple[Candidate, ...]


class Delays:
    """From a question to each kind of outcome.

    Questions are looked back on for twice the revision window, as the joiner keeps them; longer delays are not known.
    """

    def __init__(self, join: Join) -> None:
        self._join = join
        self.longest = 2 * max(join.revision_window, join.label_window)
        self.kinds: dict[str, Spread] = {}

    def note(self, kind: str, delay: int) -> None:
        """An outcome of this kind came so long (milliseconds) after its question."""
        if kind not in self.kinds:
            self.kinds[kind] = Spread(
                (self._join.label_window, self._join.revision_window, self.longest)
            )
        self.kinds[kind].note(delay)

    def windows(self) -> tuple[Window, Window]:
        """`label_window` and `revision_window`: returns do not count for the first, as they are meant to revise."""
        join = self._join
        answers = [spread for kind, spread in self.kinds.items() if kind != "return"]
        label = _window(
            ("label_window", "outcomes, without returns, that revise a label"),
            join.label_window,
            answers,
            REVISED_SHARE,
            range(LONGEST_LABEL + 1),
            self.longest,
        )
        first = join.label_window if label.suggested is None else label.suggested
        shortest = min(max(first, SHORTEST_REVISION), self.longest)
        revision = _window(
            ("revision_window", "outcomes that are lost for ever"),
            join.revision_window,
            list(self.kinds.values()),
            LOST_SHARE,
            range(shortest, self.longest + 1),
            self.longest,
        )
        return label, revision


def grace_window(lateness: Spread, join: Join) -> Window:
    """`grace`; nothing is suggested where no event is late, as a sorted log does not tell how the next ones will come."""
    about = ("grace", "events that come behind the watermark")
    spreads = [lateness] if lateness.largest else []
    return _window(about, join.grace, spreads, LOST_SHARE, range(LONGEST_LABEL + 1), RUNGS[-1])


def _window(
    about: tuple[str, str],
    now: int,
    spreads: list[Spread],
    most: float,
    within: range,
    known_below: int,
) -> Window:
    """The shortest candidate within a range that costs no more than `most`, else the longest one."""
    measured = sum(spread.count for spread in spreads)
    lengths = sorted({*(rung for rung in RUNGS if rung in within), within[-1], now})
    candidates = [
        Candidate(one, _cost(one, spreads, measured) if one < known_below else None)
        for one in lengths
    ]
    suggested = None
    if measured >= FEWEST:
        may = [one for one in candidates if one.millis in within]
        enough = [one for one in may if one.cost is not None and one.cost <= most]
        suggested = (enough or may[-1:])[0].millis
    return Window(*about, measured, now, suggested, tuple(candidates))


def _cost(millis: int, spreads: list[Spread], measured: int) -> float:
    return sum(spread.beyond(millis) for spread in spreads) / measured if measured else 0.0
