"""Home Depot's queries and titles with the grades of people, clicked by simulated shoppers.

A query is asked the more often, the lower its number in an order that the seed decides. Each time
its graded titles are a page in an order of chance. The label of a sample is its click; the truth is
whether people called the title relevant. So wrong labels are those of a search log: what was not
looked at, and what was clicked in vain.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mainstem.bench.cost.log import Log
from mainstem.bench.selection.clicks import clicked
from mainstem.events import Click, Event, Impression, Item, Labelled, Shown, encode
from mainstem.ids import uuid_of
from mainstem.importers.home_depot import COLUMNS, events_of
from mainstem.importers.tables import read_rows

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["GRADED", "GradedStream", "has_grades"]

GRADED: Final = "homedepot_relevance"
"""Name of the set, which is also the name of its folder."""
_FILE: Final = "train.parquet"
_FIRST: Final = 1_767_225_600_000  # 2026-01-01, when the first page is shown
_BETWEEN: Final = 60_000  # milliseconds between two pages
_SHOPPERS: Final = 500
_MOST: Final = 10  # titles of a page
_RARER: Final = 0.5  # how fast queries get rarer with their number: 1 / number ** .5


@dataclass(frozen=True, kw_only=True)
class GradedStream:
    """Pages of graded titles, clicked by simulated shoppers.

    Attributes:
        name: name of the stream in tables.
        data: folder of the sets.
        pages: number of pages that are shown.
        confirmed: share of the pages whose true labels somebody confirmed.
        settings: settings that differ from the usual ones.
        cell_seconds: about how long one cell takes on one core.
    """

    name: str = "Home Depot, clicks simulated from grades"
    data: Path = field(repr=False)  # where the files lie changes no figure
    pages: int = 1500
    confirmed: float = 0.1
    settings: Mapping[str, Any] = field(default_factory=dict)
    cell_seconds: float = 40.0

    @property
    def is_noisy(self) -> bool:
        """Many relevant titles get no click."""
        return True

    def log(self, seed: int) -> Log:
        """Pages and clicks, and whether each title is relevant.

        Args:
            seed: seed of queries, pages and clicks.
        """
        asked = _by_query(self.data)
        random = np.random.default_rng((8, seed))
        chance = np.arange(1, len(asked) + 1) ** -_RARER
        queries = random.permutation(len(asked))
        drawn = queries[random.choice(len(asked), self.pages, p=chance / chance.sum())]
        events: list[Event] = []
        truth: dict[UUID, int] = {}
        items: dict[str, str] = {}
        for number, query in enumerate(drawn.tolist()):
            shown = [asked[query][place] for place in random.permutation(len(asked[query]))][:_MOST]
            items |= {str(one.item_id): str(one.pair) for one in shown}
            events += _page(number, shown, random)
            for one in shown:
                truth[uuid_of("sample", _id(number), str(one.item_id))] = int(one.label == "yes")
        return Log([encode(one) for one in (*_items(items), *events)], truth)


def has_grades(data: Path | None) -> bool:
    """Whether a folder of sets holds the grades."""
    return data is not None and (data / GRADED / _FILE).is_file()


def _by_query(data: Path) -> list[list[Labelled]]:
    """The graded titles of each query, in the order of the file; an item counts once."""
    found: dict[str, dict[str, Labelled]] = {}
    for pair in events_of(read_rows(data / GRADED / _FILE, COLUMNS), start=_FIRST):
        if pair.item_id:
            found.setdefault(pair.text, {}).setdefault(pair.item_id, pair)
    return [list(its.values()) for its in found.values()]


def _id(number: int) -> str:
    return f"page-{number}"


def _items(items: Mapping[str, str]) -> Iterator[Event]:
    for item_id, title in items.items():
        yield Item(
            event_id=f"item-{item_id}", event_timestamp=_FIRST - 1, item_id=item_id, title=title
        )


def _page(
    number: int, shown: Sequence[Labelled], random: np.random.Generator
) -> Iterator[Impression | Click]:
    """One page, and its clicks, each a second after the one above."""
    at, page = _FIRST + number * _BETWEEN, _id(number)
    user = f"shopper-{random.integers(_SHOPPERS)}"
    names = [str(one.item_id) for one in shown]
    yield Impression(
        event_id=page,
        event_timestamp=at,
        user_id=user,
        impression_id=page,
        query=shown[0].text,
        items=tuple(Shown(item_id=name) for name in names),
    )
    relevance = np.array([one.grade for one in shown], np.float64)
    for place in np.flatnonzero(clicked(relevance, random)).tolist():
        yield Click(
            event_id=f"{page}-click-{place}",
            event_timestamp=at + 1000 * (place + 1),
            user_id=user,
            item_id=names[place],
            impression_id=page,
        )
