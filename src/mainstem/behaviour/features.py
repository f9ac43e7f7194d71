"""The features of a sample: numbers about shopper, item and moment that were known before it.

Each is a fixed transform of integer sums over windows or of the sample's own fields. It is centred
and divided so that most values lie within [-2, 2], and clipped at 3. What is not known is 0.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.behaviour.asked import Moment
from mainstem.behaviour.sums import Sums
from mainstem.behaviour.transforms import circle, log_count, log_ratio, overlaps, positive_log

__all__ = ["FEATURES", "FEATURE_NAMES", "Feature", "Known", "features"]

_LARGEST: Final = 3.0
_DAY_MS: Final = 86_400_000
_WEEK_MS: Final = 7 * _DAY_MS
_MONDAY: Final = 4 * _DAY_MS  # the first Monday of 1970
_Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Known:
    """What the features of N samples are made of.

    Attributes:
        samples: the samples.
        sums: sums over the windows of the samples.
        shared_words, nearest_title: the two overlaps of `transforms.overlaps`, shape (N,).
    """

    samples: Sequence[Moment]
    sums: Sums
    shared_words: _Floats
    nearest_title: _Floats

    def field(self, name: str) -> list[float]:
        """A field of every sample."""
        return [getattr(one, name) for one in self.samples]

    def only(self, values: _Floats, known: Sequence[object]) -> _Floats:
        """Set the values of samples for which something is missing to NaN.

        Args:
            values: one value for each sample.
            known: what must be there, for each sample; empty or 0 is missing.
        """
        return np.where([bool(one) for one in known], values, np.nan)


@dataclass(frozen=True)
class Feature:
    """One feature.

    Attributes:
        name: short name.
        text: what the number is before it is centred, as a formula.
        raw: computes this number for N samples, shape (N,); NaN where it is not known.
        centre, spread: the value is (number - centre) / spread.
    """

    name: str
    text: str
    raw: Callable[[Known], _Floats]
    centre: float = 0.0
    spread: float = 1.0

    @property
    def transform(self) -> str:
        """The whole transform in words, which the manifest of a version keeps."""
        return f"({self.text} - {self.centre:g}) / {self.spread:g}"

    def values(self, known: Known) -> NDArray[np.float32]:
        """The feature of N samples, within [-3, 3], shape (N,); 0 where it is not known."""
        found = (self.raw(known) - self.centre) / self.spread
        return np.clip(np.nan_to_num(found, nan=0.0), -_LARGEST, _LARGEST).astype(np.float32)


def features(samples: Sequence[Moment], sums: Sums) -> NDArray[np.float32]:
    """The features of samples, in the order of `FEATURES`.

    Args:
        samples: N samples.
        sums: sums over their windows.

    Returns:
        Values within [-3, 3], shape (N, F).
    """
    texts = [(one.context_text, one.item_text, bool(one.query)) for one in samples]
    known = Known(samples, sums, *overlaps(texts))
    return np.stack([one.values(known) for one in FEATURES], axis=1)


def _count(kind: str, outcome: str, days: int, centre: float, spread: float) -> Feature:
    def raw(known: Known) -> _Floats:
        found = log_count(known.sums.over(kind, outcome, days))
        return known.only(found, getattr(known.sums.asked, kind) + 1)

    text = f"log1p({kind} {outcome} in {days} days)"
    return Feature(f"{kind}_{outcome}_{days}", text, raw, centre, spread)


def _clicks(kind: str, days: int, prior: float, spread: float) -> Feature:
    def raw(known: Known) -> _Floats:
        return log_ratio(*known.sums.clicks(kind, days), prior)

    clicks = f"{kind} clicks in {days} days"
    text = f"log(({clicks} + {prior:g}) / (expected by position + {prior:g}))"
    return Feature(f"{kind}_coec_{days}", text, raw, 0.0, spread)


def _ratio(
    name: str, above: tuple[str, str, int], below: tuple[str, str, int], priors: tuple[float, float]
) -> Feature:
    def raw(known: Known) -> _Floats:
        found = log_ratio(known.sums.over(*above), known.sums.over(*below), *priors)
        return known.only(found, getattr(known.sums.asked, below[0]) + 1)

    over, under = (f"{kind} {outcome} in {days} days" for kind, outcome, days in (above, below))
    text = f"log(({over} / {priors[0]:g} + 1) / ({under} / {priors[1]:g} + 1))"
    return Feature(name, text, raw, 0.0, 1.5)


def _together(outcome: str, days: int, centre: float, spread: float) -> Feature:
    def raw(known: Known) -> _Floats:
        found = log_count(known.sums.summed(known.sums.beside("pair", outcome, days)))
        return known.only(found, known.field("history"))

    text = f"log1p(sum over history of pair {outcome} in {days} days)"
    return Feature(f"pair_{outcome}_{days}", text, raw, centre, spread)


def _cosine(outcome: str, days: int, centre: float, spread: float) -> Feature:
    def raw(known: Known) -> _Floats:
        pair, item, neighbour = (
            known.sums.beside(kind, outcome, days) for kind in ("pair", "item", "neighbour")
        )
        near = known.sums.summed(pair / np.sqrt((item + 1.0) * (neighbour + 1.0)))
        return known.only(log_count(20 * near), known.field("history"))

    of = f"pair {outcome} / sqrt((item + 1)(neighbour + 1))"
    text = f"log1p(20 sum over history of {of} in {days} days)"
    return Feature(f"pair_cosine_{outcome}_{days}", text, raw, centre, spread)


def _trend(known: Known) -> _Floats:
    sums = known.sums
    week, month = (
        sums.over("item", "clicked", days) + sums.over("item", "purchased", days)
        for days in (7, 30)
    )
    return log_ratio(week, month, 7.0, 30.0)


def _price_ratio(known: Known) -> _Floats:
    return positive_log(known.field("price")) - positive_log(known.field("history_price"))


def _days(name: str) -> Callable[[Known], _Floats]:
    return lambda known: log_count(np.array(known.field(name), np.float64) / _DAY_MS)


def _moment(place: int, shift: int, period: int) -> Callable[[Known], _Floats]:
    return lambda known: circle(np.array(known.field("event_time"), np.int64) + shift, period)[
        place
    ]


def _of_sample() -> Iterator[Feature]:
    yield Feature("item_age", "log1p(days since first described)", _days("item_age"), 3.5, 1.5)
    yield Feature("price", "log(price)", lambda known: positive_log(known.field("price")), 2.0, 1.5)
    yield Feature("price_ratio", "log(price / mean price of history)", _price_ratio, 0.0, 1.0)
    yield Feature(
        "price_distance", "|log(price / mean price of history)|",
        lambda known: np.abs(_price_ratio(known)), 0.7, 0.7,
    )  # fmt: skip
    yield Feature(
        "own_touches", "log1p(touches by the shopper)",
        lambda known: log_count(known.field("own_touches")),
    )  # fmt: skip
    yield Feature(
        "own_purchases", "log1p(purchases by the shopper)",
        lambda known: log_count(known.field("own_purchases")),
    )  # fmt: skip
    yield Feature(
        "own_recency", "log1p(days since the shopper's last touch)", _days("own_last"), 1.5, 1.0
    )
    yield Feature(
        "in_history", "1 if the history holds the item",
        lambda known: np.array([one.item_id in one.history for one in known.samples], np.float64),
    )  # fmt: skip
    yield Feature(
        "history_length", "log1p(items in the history)",
        lambda known: log_count([len(one.history) for one in known.samples]), 1.2, 0.6,
    )  # fmt: skip
    yield Feature(
        "words_shared", "share of the item's words in the context",
        lambda known: known.shared_words, 0.2, 0.2,
    )  # fmt: skip
    yield Feature(
        "words_nearest", "largest Jaccard overlap with a title of the history",
        lambda known: known.nearest_title, 0.2, 0.2,
    )  # fmt: skip
    for name, shift, period in (("hour", 0, _DAY_MS), ("weekday", -_MONDAY, _WEEK_MS)):
        for place, curve in enumerate(("sin", "cos")):
            text = f"{curve} of the UTC {name}"
            yield Feature(f"{name}_{curve}", text, _moment(place, shift, period))


FEATURES: Final[tuple[Feature, ...]] = (
    _count("item", "purchased", 1, 0.5, 0.8),
    _count("item", "purchased", 7, 1.0, 1.0),
    _count("item", "purchased", 30, 1.5, 1.2),
    _count("item", "purchased", 90, 2.0, 1.3),
    _count("item", "clicked", 7, 1.5, 1.2),
    _count("item", "clicked", 30, 2.0, 1.4),
    _count("item", "carted", 30, 1.0, 1.0),
    _count("item", "shown", 7, 2.0, 1.6),
    _count("item", "shown", 30, 3.0, 1.8),
    _count("item", "returned", 90, 0.3, 0.6),
    _clicks("item", 7, 5.0, 0.7),
    _clicks("item", 30, 5.0, 0.7),
    _clicks("item", 90, 5.0, 0.7),
    _ratio(
        "item_purchases_per_click", ("item", "purchased", 90), ("item", "clicked", 90), (1.0, 10.0)
    ),
    _ratio(
        "item_share_of_category", ("item", "purchased", 90), ("category", "purchased", 90),
        (1.0, 20.0),
    ),
    Feature("item_trend", "log of 7 against 30 days of clicks and purchases", _trend, 0.0, 0.5),
    _count("category", "purchased", 7, 3.0, 1.6),
    _count("category", "purchased", 90, 5.0, 2.0),
    _count("query", "clicked", 30, 2.5, 1.6),
    _count("query", "clicked", 90, 3.0, 1.8),
    _count("query", "purchased", 30, 1.0, 1.2),
    _count("query", "purchased", 90, 1.5, 1.4),
    _count("query_item", "clicked", 30, 0.5, 0.8),
    _count("query_item", "clicked", 90, 0.8, 1.0),
    _count("query_item", "purchased", 30, 0.2, 0.6),
    _count("query_item", "purchased", 90, 0.3, 0.7),
    _clicks("query_item", 90, 2.0, 0.7),
    _together("purchased", 30, 0.8, 1.0),
    _together("purchased", 90, 1.0, 1.2),
    _together("clicked", 30, 0.8, 1.0),
    _together("clicked", 90, 1.0, 1.2),
    _cosine("purchased", 30, 1.0, 1.0),
    _cosine("purchased", 90, 1.2, 1.0),
    _cosine("clicked", 30, 1.0, 1.0),
    _cosine("clicked", 90, 1.2, 1.0),
    *_of_sample(),
)  # fmt: skip
"""All features, in the order in which models read them."""
FEATURE_NAMES: Final = tuple(one.name for one in FEATURES)
"""Names of the features, in their order."""
