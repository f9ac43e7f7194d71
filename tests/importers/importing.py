"""Helpers for tests of importers: where the real files are, and the ledger of imported events."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from mainstem.events import Event, Impression, Item, Labelled, View, decode, encode
from mainstem.join import Catalogue, Joiner, LedgerRow
from mainstem.join.ledger import imbalance
from mainstem.settings import Join, Objectives, Settings

SHARED = Path(__file__).parents[3] / "shared" / "data"


def real(name: str) -> Path:
    """Return the path of a file from a public data set, or skip the test if it is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the real file is not at {path}")
    return path


def kinds(events: Iterable[Event]) -> Counter[str]:
    """Count the events of each kind."""
    return Counter(type(event).__name__ for event in events)


def joined(events: list[Event], classes: str = "") -> dict[str, int]:
    """Join the events as they are on the wire and return the counts.

    The ledger must balance at every row.
    """
    shown = any(isinstance(event, View | Impression) for event in events)
    asks = "shown" if shown else "purchases"
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
    """Return the text and the label of each labelled text."""
    return [(event.text, event.label) for event in events if isinstance(event, Labelled)]
