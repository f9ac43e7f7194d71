"""Importer for the Open Bandit Dataset: impressions of one item each, and clicks.

An item is shown in one of three positions.
The source does not identify shoppers: each row gets a shopper of its own, so no shopper has a
history. The campaign and the four hashed features of the shopper form the query. An item is a
number within its campaign, and its title says no more. A click has no time of its own and gets the
time of its impression. The propensity score, where the source has one, becomes the propensity of
the item. The policy has no field in an event and is dropped.

Source: Saito, Aihara, Matsutani and Narita, Open Bandit Dataset and Pipeline, NeurIPS 2021 Datasets
and Benchmarks, https://arxiv.org/abs/2008.07146.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, Final

from mainstem.events.vocabulary import Click, Impression, Item, Shown
from mainstem.importers.making import Shelf, named, row_by_row
from mainstem.importers.names import name_of, nothing_said, text_of, worded
from mainstem.importers.tables import Row
from mainstem.importers.values import number_of, time_reader, whole_number_of

__all__ = ["COLUMNS", "OPTIONAL", "events_of"]

_FEATURES: Final = tuple(f"user_feature_{number}" for number in range(4))
COLUMNS: Final = ("timestamp", "item_id", "position", "click", *_FEATURES)
OPTIONAL: Final = ("campaign", "propensity_score")
_DIGITS: Final = 6  # kept of a feature's 32 digits, as a word that a model can learn


def events_of(
    rows: Iterable[Row], left_out: Counter[str] | None = None
) -> Iterator[Item | Impression | Click]:
    """Turn the rows of the source, in their order, into events.

    Args:
        rows: one mapping per row, with the source's own column names (`COLUMNS`); `campaign`
            and `propensity_score` may be missing.
        left_out: counts, by reason, the rows without an item.

    Raises:
        ImportSourceError: if a row's time or numbers cannot be read.

    Example:
        >>> row = {"timestamp": "2019-11-24 00:03:13.442536+00:00", "campaign": "men",
        ...        "item_id": "14", "position": "3", "click": "1",
        ...        **{f"user_feature_{n}": f"{n}cef3390ed299c09" for n in range(4)}}
        >>> item, impression, click = events_of([row])
        >>> item.title, impression.query, impression.items[0].position
        ('men item 14', 'men 0cef33 1cef33 2cef33 3cef33', 3)
        >>> click.impression_id == impression.impression_id
        True
    """
    shelf, millis = Shelf(), time_reader()
    left_out = Counter() if left_out is None else left_out

    def of_row(row: Row) -> Iterator[Item | Impression | Click]:
        campaign, number = worded(text_of(row.get("campaign"))), name_of(row["item_id"])
        if not number:
            left_out[f"no item{nothing_said(row['item_id'])}"] += 1
            return
        time = millis(row["timestamp"])
        position, clicked = whole_number_of(row["position"], "position"), _clicked(row["click"])
        features = [worded(text_of(row[name])) for name in _FEATURES]
        item_id = f"{campaign}-{number}" if campaign else number
        yield from shelf.seen(time, item_id, f"{campaign} item {number}".strip(), category=campaign)
        # subtle: a float, because the ids contain how it is written
        place = None if position is None else float(position)
        content = repr((text_of(row["timestamp"]), item_id, place, features)).encode()
        digest = blake2b(content, digest_size=16).hexdigest()
        common: dict[str, Any] = {
            "event_timestamp": time,
            "user_id": digest,
            "impression_id": digest,
        }
        propensity = _propensity(row.get("propensity_score"))
        shown = Shown(item_id=item_id, position=position, propensity=propensity)
        query = " ".join([campaign, *(feature[:_DIGITS] for feature in features)]).strip()
        yield Impression(**common, event_id=digest, items=(shown,), query=query)
        if clicked:
            yield named(Click(**common, event_id="", item_id=item_id))

    return row_by_row(rows, of_row, left_out)


def _clicked(value: Any) -> bool:
    number = whole_number_of(value, "click")
    if number not in {None, 0, 1}:
        msg = f"click {number} is neither 0 nor 1"
        raise ValueError(msg)
    return bool(number)


def _propensity(value: Any) -> float | None:
    number = number_of(value, "propensity_score")
    if number is not None and not 0 < number <= 1:
        msg = f"propensity_score {number:g} is not above 0 and at most 1"
        raise ValueError(msg)
    return number
