"""The truth beside a simulated log: what shoppers would have done, and which accident made which event.

JSON lines: the shop first; then a line for every question, and one for every event that an accident made or changed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from mainstem.errors import LogError
from mainstem.events.logs import read_lines
from mainstem.simulate.accidents import TrackingBug

__all__ = ["Truth", "TruthOfEvent", "TruthOfItem", "TruthOfQuestion", "TruthOfShop", "read_truth"]


class TruthOfShop(Struct, frozen=True, kw_only=True):
    """The first line: every parameter of the `Shop`, and what was drawn for its tracking bug (None: it has none)."""

    shop: dict[str, Any]
    tracking_bug: TrackingBug | None


class TruthOfItem(Struct, frozen=True, array_like=True):
    """One item of a question; on the wire a list in this order.

    Attributes:
        item_id: the item.
        probability: that the shopper wants it, for good; exact, to four decimals.
        label: what they would have answered in the end, drawn from it, had they looked and had nothing gone wrong.
        cause: why the log answers otherwise (`unseen`, `bot`, `misclick`, `tracking bug`, `turned over`) or may do so
            (`lost`: the question, or an outcome, came too late or cannot be read); empty where it answers alike.
    """

    item_id: str
    probability: float
    label: int
    cause: str


class TruthOfQuestion(Struct, frozen=True, kw_only=True):
    """An impression or a view, by its event id, and its items in their order; `time` is its event time."""

    question: str
    time: int
    source: str
    items: tuple[TruthOfItem, ...]


class TruthOfEvent(Struct, frozen=True, kw_only=True):
    """An event that an accident made or changed, with its line in the log (from 1); of a duplicated one the copy's.

    A malformed line's own event id may be unreadable: here it is.
    """

    event: str
    accident: str
    line: int


Truth: TypeAlias = TruthOfShop | TruthOfQuestion | TruthOfEvent
_KINDS: Final[dict[bytes, Any]] = {
    b'{"shop"': msgspec.json.Decoder(TruthOfShop),
    b'{"question"': msgspec.json.Decoder(TruthOfQuestion),
    b'{"event"': msgspec.json.Decoder(TruthOfEvent),
}


def read_truth(path: Path) -> Iterator[Truth]:
    """The lines of a truth file, one by one, the shop first.

    Args:
        path: as `simulate` wrote it, plain or gzip.

    Raises:
        LogError: if it cannot be read, or is no truth file.
    """
    for number, line in enumerate(read_lines(path), start=1):
        head = line.partition(b":")[0]
        decoder = _KINDS.get(head)
        if decoder is None or (number == 1) != (head == b'{"shop"'):
            msg = f"line {number} of {str(path)!r} is not of a truth file; `mainstem simulate --truth FILE` writes one"
            raise LogError(msg)
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            msg = f"line {number} of the truth file {str(path)!r} cannot be read ({error}); simulate it again"
            raise LogError(msg) from error
