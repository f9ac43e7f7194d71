"""The scenario of a simulated shop: one frozen value, and every log follows from it."""

from dataclasses import MISSING, dataclass, field, fields
from datetime import UTC, date, datetime
from random import Random
from typing import Any, Final

from mainstem.errors import SettingError
from mainstem.ids import number_of

__all__ = ["DAY", "HOUR", "MINUTE", "Shop", "meaning"]

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
_LAST_YEAR: Final = 2099  # the vocabulary's times end with it


def _given(
    default: Any,
    help: str,  # noqa: A002
    *,
    low: float | None = None,
    high: float | None = None,
    **more: Any,
) -> Any:
    return field(default=default, metadata={"help": help, "low": low, "high": high, **more})


def _usual(usual: Any, help: str, *, low: float = 0, high: float | None = 1) -> Any:  # noqa: A002
    """A habit or an accident: where it is not given it is `usual`, and 0 in a plain shop."""
    return field(default=None, metadata={"help": help, "low": low, "high": high, "usual": usual})


@dataclass(frozen=True, kw_only=True)
class Shop:
    """Everything that can be said of a simulated shop. Rates are shares of 1, lengths are in days.

    What is left out of a full shop's habits and accidents is usual; of a plain shop's it is 0: there shoppers look at
    everything, and click what is relevant to the query.

    Raises:
        SettingError: if a value is out of range, or two do not go together.

    Example:
        >>> Shop(users=50).misclicks, Shop(users=50, plain=True).misclicks, Shop(plain=True, misclicks=0.1).misclicks
        (0.02, 0.0, 0.1)
    """

    seed: int = _given(0, "every draw comes from it", low=0)
    users: int = _given(1000, "shoppers, bots among them", low=1, high=100_000_000)
    items: int = _given(1000, "items of the catalogue", low=10, high=10_000_000)
    days: int = _given(
        14, "days on which shoppers come; what they return comes later", low=1, high=10_000
    )
    first_day: str = _given("2026-01-01", "the first of these days, in UTC")
    language: str = _given("en", "of titles and queries", choices=("en", "zh"))
    catalogue: str = _given(
        "made",
        "`made`, or the titles and prices of the shipped `excerpt`",
        choices=("made", "excerpt"),
    )
    plain: bool = _given(
        False, "shoppers look at everything and click what is relevant; no other habit, no accident"
    )
    sessions: float = _given(0.5, "sessions of a shopper on a day", low=0.001, high=4)
    page: int = _given(10, "items on a page", low=2, high=200)

    position_bias: float = _usual(
        0.1, "place n is looked at with probability 1 / (1 + it * (n - 1))", high=100
    )
    views: float = _usual(0.15, "share of sessions that open one item's page, without a search")
    taste: float = _usual(1.5, "how much a shopper's favourite colour counts", high=100)
    drift: float = _usual(
        30, "days after which a shopper has another favourite colour; 0: never", high=100_000
    )
    thrift: float = _usual(1.0, "how much a low price counts", high=100)
    season: float = _usual(
        0.7, "how much the time of the year changes what is searched for and liked"
    )
    new_category: int = _usual(
        10, "day from which on there is one more category; 0: never", high=100_000
    )
    changes: float = _usual(0.01, "share of the items that get another title or price on a day")
    returns: float = _usual(
        0.02, "share of the unwanted items looked at that are bought all the same, and returned"
    )

    misclicks: float = _usual(
        0.02, "share of the unwanted items looked at that are clicked by mistake"
    )
    bots: float = _usual(0.01, "share of the shoppers that are programs, and act at random")
    tracking_bug: int = _usual(
        1, "days on which one category's outcomes are turned over", high=10_000
    )
    turned_over: float = _usual(0.0, "share of the items shown whose outcome is turned over")
    duplicated: float = _usual(0.01, "share of the events that come twice")
    late: float = _usual(0.005, "share of the events that come ten minutes to twelve hours late")
    disordered: float = _usual(0.02, "share of the events that come up to ten minutes late")
    malformed: float = _usual(0.001, "share of the events that cannot be read")

    def __post_init__(self) -> None:
        for setting in fields(self):
            if getattr(self, setting.name) is None:
                usual = setting.metadata["usual"]
                object.__setattr__(self, setting.name, type(usual)(0) if self.plain else usual)
            _check(setting.name, getattr(self, setting.name), setting.metadata)
        if self.catalogue == "excerpt" and self.language != "en":
            msg = f"the excerpt's titles are English; got language={self.language!r}; use the made catalogue with it"
            raise SettingError(msg)
        if self.page > self.items:
            msg = f"a page shows different items; got page={self.page} with items={self.items}; lower page"
            raise SettingError(msg)
        arrivals = self.duplicated + self.late + self.disordered + self.malformed
        if arrivals > 1:
            msg = f"duplicated, late, disordered and malformed befall different events; their sum is {arrivals:g}, above 1"
            raise SettingError(msg)
        if self.end > int(datetime(_LAST_YEAR, 12, 1, tzinfo=UTC).timestamp()) * 1000:
            msg = f"the shop closes before December {_LAST_YEAR}; got {self.days} days from {self.first_day}; take fewer"
            raise SettingError(msg)

    @property
    def begin(self) -> int:
        """The first day's first moment, in milliseconds since 1970 UTC."""
        return (_day_of(self.first_day).toordinal() - date(1970, 1, 1).toordinal()) * DAY

    @property
    def end(self) -> int:
        """The moment after which nobody comes any more."""
        return self.begin + self.days * DAY

    def draws(self, name: str) -> Random:
        """Draws of their own for each thing that is drawn, so that one does not move another."""
        return Random(number_of("shop", self.seed, name))  # noqa: S311 - nothing secret


def meaning(name: str) -> str:
    """What a parameter of a shop means, with its default.

    Example:
        >>> meaning("bots")
        'Share of the shoppers that are programs, and act at random; 0.01, in a plain shop 0.'
    """
    setting = Shop.__dataclass_fields__[name]
    text, usual = setting.metadata["help"], setting.metadata.get("usual", MISSING)
    default = (
        f"{setting.default}"
        if usual is MISSING
        else f"{usual:g}" + (", in a plain shop 0" if usual else "")
    )
    return f"{text[0].upper()}{text[1:]}" + ("." if setting.default is False else f"; {default}.")


def _day_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        msg = f"first_day is a date like 2026-01-31; got {text!r}"
        raise SettingError(msg) from error


def _check(name: str, value: Any, metadata: Any) -> None:
    low, high, choices = metadata["low"], metadata["high"], metadata.get("choices")
    if choices and value not in choices:
        msg = f"{name} is one of {', '.join(choices)}; got {value!r}"
        raise SettingError(msg)
    # subtle: NaN compares false with everything, so it must fail the comparison that is asked for
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        bounds = f"at least {low}" if high is None else f"from {low} to {high:,}"
        msg = f"{name} must be {bounds}; got {value!r}"
        raise SettingError(msg)
    if name == "first_day" and _day_of(value).year < 1971:
        msg = f"first_day must be in 1971 or later; got {value!r}"
        raise SettingError(msg)
