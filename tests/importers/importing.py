"""What the tests of importers share: where the real files lie, and a ledger of what comes of their events."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from mainstem.events import Event, Item, Labelled, View, decode, encode
from mainstem.join import Catalogue, Joiner, LedgerRow
from mainstem.join.ledger import imbalance
from mainstem.settings import Join, Objectives, Settings

SHARED = Path(__file__).parents[3] / "shared" / "data"


def real(name: str) -> Path:
    """A file of a data set that others made; a test that wants it is skipped where it is not."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the real file is not at {path}")
    return path


def kinds(events: Iterable[Event]) -> Counter[str]:
    """How many events there are of each kind."""
    return Counter(type(event).__name__ for event in events)


def joined(events: list[Event], classes: str = "") -> dict[str, int]:
    """The counts of a joiner that read the events, each as it is on the wire; its ledger must balance at every row."""
    asks = (
        "shown"
        if any(isinstance(event, View) or type(event).__name__ == "Impression" for event in events)
        else "purchases"
    )
    catalogue = Catalogue()
    for event in events:
        if isinstance(event, Item):
            catalogue.add(event)
    joiner = Joiner(
        0,
        Settings(join=Join(questions=asks), objectives=Objectives(classes=classes)),
        catalogue,
        b"secret",
    )
    others = [event for event in events if not isinstance(event, Item)]
    for offset, event in enumerate(others):
        for output in joiner.step(offset, decode(encode(event))):
            assert not isinstance(output, LedgerRow) or imbalance(output) == 0
    closed, _ = joiner.closed(max(event.event_timestamp for event in events) + 10**11)
    row = closed.ledger_row()
    assert imbalance(row) == 0
    assert len(others) == row.next_offset
    return {name: count for name, count in row.counts.items() if count}


def texts(events: Iterable[Event]) -> list[tuple[str, str]]:
    """Text and label of labelled texts."""
    return [(event.text, event.label) for event in events if isinstance(event, Labelled)]
