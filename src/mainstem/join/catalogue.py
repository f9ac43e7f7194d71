"""The catalogue: every text that an item ever had, looked up as of an event time.

Item events may be added in any order; the answers are the same.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import NamedTuple

from mainstem.events import Item
from mainstem.ids import numbers_of
from mainstem.join.sample import price_band
from mainstem.join.text import item_text

__all__ = ["Catalogue", "Described"]


class Described(NamedTuple):
    """An item as a sample holds it.

    Attributes:
        item: the item.
        text: its text.
        band: its price band.
        known_since: event time of the first description of the item, in milliseconds.
    """

    item: Item
    text: str
    band: str
    known_since: int


class Catalogue:
    """Every item event of the log, looked up by item and event time.

    Example:
        >>> catalogue = Catalogue()
        >>> catalogue.add(Item(event_id="1", event_timestamp=10, item_id="a", title="red cup"))
        >>> catalogue.add(Item(event_id="2", event_timestamp=20, item_id="a", title="red mug"))
        >>> catalogue.as_of("a", 19).title, catalogue.as_of("a", 20).title, catalogue.as_of("a", 9)
        ('red cup', 'red mug', None)
    """

    def __init__(self) -> None:
        self._versions: dict[str, list[tuple[int, str, Described]]] = {}
        self._newest: dict[str, tuple[int, str, Described]] = {}
        # the pool that negatives are drawn from: (earliest event time, item id), sorted
        self._first_known: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._versions)

    def add(self, item: Item) -> None:
        """Add one item event; adding it again changes nothing."""
        versions = self._versions.setdefault(item.item_id, [])
        time = item.event_timestamp
        if any(known[:2] == (time, item.event_id) for known in versions):
            return
        earlier = versions[0][0] if versions else None
        since = time if earlier is None else min(earlier, time)
        described = Described(item, item_text(item), price_band(item.price), since)
        insort(versions, (time, item.event_id, described), key=lambda version: version[:2])
        if since != earlier:
            if earlier is not None:
                self._first_known.remove((earlier, item.item_id))
                versions[:] = [
                    (when, event_id, one._replace(known_since=since))
                    for when, event_id, one in versions
                ]
            insort(self._first_known, (time, item.item_id))
        self._newest[item.item_id] = versions[-1]

    def as_of(self, item_id: str, time: int) -> Item | None:
        """The item as it was at `time` (milliseconds), or None if no event described it by then."""
        found = self.described_as_of(item_id, time)
        return found.item if found else None

    def described_as_of(self, item_id: str, time: int) -> Described | None:
        """The item as it was at `time`, as a sample holds it; None as in `as_of`."""
        newest = self._newest.get(item_id)
        if newest is None:
            return None
        if newest[0] <= time:  # the usual case: the newest description is the right one
            return newest[2]
        versions = self._versions[item_id]
        place = bisect_left(versions, (time + 1,))
        return versions[place - 1][2] if place else None

    def categories_of(self, item_ids: Iterable[str], time: int) -> dict[str, str]:
        """Category of each item as it was at `time`; empty where it is unknown."""
        found = {item_id: self.described_as_of(item_id, time) for item_id in set(item_ids)}
        return {
            item_id: (described.item.category or "") if described else ""
            for item_id, described in found.items()
        }

    def draw(
        self, seed: int, question_event_id: str, item_id: str, time: int, count: int
    ) -> list[tuple[str, float]]:
        """Draw negatives for a question uniformly from the items that were known at `time`.

        A draw is a hash of (seed, question, number of the draw) into the items in
        (event time, id) order, so it is the same in any partitioning.

        Args:
            seed: seed of the run.
            question_event_id: event id of the question.
            item_id: the item that the question asks about; it is never drawn.
            time: event time of the question, in milliseconds.
            count: how many different items to draw. If fewer are known, all of them are drawn.

        Returns:
            Pairs of an item id and the probability that this item is among the drawn items.
        """
        pool = self._first_known
        newest = bool(pool) and pool[-1][0] <= time
        known = len(pool) if newest else bisect_left(pool, (time + 1,))
        others = known - (self.described_as_of(item_id, time) is not None)
        count = min(count, others)
        drawn: list[str] = []
        number, number_with = 0, numbers_of("negative", seed, question_event_id)
        while len(drawn) < count:
            candidate = pool[number_with(number) % known][1]
            number += 1
            if candidate != item_id and candidate not in drawn:
                drawn.append(candidate)
        return [(candidate, count / others) for candidate in drawn]
