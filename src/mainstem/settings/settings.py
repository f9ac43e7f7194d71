"""One frozen `Settings`, in groups along the way of the data; `mainstem settings` prints every one with its meaning.

A setting is called `join.grace` wherever all are told at once, and is read from `MAINSTEM_JOIN__GRACE`.
Durations are written `90s`, `10m`, `1h`, `30d` and held in milliseconds.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Self

import msgspec
from msgspec import Struct, field

from mainstem.errors import SettingError
from mainstem.settings.addresses import NAMES
from mainstem.settings.durations import parse_duration
from mainstem.settings.fields import Field, fields_of
from mainstem.settings.groups import Join, Learning, Model, Objectives, Responses, Run, Standing, Trusted

__all__ = ["PREFIX", "Settings", "known", "variable"]

PREFIX: Final = "MAINSTEM_"
_OF_TESTS: Final = "MAINSTEM_TEST_"  # which servers the test suite uses


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set.

    Example:
        >>> Settings(join=Join(grace=60_000)).join.grace
        60000
    """

    run: Run = field(default_factory=Run)
    join: Join = field(default_factory=Join)
    objectives: Objectives = field(default_factory=Objectives)
    trusted: Trusted = field(default_factory=Trusted)
    model: Model = field(default_factory=Model)
    responses: Responses = field(default_factory=Responses)
    standing: Standing = field(default_factory=Standing)
    learning: Learning = field(default_factory=Learning)

    def __post_init__(self) -> None:
        if self.responses.horizon < self.join.revision_window + self.join.label_window:
            msg = (
                "responses.horizon must be at least join.revision_window and join.label_window together: "
                "a sample that left cannot be revised"
            )
            raise SettingError(msg)

    @classmethod
    def of(cls, named: Mapping[str, Any]) -> Self:
        """Defaults, but for some that are named with their group.

        Raises:
            SettingError: if one names no setting, or has a value that it cannot have.

        Example:
            >>> Settings.of({"join.grace": 60_000}) == Settings(join=Join(grace=60_000))
            True
        """
        groups: dict[str, dict[str, Any]] = {}
        for name, value in named.items():
            if name not in known():
                msg = f"{name} is no setting; `mainstem settings` lists them"
                raise SettingError(msg)
            group, _, last = name.partition(".")
            groups.setdefault(group, {})[last] = value
        kinds = {one.name: one.type for one in msgspec.structs.fields(cls)}
        return cls(**{group: kinds[group](**values) for group, values in groups.items()})

    def but(self, named: Mapping[str, Any]) -> Self:
        """These settings, but for some that are named with their group.

        Example:
            >>> Settings().but({"join.grace": 60_000}) == Settings(join=Join(grace=60_000))
            True
        """
        return self.of({**self.flat(), **named})

    def flat(self) -> dict[str, Any]:
        """Every setting by its name, group first.

        Example:
            >>> Settings().flat()["join.grace"]
            600000
        """
        return {name: getattr(getattr(self, name.partition(".")[0]), field.name) for name, field in known().items()}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], given: Mapping[str, Any] | None = None) -> Self:
        """Defaults, overridden by the environment, overridden by what is given (None counts as not given).

        Raises:
            SettingError: if a value cannot be read, or a `MAINSTEM_` variable names no setting.

        Example:
            >>> Settings.from_environment({"MAINSTEM_JOIN__GRACE": "5m"}, {"join.partitions": 4}).join.grace
            300000
        """
        names = {variable(name): name for name in known()}
        values: dict[str, Any] = {}
        for name, text in environment.items():
            if not name.startswith(PREFIX) or name in NAMES or name.startswith(_OF_TESTS):
                continue
            if name not in names:
                msg = f"{name} is no setting; `mainstem settings` lists them"
                raise SettingError(msg)
            values[names[name]] = _parse(name, text, known()[names[name]])
        return cls.of(values | {name: value for name, value in (given or {}).items() if value is not None})


@cache
def known() -> Mapping[str, Field]:
    """Every setting there is, by its name, group first.

    Example:
        >>> known()["join.grace"].default
        600000
    """
    groups = {one.name: one.type for one in msgspec.structs.fields(Settings)}
    return {f"{group}.{name}": field for group, kind in groups.items() for name, field in fields_of(kind).items()}


def variable(name: str) -> str:
    """The environment variable of a setting.

    Example:
        >>> variable("join.grace")
        'MAINSTEM_JOIN__GRACE'
    """
    return PREFIX + name.replace(".", "__").upper()


def _parse(name: str, text: str, field: Field) -> Any:
    if field.means.is_duration:
        try:
            return parse_duration(text)
        except SettingError as error:
            msg = f"{name}: {error}"
            raise SettingError(msg) from error
    try:
        return field.kind(text)
    except ValueError as error:
        msg = f"{name} should be of type {field.kind.__name__}; got {text!r}"
        raise SettingError(msg) from error
