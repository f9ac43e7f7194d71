"""What a setting is beside its value: a meaning, bounds or choices, and what depends on it.

A group of settings is a frozen struct. Each of its fields is annotated with `Means`, and the group checks its own values
when it is made, so that settings that exist are settings that hold.
"""

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from functools import cache
from typing import Any, Literal, NamedTuple, get_args, get_type_hints

import msgspec
from msgspec import Struct

from mainstem.errors import SettingError
from mainstem.settings.durations import duration_text

__all__ = ["Affects", "Field", "Group", "Means", "check", "duration", "fields_of", "share"]

Affects = Literal["join", "results", "nothing"]
"""What changes with a setting: samples and all that follows, what is found about them, or nothing that is kept."""


@dataclass(frozen=True)
class Means:
    """What is said of a setting.

    Attributes:
        meaning: a sentence that says what changes when it is turned up, or set otherwise.
        affects: what depends on it.
        low, high: bounds, both allowed; None where there is none.
        choices: the values it can have; empty where it is free.
        form: what text it takes, where it has neither bounds nor choices.
        is_duration: whether it is written like `10m`, and held in milliseconds.
    """

    meaning: str
    _: KW_ONLY
    affects: Affects = "results"
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    form: str = ""
    is_duration: bool = False

    @property
    def allowed(self) -> str:
        """What values it can have, in words.

        Example:
            >>> Means("", low=0, high=1).allowed, Means("", choices=("auto", "cpu")).allowed
            ('from 0 to 1', 'one of auto, cpu')
        """
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.low is None:
            return self.form
        return (
            f"at least {self.low:g}" if self.high is None else f"from {self.low:g} to {self.high:g}"
        )

    def text_of(self, value: Any) -> str:
        """A value as somebody would write it into a variable of the environment."""
        return duration_text(value) if self.is_duration else str(value)


def share(meaning: str, *, affects: Affects = "results") -> Means:
    """Of a setting between 0 and 1."""
    return Means(meaning, affects=affects, low=0, high=1)


def duration(meaning: str, *, affects: Affects = "results") -> Means:
    """Of a setting that is a length of event time."""
    return Means(meaning, affects=affects, low=0, is_duration=True)


class Field(NamedTuple):
    """One setting of a group: its name within the group, the type of its value, its default and what is said of it."""

    name: str
    kind: type[Any]
    default: Any
    means: Means


@cache
def fields_of(group: type[Struct]) -> Mapping[str, Field]:
    """The settings of a group, by name, in the order in which they are written down."""
    hints = get_type_hints(group, include_extras=True)
    found = {}
    for one in msgspec.structs.fields(group):
        kind, means = get_args(hints[one.name])
        found[one.name] = Field(one.name, kind, one.default, means)
    return found


class Group(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of settings; its name is that of its class, in small letters."""

    def __post_init__(self) -> None:
        group = type(self)
        for name, field in fields_of(group).items():
            check(f"{group.__name__.lower()}.{name}", getattr(self, name), field.means)


def check(name: str, value: Any, means: Means) -> None:
    """Refuse a value that a setting cannot have.

    Raises:
        SettingError: if it is beyond the bounds, none of the choices, or not finite.
    """
    if means.choices and value not in means.choices:
        msg = f"{name} is {means.allowed}; got {value!r}"
        raise SettingError(msg)
    if isinstance(value, float) and math.isinf(value):
        msg = f"{name} must be finite; got {value!r}"
        raise SettingError(msg)
    # subtle: NaN compares false with everything, so it must fail the comparison that is asked for
    if (means.low is not None and not value >= means.low) or (
        means.high is not None and not value <= means.high
    ):
        msg = f"{name} must be {means.allowed}; got {value!r}"
        raise SettingError(msg)
