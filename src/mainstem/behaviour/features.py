"""The features of a sample: numbers about shopper, item and moment that were known before it.

Each is a fixed transform of integer sums over windows or of the sample's own fields, so it means
the same in every version. Most values lie within [-2, 2], and they are clipped at 3. What is not
known is 0.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.behaviour.asked import Moment
from mainstem.behaviour.feature import Feature, bounded
from mainstem.behaviour.known import Known
from mainstem.behaviour.sums import Sums
from mainstem.behaviour.transforms import circle, words_of
from mainstem.behaviour.word_features import word_features

__all__ = ["FEATURES", "FEATURE_NAMES", "features", "text_features"]

_HOUR: Final = 3_600_000
_DAY: Final = 24 * _HOUR
_WEEK: Final = 7 * _DAY
_MONDAY: Final = 4 * _DAY  # the first Monday of 1970
_Floats: TypeAlias = NDArray[np.float64]


def features(samples: Sequence[Moment], sums: Sums) -> NDArray[np.float32]:
    """The features of samples, in the order of `FEATURES`.

    Args:
        samples: N samples.
        sums: sums over their windows.

    Returns:
        Values within [-3, 3], shape (N, F).
    """
    known = Known(samples, sums)
    return np.stack([one.values(known) for one in FEATURES], axis=1)


def text_features(pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
    """The features of labelled pairs of texts: how the words of both overlap.

    No behaviour stands behind a labelled pair, so all other features are 0, not known.

    Args:
        pairs: N pairs; the first text takes the place of the query.

    Returns:
        Values within [-3, 3], shape (N, F), in the order of `FEATURES`.

    Example:
        >>> found = text_features([("blue cup", "a blue cup"), ("tea", "a blue cup")])
        >>> found[:, FEATURE_NAMES.index("words_query")].tolist()
        [2.0, -1.0]
    """
    words = words_of([(first, second, first) for first, second in pairs])
    found = np.zeros((len(pairs), len(FEATURES)), np.float32)
    for place, one in enumerate(FEATURES):
        if one.of_texts is not None:
            found[:, place] = bounded(one.of_texts(words))
    return found


def _if(condition: NDArray[np.bool_], values: _Floats) -> _Floats:
    return np.where(condition, values, np.nan)


def _item(outcome: str, days: int, divisor: float) -> Feature:
    return Feature(
        f"item_{outcome}_{days}",
        f"log1p(item {outcome} in {days} days) / {divisor:g} - 1",
        lambda known: np.log1p(known.over("item", outcome, days)) / divisor - 1,
    )


def _share(days: int) -> Feature:
    def raw(known: Known) -> _Floats:
        share = (known.touches("item", days) + 1) / (known.shop_touches(days) + 1000)
        return (np.log(share) + 7.5) / 1.5

    touches = f"touches in {days} days"
    text = f"(log((item {touches} + 1) / (shop {touches} + 1000)) + 7.5) / 1.5"
    return Feature(f"item_share_{days}", text, raw)


def _return_rate(known: Known) -> _Floats:
    returned, bought = (known.over("item", one, 90) for one in ("returned", "purchased"))
    return np.log((returned + 0.1) / (bought + 5)) / 1.5 + 2


def _conversion(known: Known) -> _Floats:
    bought, clicked = (known.over("item", one, 90) for one in ("purchased", "clicked"))
    return np.log((bought + 0.4) / (clicked + 2)) + 1.6


def _item_features() -> Iterator[Feature]:
    for days in (1, 7, 30, 90):
        yield _item("purchased", days, 1.5)
    for days in (1, 7, 30, 90):
        yield _item("clicked", days, 1.5)
    for days in (7, 90):
        yield _item("carted", days, 1.5)
    for days in (7, 90):
        yield _item("shown", days, 2)
    text = "log((item returned in 90 days + 0.1) / (purchased + 5)) / 1.5 + 2"
    yield Feature("item_return_rate", text, _return_rate)
    for days in (1, 7, 90):
        yield _share(days)
    text = "log((item purchased in 90 days + 0.4) / (clicked + 2)) + 1.6"
    yield Feature("item_conversion", text, _conversion)
    yield Feature(
        "category_touches",
        "log1p(category touches in 90 days) / 3 - 2",
        lambda known: _if(
            known.sums.asked.category >= 0, np.log1p(known.touches("category", 90)) / 3 - 2
        ),
    )
    over = "log(clicks over expected clicks of the"
    yield Feature(
        "category_coec",
        f"2 {over} category in 90 days, prior 10)",
        lambda known: 2 * np.log(known.category_rate),
    )
    yield Feature(
        "item_coec",
        f"1.5 {over} item in 90 days, prior 4 at the category's)",
        lambda known: 1.5 * np.log(known.item_rate),
    )
    yield Feature(
        "query_item_coec",
        f"1.5 {over} item under the query in 90 days, prior 2 at the item's)",
        lambda known: 1.5 * np.log(known.query_item_rate),
    )
    yield Feature(
        "query_item_clicked",
        "1.5 log1p(item clicked under the query in 90 days) - 1",
        lambda known: 1.5 * np.log1p(known.over("query_item", "clicked", 90)) - 1,
    )


def _pair(days: int) -> Feature:
    return Feature(
        f"pair_{days}",
        f"log1p(touches of the item with the history in {days} days) - 1",
        lambda known: np.log1p(known.together(days)) - 1,
    )


def _lift(known: Known) -> _Floats:
    item, beside = known.touches("item", 90), known.neighbours
    expected = item * beside
    found = known.together(90) * known.shop_touches(90) + 0.2 * expected + 50
    return np.log(found / (expected + 50)) / 1.5


def _pair_features() -> Iterator[Feature]:
    for days in (7, 90):
        yield _pair(days)
    cosine = "touches of both / sqrt((of one + 1) (of the other + 1)) in 90 days"
    yield Feature(
        "pair_cosine",
        f"2.5 sqrt(sum over the history of {cosine}) - 1",
        lambda known: 2.5 * np.sqrt(known.sums.summed(known.cosines)) - 1,
    )
    yield Feature(
        "pair_nearest",
        f"4 sqrt(largest over the history of {cosine}) - 1",
        lambda known: 4 * np.sqrt(known.sums.largest(known.cosines)) - 1,
    )
    text = "log((pair * shop + 0.2 item * history + 50) / (item * history + 50)) / 1.5"
    yield Feature("pair_lift", f"{text}, each touches in 90 days", _lift)
    yield Feature(
        "history_touches",
        "log1p(touches of the items of the history in 90 days) / 2 - 1.5",
        lambda known: np.log1p(known.neighbours) / 2 - 1.5,
    )
    yield Feature(
        "shop_touches",
        "log1p(shop touches in 7 days) / 2 - 4",
        lambda known: np.log1p(known.shop_touches(7)) / 2 - 4,
    )


def _own(what: str) -> Feature:
    return Feature(
        f"own_{what}",
        f"2 log1p({what} of the item by the shopper)",
        lambda known: 2 * np.log1p(known.field(f"own_{what}")),
    )


def _own_recency(known: Known) -> _Floats:
    last = known.field("own_last")
    return _if(last >= 0, 3 / (1 + np.maximum(last, 0) / _WEEK))


def _price(known: Known) -> _Floats:
    price = known.field("price")
    return (np.log(_if(price > 0, price)) - 1) / 1.2


def _age(known: Known) -> _Floats:
    # subtle: an imported catalogue often describes an item in the millisecond of its first sale,
    # which would give the sale away
    age = known.field("item_age")
    return _if(age >= 0, np.log1p(np.maximum(age / _HOUR, 1)) / 1.5 - 2)


def _own_features() -> Iterator[Feature]:
    for what in ("touches", "purchases"):
        yield _own(what)
    text = "3 / (1 + weeks since the shopper's last touch of the item)"
    yield Feature("own_recency", text, _own_recency)
    yield Feature(
        "in_history",
        "2 if the history holds the item",
        lambda known: np.array([2.0 * (one.item_id in one.history) for one in known.samples]),
    )
    yield Feature("price", "(log(price) - 1) / 1.2", _price)
    ratio = "log(price / mean price of the history)"
    yield Feature("price_ratio", f"{ratio} / 1.2", lambda known: known.price_ratio / 1.2)
    yield Feature(
        "price_distance",
        f"1.5 |{ratio}| - 1",
        lambda known: 1.5 * np.abs(known.price_ratio) - 1,
    )
    yield Feature("item_age", "log1p(hours since first described, at least 1) / 1.5 - 2", _age)
    yield Feature(
        "history_length",
        "items in the history / 2 - 1",
        lambda known: np.array([len(one.history) / 2 - 1 for one in known.samples]),
    )


def _moment(place: int, first: int, period: int) -> Callable[[Known], _Floats]:
    return lambda known: 0.5 * circle(known.field("event_time") - first, period)[place]


def _moment_features() -> Iterator[Feature]:
    for name, first, period in (("hour", 0, _DAY), ("weekday", _MONDAY, _WEEK)):
        for place, curve in enumerate(("sin", "cos")):
            moment = _moment(place, first, period)
            yield Feature(f"{name}_{curve}", f"0.5 {curve} of the UTC {name}", moment)


FEATURES: Final[tuple[Feature, ...]] = (
    *_item_features(),
    *_pair_features(),
    *_own_features(),
    *word_features(),
    *_moment_features(),
)
"""All features, in the order in which models read them."""
FEATURE_NAMES: Final = tuple(one.name for one in FEATURES)
"""Names of the features, in their order."""
