"""How long outcomes take, how late events come, and what each window would cost.

A spread counts durations between fixed edges, so it stays small however long the log is. Every
window that may be suggested, and the current value of the setting, is an edge, so the cost of a
window is counted exactly. Quantiles are accurate to a quarter.
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
"""The windows that may be suggested, in milliseconds."""
_FINE: Final = 1.25  # ratio of neighbouring edges
REVISED_SHARE: Final = 0.05
"""Largest share of outcomes that may revise a label. A longer `label_window` would make every label
wait; it is cheaper to score one sample in twenty again."""
LONGEST_LABEL: Final = _DAY
"""The longest `label_window` and `grace` suggested. What takes longer than a day (a parcel, a
second thought) should revise a label rather than delay it."""
SHORTEST_REVISION: Final = _DAY
"""The shortest `revision_window` suggested; a shorter one saves next to nothing."""
LOST_SHARE: Final = 0.001
"""Largest share of outcomes that may come after `revision_window`, and are lost for ever; or of
events that may come behind the watermark, and may miss their question."""
FEWEST: Final = 30
"""Fewest durations that a suggestion is based on; one in twenty of fewer says nothing."""


def rung_at_least(millis: float) -> int:
    """Return the shortest of `RUNGS` that is at least this long; the longest if none is.

    Example:
        >>> rung_at_least(61_000), rung_at_least(10**12) == RUNGS[-1]
        (120000, True)
    """
    return RUNGS[min(bisect_left(RUNGS, millis), len(RUNGS) - 1)]


class Spread:
    """Counts of durations between edges.

    Args:
        own: edges besides the fixed ones, in milliseconds.

    Attributes:
        edges: all edges, in milliseconds, ascending.
        count: number of durations.
        largest: the longest duration, in milliseconds; 0 if there is none.

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
        """Return how many durations are longer than an edge, which is a rung or one of `own`."""
        return sum(self._counts[bisect_right(self.edges, edge) :])

    def quantile(self, part: float) -> int:
        """Return the edge, in milliseconds, that this share of the durations does not exceed.

        The result is 0 if there are no durations, and never more than the longest.
        """
        left = part * self.count
        for edge, count in zip(self.edges, self._counts, strict=False):
            left -= count
            if left <= 0:
                return min(edge, self.largest)
        return self.largest

    def between(self, edges: Iterable[int]) -> list[int]:
        """Count the durations up to the first edge, between any two edges, and beyond the last."""
        beyond = [self.count, *(self.beyond(edge) for edge in edges), 0]
        return [here - there for here, there in pairwise(beyond)]


@dataclass(frozen=True)
class Candidate:
    """A possible length of a window.

    Attributes:
        millis: the length, in milliseconds.
        cost: share of outcomes or events that the window would cost; None if it was not measured.
    """

    millis: int
    cost: float | None


@dataclass(frozen=True)
class Window:
    """A setting that is a window: its value, a suggestion, and the cost of each possible length.

    Attributes:
        setting: name of the setting.
        costs: the outcomes or events of which the cost is a share, in words.
        measured: number of durations that the costs are based on.
        now: current value, in milliseconds.
        suggested: suggested value, in milliseconds; None if too few durations were measured.
        candidates: possible lengths, ascending.
    """

    setting: str
    costs: str
    measured: int
    now: int
    suggested: int | None
    candidates: tuple[Candidate, ...]


class Delays:
    """How long each kind of outcome comes after its question.

    Questions are remembered for twice the revision window, so longer delays are not known.

    Attributes:
        longest: longest delay that can be measured, in milliseconds.
        kinds: the spread of delays of each kind of outcome.
    """

    def __init__(self, join: Join) -> None:
        self._join = join
        self.longest = 2 * max(join.revision_window, join.label_window)
        self.kinds: dict[str, Spread] = {}

    def note(self, kind: str, delay: int) -> None:
        """Add an outcome of a kind that came `delay` milliseconds after its question."""
        if kind not in self.kinds:
            own = (self._join.label_window, self._join.revision_window, self.longest)
            self.kinds[kind] = Spread(own)
        self.kinds[kind].note(delay)

    def windows(self) -> tuple[Window, Window]:
        """Suggest `label_window` and `revision_window`.

        Return events do not count for `label_window`, because they are meant to revise a label.
        """
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
    """Suggest `grace`.

    Nothing is suggested if no event is late, because a sorted log does not show how late events
    come.

    Args:
        lateness: by how much events are older than the newest event before them.
        join: settings with the current `grace`.
    """
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
    """Suggest the shortest window of a range that costs at most `most`, or else the longest."""
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
