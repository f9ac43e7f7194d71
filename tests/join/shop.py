"""Helpers for tests of the join: a small shop with short windows, all times in milliseconds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mainstem.events import (
    Cart,
    Click,
    Event,
    Impression,
    Item,
    Purchase,
    Refusal,
    Return,
    Search,
    Shown,
    View,
)
from mainstem.join import Catalogue, Joiner, LedgerRow, Output, Rejection, Sample, imbalance
from mainstem.settings import Settings
from tests.named import named

KEY = b"secret"
NAMES = ("cup", "mug", "pot", "jug", "tin")
WINDOWS: dict[str, Any] = {
    "questions": "shown",
    "label_window": 100,
    "revision_window": 1000,
    "grace": 10,
    "dedupe_horizon": 500,
    "history_length": 3,
    "history_window": 5000,
    "negatives": 0,
}


def short(**more: Any) -> Settings:
    """Make settings with windows of milliseconds."""
    return Settings.of(named(**{**WINDOWS, **more}))


def shelf(*names: str, time: int = 0) -> Catalogue:
    """Make a catalogue in which each name is an item and its title."""
    catalogue = Catalogue()
    for name in names or NAMES:
        catalogue.add(Item(event_id=f"item-{name}", event_timestamp=time, item_id=name, title=name))
    return catalogue


def joiner(catalogue: Catalogue | None = None, **more: Any) -> Joiner:
    """Make a joiner of partition 0 over the shelf."""
    return Joiner(0, short(**more), catalogue or shelf(), KEY)


def _who(event_id: str, time: int, more: dict[str, Any]) -> dict[str, Any]:
    return {"event_id": event_id, "event_timestamp": time, "user_id": "ann", **more}


def search(event_id: str, time: int, query: str, **more: Any) -> Search:
    """Ann types a query."""
    return Search(query=query, **_who(event_id, time, more))


def impression(event_id: str, time: int, *items: str, **more: Any) -> Impression:
    """Ann is shown items; the impression has the id of its event."""
    more = {"impression_id": event_id, **more}
    return Impression(
        items=tuple(Shown(item_id=item) for item in items), **_who(event_id, time, more)
    )


def view(event_id: str, time: int, item: str = "cup", **more: Any) -> View:
    """Ann opens a page."""
    return View(item_id=item, **_who(event_id, time, more))


def click(event_id: str, time: int, item: str = "cup", **more: Any) -> Click:
    """Ann clicks an item."""
    return Click(item_id=item, **_who(event_id, time, more))


def cart(event_id: str, time: int, item: str = "cup", **more: Any) -> Cart:
    """Ann puts an item into her cart."""
    return Cart(item_id=item, **_who(event_id, time, more))


def purchase(event_id: str, time: int, item: str = "cup", **more: Any) -> Purchase:
    """Ann buys an item."""
    return Purchase(item_id=item, **_who(event_id, time, more))


def return_(event_id: str, time: int, item: str = "cup", **more: Any) -> Return:
    """Ann sends an item back."""
    return Return(item_id=item, **_who(event_id, time, more))


@dataclass(frozen=True)
class Joined:
    """The outputs of the join of a whole log.

    Attributes:
        samples, rejections: in the order in which they are put out.
        rows: ledger rows, the final row last.
    """

    samples: list[Sample]
    rejections: list[Rejection]
    rows: list[LedgerRow]

    @property
    def counts(self) -> dict[str, int]:
        """The counts at the end that are not zero."""
        return {name: count for name, count in self.rows[-1].counts.items() if count}

    def of(self, item: str) -> list[tuple[int, int]]:
        """Return (label version, label) of the samples of an item, in order."""
        return [
            (sample.label_version, sample.label)
            for sample in self.samples
            if sample.item_id == item
        ]


def step(partition: Joiner, *events: Event | Refusal) -> list[Output]:
    """Fold events at the next offsets, and check that the ledger balances after each."""
    outputs: list[Output] = []
    for event in events:
        outputs += partition.step(partition.next_offset, event)
        assert imbalance(partition.ledger_row()) == 0
    return outputs


def join(
    *events: Event | Refusal, catalogue: Catalogue | None = None, until: int = 0, **more: Any
) -> Joined:
    """Fold a whole log and close what is open at its end, or at `until`."""
    partition = joiner(catalogue, **more)
    outputs = step(partition, *events)
    settings = short(**more)
    newest = max(
        [event.event_timestamp for event in events if not isinstance(event, Refusal)], default=0
    )
    closed, last = partition.closed(
        until or newest + settings.join.label_window + settings.join.grace + 1
    )
    assert imbalance(closed.ledger_row()) == 0
    outputs += last
    return Joined(_only(Sample, outputs), _only(Rejection, outputs), _only(LedgerRow, outputs))


def _only(kind: type, outputs: Iterable[Output]) -> list[Any]:
    return [output for output in outputs if isinstance(output, kind)]
