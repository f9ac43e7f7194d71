"""What a setting has beside its value: a meaning, bounds or choices, and what depends on it.

A group of settings is a frozen struct. Each of its fields is annotated with `Means`. The group
checks its values when it is made, so no settings with a value out of bounds ever exist.
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

__all__ = [
    "Affects",
    "Field",
    "Group",
    "Means",
    "check",
    "duration",
    "fields_of",
    "share",
    "switch",
]

Affects = Literal["join", "results", "nothing"]
"""What changes with a setting.

`join`: samples, and all that follows from them; `results`: what is found about the samples;
`nothing`: no stored result.
"""


@dataclass(frozen=True)
class Means:
    """Meaning and limits of a setting.

    Attributes:
        meaning: one sentence that says what changes when the setting is turned up or changed.
        affects: what depends on the setting.
        low, high: smallest and largest value allowed; None where there is no such bound.
        choices: every value allowed; empty where the setting is not a choice.
        form: describes the text that a setting takes, where it has neither bounds nor choices.
        is_duration: whether it is written like `10m` and kept in milliseconds.
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
        """The allowed values, in words.

        Example:
            >>> Means("", low=0, high=1).allowed, Means("", choices=("auto", "cpu")).allowed
            ('from 0 to 1', 'one of auto, cpu')
        """
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.low is None:
            return self.form
        if self.high is None:
            is_long = self.is_duration and self.low > 0
            return f"at least {duration_text(int(self.low)) if is_long else f'{self.low:g}'}"
        return f"from {self.low:g} to {self.high:g}"

    def text_of(self, value: Any) -> str:
        """Write a value as a variable of the environment takes it."""
        if isinstance(value, bool):
            return str(value).lower()
        return duration_text(value) if self.is_duration else str(value)


def share(meaning: str, *, affects: Affects = "results") -> Means:
    """Make the `Means` of a setting between 0 and 1."""
    return Means(meaning, affects=affects, low=0, high=1)


def switch(meaning: str, *, affects: Affects = "results") -> Means:
    """Make the `Means` of a setting that is true or false."""
    return Means(meaning, affects=affects, form="true or false")


def duration(meaning: str, *, affects: Affects = "results") -> Means:
    """Make the `Means` of a setting that is a length of event time."""
    return Means(meaning, affects=affects, low=0, is_duration=True)


class Field(NamedTuple):
    """One setting of a group.

    Attributes:
        name: name within the group, `grace`.
        kind: type of its value.
        default: value that it has unless it is set.
        means: meaning and limits.
    """

    name: str
    kind: type[Any]
    default: Any
    means: Means


@cache
def fields_of(group: type[Struct]) -> Mapping[str, Field]:
    """Settings of a group by name, in the order of its fields."""
    hints = get_type_hints(group, include_extras=True)
    found = {}
    for one in msgspec.structs.fields(group):
        kind, means = get_args(hints[one.name])
        found[one.name] = Field(one.name, kind, one.default, means)
    return found


class Group(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of settings; its name is the name of its class in small letters.

    Raises:
        SettingError: if a value has another type, is out of its bounds or is not one of its
            choices.
    """

    def __post_init__(self) -> None:
        group = type(self)
        for name, field in fields_of(group).items():
            whole_name, value = f"{group.__name__.lower()}.{name}", getattr(self, name)
            _check_type(whole_name, value, field)
            check(whole_name, value, field.means)


def _check_type(name: str, value: Any, field: Field) -> None:
    kinds = (int, float) if field.kind is float else (field.kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and field.kind is not bool):
        unit = " of milliseconds" if field.means.is_duration else ""
        msg = f"{name} must be of type {field.kind.__name__}{unit}; got {value!r}"
        raise SettingError(msg)


def check(name: str, value: Any, means: Means) -> None:
    """Refuse a value that a setting cannot have.

    Args:
        name: name of the setting for the message, as its user wrote it.
        value: a value of the setting's type.
        means: bounds and choices.

    Raises:
        SettingError: if the value is out of bounds, not one of the choices, or not finite.
    """
    if means.choices and value not in means.choices:
        msg = f"{name} is {means.allowed}; got {value!r}"
        raise SettingError(msg)
    if isinstance(value, float) and math.isinf(value):
        msg = f"{name} must be finite; got {value!r}"
        raise SettingError(msg)
    # subtle: NaN compares false with everything; `value < low` would let it through
    too_low = means.low is not None and not value >= means.low
    too_high = means.high is not None and not value <= means.high
    if too_low or too_high:
        msg = f"{name} must be {means.allowed}; got {value!r}"
        raise SettingError(msg)
