"""The scenario of a simulated shop: one frozen value that determines the log."""

from dataclasses import MISSING, dataclass, field, fields
from datetime import UTC, date, datetime
from random import Random
from typing import Any, Final

from mainstem.errors import SettingError
from mainstem.ids import number_of
from mainstem.simulate.parts import Part, check_sums, parts_of

__all__ = ["DAY", "HOUR", "MINUTE", "Shop", "meaning"]

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
_LAST_YEAR: Final = 2099  # the last year that event times can have


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
    """A field for a habit or an accident, which is `usual` by default, or 0 in a plain shop."""
    return field(default=None, metadata={"help": help, "low": low, "high": high, "usual": usual})


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A simulated shop: its size, its shoppers' habits, and its accidents.

    `meaning` explains each parameter. Rates are shares between 0 and 1, lengths are in days. A
    habit or an accident that is left out has its usual value; in a plain shop it is 0, so shoppers
    look at everything and click what is relevant to the query.

    Raises:
        SettingError: if a value is out of range, or two values contradict each other.

    Example:
        >>> Shop(users=50).misclicks, Shop(users=50, plain=True).misclicks
        (0.02, 0.0)
        >>> Shop(plain=True, misclicks=0.1).misclicks
        0.1
    """

    seed: int = _given(0, "seed of all random numbers; another seed gives another log", low=0)
    users: int = _given(1000, "number of shoppers, bots included", low=1, high=100_000_000)
    items: int = _given(1000, "number of items in the catalogue", low=10, high=10_000_000)
    days: int = _given(
        14, "number of days on which shoppers come; some returns come later", low=1, high=10_000
    )
    first_day: str = _given("2026-01-01", "the first of these days, in UTC")
    language: str = _given("en", "language of titles and queries", choices=("en", "zh"))
    catalogue: str = _given(
        "made",
        "`made` from words, or the titles and prices of the shipped `excerpt`",
        choices=("made", "excerpt"),
    )
    plain: bool = _given(
        False, "shoppers look at everything and click what is relevant; no other habit, no accident"
    )
    sessions: float = _given(0.5, "mean number of sessions per shopper and day", low=0.001, high=4)
    page: int = _given(10, "number of items on a page", low=2, high=200)
    fitting: float | None = _given(
        None,
        "share of a page's items that answer the query; a page is shorter if too few items do",
        low=0,
        high=1,
        usual_words="random, two fifths to a half in most shops",
    )

    position_bias: float = _usual(
        0.1,
        "how much shoppers skip lower places: place n is looked at with probability "
        "1 / (1 + position_bias * (n - 1))",
        high=100,
    )
    dear_first: float = _given(
        0.0, "share of the pages that list their dearest items first", low=0, high=1
    )
    views: float = _usual(0.15, "share of sessions that open one item's page, without a search")
    taste: float = _usual(1.5, "how much a shopper prefers the favourite colour", high=100)
    drift: float = _usual(
        30, "days after which a shopper has another favourite colour; 0 for never", high=100_000
    )
    thrift: float = _usual(1.0, "how much shoppers prefer a low price", high=100)
    season: float = _usual(
        0.7, "how much the time of the year changes what shoppers search for and like"
    )
    new_category: int = _usual(
        10, "day on which one more category is added; 0 for never", high=100_000
    )
    changes: float = _usual(0.01, "share of the items that get another title or price each day")
    returns: float = _usual(
        0.02, "share of the unwanted items looked at that are nevertheless bought, then returned"
    )

    misclicks: float = _usual(
        0.02, "share of the unwanted items looked at that are clicked by mistake"
    )
    bots: float = _usual(0.01, "share of the shoppers that are programs, and act at random")
    tracking_bug: int = _usual(
        1, "days on which the outcomes of one category are turned over", high=10_000
    )
    turned_over: float = _usual(
        0.0, "share of the items shown whose outcome is turned over: yes becomes no, no becomes yes"
    )
    wrong_yes: float = _usual(
        0.0, "share of the log's yes that is wrong: true no becomes yes until it is reached"
    )
    wrong_no: float = _usual(
        0.0, "share of the log's no that is wrong: true yes becomes no until it is reached"
    )
    wrong_yes_of: str = _given(
        "",
        "another share of wrong yes for a part of the items, like category=shoes:0.5 or "
        "source=view:0.2; an item belongs to the first part that holds it",
    )
    wrong_no_of: str = _given(
        "",
        "another share of wrong no for a part of the items, like category=shoes:0.5 or "
        "source=view:0.2; an item belongs to the first part that holds it",
    )
    duplicated: float = _usual(0.01, "share of the events that come twice")
    late: float = _usual(0.005, "share of the events that come ten minutes to twelve hours late")
    disordered: float = _usual(0.02, "share of the events that come up to ten minutes late")
    malformed: float = _usual(0.001, "share of the events that cannot be read")

    def __post_init__(self) -> None:
        for setting in fields(self):
            if getattr(self, setting.name) is None:
                if setting.name == "fitting":
                    continue
                usual = setting.metadata["usual"]
                object.__setattr__(self, setting.name, type(usual)(0) if self.plain else usual)
            _check(setting.name, getattr(self, setting.name), setting.metadata)
        if self.catalogue == "excerpt" and self.language != "en":
            msg = (
                f"the excerpt's titles are English; got language={self.language!r}; "
                "use the made catalogue with it"
            )
            raise SettingError(msg)
        if self.page > self.items:
            msg = (
                "a page shows different items; "
                f"got page={self.page} with items={self.items}; lower page"
            )
            raise SettingError(msg)
        arrivals = self.duplicated + self.late + self.disordered + self.malformed
        if arrivals > 1:
            msg = (
                "duplicated, late, disordered and malformed happen to different events; "
                f"their sum is {arrivals:g}, above 1; lower them"
            )
            raise SettingError(msg)
        check_sums(*self.wrong_parts)
        if self.end > int(datetime(_LAST_YEAR, 12, 1, tzinfo=UTC).timestamp()) * 1000:
            msg = (
                f"the shop must close before December {_LAST_YEAR}; "
                f"got {self.days} days from {self.first_day}; take fewer"
            )
            raise SettingError(msg)

    @property
    def wrong_parts(self) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
        """The parts of the items with their shares of wrong yes, and those of wrong no."""
        yes = parts_of("wrong_yes_of", self.wrong_yes, self.wrong_yes_of)
        return yes, parts_of("wrong_no_of", self.wrong_no, self.wrong_no_of)

    @property
    def begin(self) -> int:
        """The beginning of the first day, in milliseconds since 1970."""
        return (_day_of(self.first_day).toordinal() - date(1970, 1, 1).toordinal()) * DAY

    @property
    def end(self) -> int:
        """The end of the last day on which shoppers come, in milliseconds since 1970."""
        return self.begin + self.days * DAY

    def draws(self, name: str) -> Random:
        """Return random numbers for one purpose, so that purposes do not influence each other."""
        return Random(number_of("shop", self.seed, name))  # noqa: S311 - nothing secret


def meaning(name: str) -> str:
    """Explain a parameter of a shop in a sentence, with its default.

    Example:
        >>> meaning("bots")
        'Share of the shoppers that are programs, and act at random (default 0.01; 0 with --plain).'
    """
    setting = Shop.__dataclass_fields__[name]
    text, usual = setting.metadata["help"], setting.metadata.get("usual", MISSING)
    default = setting.metadata.get("usual_words", f"{setting.default}" or "none")
    if usual is not MISSING:
        default = f"{usual:g}{'; 0 with --plain' if usual else ''}"
    return f"{text[0].upper()}{text[1:]}" + (
        "." if setting.default is False else f" (default {default})."
    )


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
    # subtle: NaN compares false with everything, so the comparisons are negated to refuse it
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        bounds = f"at least {low}" if high is None else f"from {low} to {high:,}"
        msg = f"{name} must be {bounds}; got {value!r}"
        raise SettingError(msg)
    if name == "first_day" and _day_of(value).year < 1971:
        msg = f"first_day must be in 1971 or later; got {value!r}"
        raise SettingError(msg)
