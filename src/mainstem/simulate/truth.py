"""The truth beside a simulated log: the shoppers' true answers, and the accidents.

A truth file is JSON lines: the shop first, then a line for every question, and a line for every
event that an accident made or changed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from mainstem.errors import LogError
from mainstem.events.logs import read_lines
from mainstem.simulate.accidents import TrackingBug

__all__ = [
    "Truth",
    "TruthOfEvent",
    "TruthOfItem",
    "TruthOfQuestion",
    "TruthOfShop",
    "read_truth",
    "without_later",
]


class TruthOfShop(Struct, frozen=True, kw_only=True):
    """The first line of a truth file.

    Attributes:
        shop: every parameter of the `Shop`.
        tracking_bug: the tracking bug that was drawn; None if the shop has none.
    """

    shop: dict[str, Any]
    tracking_bug: TrackingBug | None


class TruthOfItem(Struct, frozen=True, array_like=True):
    """One item of a question; in the file, a list of the attributes in this order.

    Attributes:
        item_id: id of the item.
        probability: probability that the shopper wants and keeps the item; exact, with four
            decimals.
        label: 1 or 0, drawn from the probability: the shopper's final answer if they had looked at
            the item and no accident had happened.
        cause: why the log answers differently (`unseen`, `bot`, `misclick`, `tracking bug`,
            `turned over`, `wrong yes` for a no that `Shop.wrong_yes` turned, `wrong no` likewise)
            or may (`lost`: the question or an outcome came too late or cannot be read); empty if
            the log agrees.
    """

    item_id: str
    probability: float
    label: int
    cause: str


class TruthOfQuestion(Struct, frozen=True, kw_only=True):
    """A question of the log.

    Attributes:
        question: event id of the impression or view.
        time: its event time, in milliseconds since 1970.
        source: `impression` or `view`.
        items: its items, in their order.
    """

    question: str
    time: int
    source: str
    items: tuple[TruthOfItem, ...]


class TruthOfEvent(Struct, frozen=True, kw_only=True):
    """An event that an accident made or changed.

    Attributes:
        event: id of the event, even if the line is malformed.
        accident: name of the accident.
        line: number of the line in the log, from 1; for a duplicated event, of its copy.
    """

    event: str
    accident: str
    line: int


_LATER: Final[dict[str, Any]] = {
    **dict.fromkeys(("wrong_yes", "wrong_no", "dear_first"), 0.0),
    **dict.fromkeys(("wrong_yes_of", "wrong_no_of"), ""),
    "fitting": None,
}
Truth: TypeAlias = TruthOfShop | TruthOfQuestion | TruthOfEvent
_KINDS: Final[dict[bytes, Any]] = {
    b'{"shop"': msgspec.json.Decoder(TruthOfShop),
    b'{"question"': msgspec.json.Decoder(TruthOfQuestion),
    b'{"event"': msgspec.json.Decoder(TruthOfEvent),
}


def read_truth(path: Path) -> Iterator[Truth]:
    """Read the lines of a truth file, the shop first.

    Args:
        path: a file that `simulate` wrote; it may be packed by gzip or zstd.

    Raises:
        LogError: if the file cannot be read, or is not a truth file.
    """
    if not path.exists():
        msg = f"there is no truth file {str(path)!r}; `mainstem simulate --truth FILE` writes one"
        raise LogError(msg)
    for number, line in enumerate(read_lines(path), start=1):
        head = line.partition(b":")[0]
        decoder = _KINDS.get(head)
        if decoder is None or (number == 1) != (head == b'{"shop"'):
            msg = (
                f"line {number} of {str(path)!r} does not belong in a truth file; "
                "`mainstem simulate --truth FILE` writes one"
            )
            raise LogError(msg)
        try:
            one = decoder.decode(line)
            yield _whole(one) if isinstance(one, TruthOfShop) else one
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            place = f"line {number} of the truth file {str(path)!r}"
            msg = f"{place} cannot be read ({error}); simulate it again"
            raise LogError(msg) from error


def without_later(shop: dict[str, Any]) -> dict[str, Any]:
    """Leave out the parameters that shops did not always have, where they are not given.

    So the truth of a shop without them stays byte for byte as it was. `read_truth` adds them again.
    """
    return {
        name: value for name, value in shop.items() if name not in _LATER or value != _LATER[name]
    }


def _whole(head: TruthOfShop) -> TruthOfShop:
    return msgspec.structs.replace(head, shop=_LATER | head.shop)
