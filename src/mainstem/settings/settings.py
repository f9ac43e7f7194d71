"""All settings as one frozen value, `Settings`; `mainstem settings` prints each with its meaning.

The full name of a setting is `join.grace`. Its value comes from `mainstem.toml` or from
`MAINSTEM_JOIN__GRACE`. Durations are written `90s`, `10m`, `1h`, `30d` and kept in milliseconds.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from msgspec import Struct, field

from mainstem.errors import SettingError
from mainstem.settings.groups import (
    GROUPS,
    Behaviour,
    Importance,
    Join,
    Learning,
    Model,
    Objectives,
    Responses,
    Run,
    Standing,
    Tracking,
    Trusted,
)
from mainstem.settings.names import known, no_setting
from mainstem.settings.reading import in_environment, in_file, settings_file

__all__ = ["Settings"]


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting, in groups in the order of the way of the data.

    Raises:
        SettingError: if a value is not allowed, or two values contradict each other.

    Example:
        >>> Settings(join=Join(grace=60_000)).join.grace
        60000
    """

    run: Run = field(default_factory=Run)
    join: Join = field(default_factory=Join)
    behaviour: Behaviour = field(default_factory=Behaviour)
    objectives: Objectives = field(default_factory=Objectives)
    trusted: Trusted = field(default_factory=Trusted)
    model: Model = field(default_factory=Model)
    responses: Responses = field(default_factory=Responses)
    importance: Importance = field(default_factory=Importance)
    standing: Standing = field(default_factory=Standing)
    learning: Learning = field(default_factory=Learning)
    tracking: Tracking = field(default_factory=Tracking)

    def __post_init__(self) -> None:
        if self.responses.horizon < self.join.revision_window + self.join.label_window:
            msg = (
                "responses.horizon must be at least join.revision_window and join.label_window "
                "together: a sample beyond the horizon cannot be revised"
            )
            raise SettingError(msg)

    @classmethod
    def of(cls, named: Mapping[str, Any]) -> Self:
        """Make settings with these values, and defaults for the rest.

        Args:
            named: values by the full names of their settings, `join.grace`.

        Raises:
            SettingError: if a name is no setting, or a value is not allowed.

        Example:
            >>> Settings.of({"join.grace": 60_000}) == Settings(join=Join(grace=60_000))
            True
        """
        groups: dict[str, dict[str, Any]] = {}
        for name, value in named.items():
            if name not in known():
                raise no_setting(name)
            group, _, last = name.partition(".")
            groups.setdefault(group, {})[last] = value
        made: dict[str, Any] = {group: GROUPS[group](**values) for group, values in groups.items()}
        return cls(**made)

    def but(self, named: Mapping[str, Any]) -> Self:
        """Make settings with these values, and the values of this object for the rest.

        Args:
            named: values by the full names of their settings, `join.grace`.

        Raises:
            SettingError: if a name is no setting, or a value is not allowed.

        Example:
            >>> Settings().but({"join.grace": 60_000}) == Settings(join=Join(grace=60_000))
            True
        """
        return self.of({**self.flat(), **named})

    def flat(self) -> dict[str, Any]:
        """Every value by the full name of its setting.

        Example:
            >>> Settings().flat()["join.grace"]
            600000
        """
        return {
            name: getattr(getattr(self, name.partition(".")[0]), field.name)
            for name, field in known().items()
        }

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], given: Mapping[str, Any] | None = None
    ) -> Self:
        """Make settings from given values, then variables of the environment, then defaults.

        Args:
            environment: variables by name, usually `os.environ`.
            given: values by the full names of their settings; None counts as not given.

        Raises:
            SettingError: if a value cannot be read, or a `MAINSTEM_` variable names no setting.

        Example:
            >>> environment = {"MAINSTEM_JOIN__GRACE": "5m"}
            >>> Settings.from_environment(environment, {"join.partitions": 4}).join.grace
            300000
        """
        return cls.of(in_environment(environment) | _only(given))

    @classmethod
    def read(
        cls,
        environment: Mapping[str, str],
        given: Mapping[str, Any] | None = None,
        *,
        folder: Path | None = None,
        say: Callable[[str], object] | None = None,
    ) -> Self:
        """Make settings from given values, then variables, then `mainstem.toml`, then defaults.

        Args:
            environment: variables by name, usually `os.environ`.
            given: values by the full names of their settings; None counts as not given.
            folder: folder in which to look for `mainstem.toml`; None is the working folder.
            say: called with a line that names the file, if there is one.

        Raises:
            SettingError: if a value cannot be read, or a name is no setting.
        """
        file = settings_file(environment, folder or Path())
        made = cls.of((in_file(file) if file else {}) | in_environment(environment) | _only(given))
        if file and say:
            say(f"settings are read from {str(file)!r}")
        return made


def _only(given: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (given or {}).items() if value is not None}
