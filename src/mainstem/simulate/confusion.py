"""Labels that are turned until a given share of the log's yes, or of its no, is wrong.

A share of the log's yes depends on all questions, so a log with such shares is simulated more than
once: the earlier runs count, and only the last one is written. Which labels are turned depends on
one random number for each item and on how alike the item is to what it may be confused with. Both
are the same in every run.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from mainstem.errors import SettingError
from mainstem.simulate.accidents import invented
from mainstem.simulate.alike import nearest
from mainstem.simulate.parts import Part, check_categories, number_of_part
from mainstem.simulate.sessions import Asked, says
from mainstem.simulate.shares import Counts, UnreachableError, to_turn
from mainstem.simulate.shelf import OTHER, Shelf
from mainstem.simulate.shop import Shop

__all__ = ["WRONG", "Confusion", "Plan"]

WRONG: Final = ("wrong no", "wrong yes")
"""The cause of a label that was turned, by the label that it has in the log."""
_BY_LIKENESS: Final = 3.0  # a step of likeness multiplies the odds that a label is turned
_BUCKETS: Final = 1 << 12
_Cell: TypeAlias = tuple[int, int]
# a cell and the label that is turned -> a bucket, and how many are turned in it; in the buckets
# before it, all are
Plan: TypeAlias = Mapping[tuple[_Cell, int], tuple[int, int]]
"""Which labels to turn."""


@dataclass
class _Tally:
    """The labels of a cell before any is turned.

    Attributes:
        labels: number of items by label in the log and true label.
        turnable: number of items whose label is right, by that label and by bucket. The first
            buckets are turned first.
    """

    labels: Counter[tuple[int, int]] = field(default_factory=Counter)
    turnable: tuple[Counter[int], Counter[int]] = field(
        default_factory=lambda: (Counter(), Counter())
    )


class Confusion:
    """Turns labels by a plan, and counts what the next plan needs.

    Memory does not grow with the questions: the items that may be turned are counted in buckets.
    Items are divided into cells, by the first part of `wrong_yes_of` and the first one of
    `wrong_no_of` that they belong to. Each cell has its shares.

    Args:
        shop: the scenario, with the shares.
        shelf: all items.
        plan: labels to turn; empty for none.

    Raises:
        SettingError: if a part has a category that the catalogue lacks.
    """

    def __init__(self, shop: Shop, shelf: Shelf, plan: Plan) -> None:
        self._shelf = shelf
        self._yes, self._no = shop.wrong_parts
        check_categories((*self._yes, *self._no), (*shelf.names, OTHER))
        # subtle: two streams, because an invented deed must not change which labels are turned next
        self._random = shop.draws("confusion").random
        self._later = shop.draws("confused deeds").random
        self._plan = {key: (bucket, left) for key, (bucket, left) in plan.items()}
        self._tallies: defaultdict[_Cell, _Tally] = defaultdict(_Tally)

    def apply(self, asked: Asked, accidents: list[str]) -> list[str]:
        """Turn labels of a question, after all other accidents.

        Args:
            asked: the question; deeds of items whose label is turned are changed.
            accidents: for each item the accident that changed its deeds before, or "".

        Returns:
            For each item the accident that changed its deeds last, or "".
        """
        source = "view" if asked.query is None else "impression"
        causes = list(accidents)
        for place, answer in enumerate(asked.answers):
            drawn, logged = self._random(), says(answer.deeds)
            cell = self._cell(self._shelf.category(answer.good), source)
            tally = self._tallies[cell]
            tally.labels[logged, answer.label] += 1
            if logged != answer.label:
                continue
            # subtle: at any rate, an item is turned if this quotient is below a bound; so the first
            # buckets are turned first, and which bucket an item is in does not depend on the plan
            odds = _BY_LIKENESS ** nearest(asked, answer)
            bucket = int(drawn / (drawn + (1 - drawn) * odds) * _BUCKETS)
            tally.turnable[logged][bucket] += 1
            if self._is_turned(cell, logged, bucket):
                causes[place] = WRONG[1 - logged]
                answer.deeds = [] if logged else [invented(asked, self._later())]
        return causes

    def plan(self, *, strict: bool) -> Plan:
        """Return which labels to turn in a run with the questions of this one.

        Args:
            strict: whether an unreachable share is an error; otherwise every label is turned.

        Raises:
            SettingError: if a share cannot be reached. The message names the largest possible.
        """
        if strict:
            self._check_parts()
        plan = {}
        for cell, tally in self._tallies.items():
            for label, count in enumerate(self._to_turn(cell, tally, strict=strict)):
                plan[cell, label] = _first(tally.turnable[label], count)
        return plan

    def _to_turn(self, cell: _Cell, tally: _Tally, *, strict: bool) -> tuple[int, int]:
        """How many right no become yes, and how many right yes become no, in a cell."""
        pairs = ((1, 1), (1, 0), (0, 0), (0, 1))
        counts = Counts(*(tally.labels[pair] for pair in pairs))
        yes, no = self._yes[cell[0]], self._no[cell[1]]
        try:
            return to_turn(counts, wrong_yes=yes.share, wrong_no=no.share)
        except UnreachableError as error:
            if strict:
                part = yes if error.name == "wrong_yes" else no
                raise _unreachable(error.name, part, error.largest) from error
            return counts.right_no * (yes.share > 0), counts.right_yes * (no.share > 0)

    def _check_parts(self) -> None:
        """Refuse parts of which nothing was shown."""
        for place, (name, parts) in enumerate((("wrong_yes", self._yes), ("wrong_no", self._no))):
            met = {cell[place] for cell in self._tallies}
            for number, part in enumerate(parts[:-1]):
                if part.share and number not in met:
                    msg = (
                        f"{name}_of names {part.by}={part.value}, of which nothing is shown; "
                        "leave it out, or simulate a longer log"
                    )
                    raise SettingError(msg)

    def _cell(self, category: str, source: str) -> _Cell:
        parts = (self._yes, self._no)
        yes, no = (number_of_part(one, category, source) for one in parts)
        return yes, no

    def _is_turned(self, cell: _Cell, label: int, bucket: int) -> bool:
        last, left = self._plan.get((cell, label), (0, 0))
        if bucket == last and left:
            self._plan[cell, label] = last, left - 1
            return True
        return bucket < last


def _first(turnable: Counter[int], count: int) -> tuple[int, int]:
    """The bucket in which the first `count` items end, and how many of them are in it."""
    for bucket in sorted(turnable):
        if count <= turnable[bucket]:
            return bucket, count
        count -= turnable[bucket]
    return _BUCKETS, 0


def _unreachable(name: str, part: Part, largest: float) -> SettingError:
    where = f" of {part.by}={part.value}" if part.by else ""
    down = math.floor(largest * 1000) / 1000  # subtle: rounded down, so that it can be reached
    more = "lower it, or show fewer items that fit (fitting)"
    if name == "wrong_no":
        more = "lower it, or show more items that fit (fitting)"
    return SettingError(
        f"{name}{where} cannot be {part.share:g}; the largest possible is {down:.3f}; {more}"
    )
