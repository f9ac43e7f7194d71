"""Read values of settings from variables of the environment and from `mainstem.toml`.

The file is `mainstem.toml` in the folder where a command runs, or the file that
`MAINSTEM_SETTINGS` names:

    [join]
    grace = "5m"
    negatives = 2

A variable of the environment wins over the file, so that a single run can differ from it.
"""

import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from mainstem.errors import SettingError
from mainstem.settings.addresses import NAMES
from mainstem.settings.durations import parse_duration
from mainstem.settings.fields import Field, check
from mainstem.settings.groups import GROUPS
from mainstem.settings.names import PREFIX, known, no_setting, variable
from mainstem.settings.renamed import renamed

__all__ = ["FILE", "in_environment", "in_file", "settings_file"]

FILE: Final = "mainstem.toml"
_NAMED_BY: Final = "MAINSTEM_SETTINGS"
_OF_TESTS: Final = "MAINSTEM_TEST_"  # which servers the test suite uses
_WRITTEN: Final = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
_SWITCH: Final = {"true": True, "false": False}


def in_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """Values that variables of the environment give to settings, by name.

    Args:
        environment: variables by name, usually `os.environ`; only those that begin with
            `MAINSTEM_` count.

    Raises:
        SettingError: if a value cannot be read, or a `MAINSTEM_` variable names no setting.

    Example:
        >>> in_environment({"MAINSTEM_JOIN__GRACE": "5m", "PATH": "/bin"})
        {'join.grace': 300000}
    """
    names = {variable(name): name for name in known()}
    values = {}
    for name, text in environment.items():
        if not name.startswith(PREFIX) or name in NAMES or name.startswith(_OF_TESTS):
            continue
        if name not in names:
            _refuse_old(name, variable, name.removeprefix(PREFIX).lower())
            raise no_setting(name)
        values[names[name]] = _parsed(name, text, known()[names[name]])
    return values


def settings_file(environment: Mapping[str, str], folder: Path) -> Path | None:
    """The file of the settings; None where there is none.

    Args:
        environment: variables by name, usually `os.environ`.
        folder: folder where the command runs.
    """
    if named := environment.get(_NAMED_BY):
        return folder / named
    return folder / FILE if (folder / FILE).is_file() else None


def in_file(path: Path) -> dict[str, Any]:
    """Values that a file gives to settings, by name.

    Raises:
        SettingError: if the file cannot be read or is no TOML, or if a name in it is no setting or
            a value is not allowed.
    """
    try:
        groups = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        msg = (
            f"cannot read {str(path)!r}: {error.strerror}; "
            f"correct {_NAMED_BY}, or the file's permissions"
        )
        raise SettingError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{str(path)!r} is no TOML: {error}; `mainstem settings --write` prints one that is"
        raise SettingError(msg) from error
    try:
        return {
            name: value
            for group, table in groups.items()
            for name, value in _in_group(group, table)
        }
    except SettingError as error:
        msg = f"{str(path)!r}: {error}"
        raise SettingError(msg) from error


def _in_group(group: str, table: Any) -> list[tuple[str, Any]]:
    if group not in GROUPS:
        _refuse_old(group, str, group)
        guess = "".join(f"did you mean [{one}]? " for one in get_close_matches(group, GROUPS, 1))
        groups = ", ".join(f"[{one}]" for one in GROUPS)
        msg = f"[{group}] is no group of settings; {guess}there are {groups}"
        raise SettingError(msg)
    if not isinstance(table, dict):
        msg = f"{group} is a group: put its settings below a line [{group}]; got {table!r}"
        raise SettingError(msg)
    found = []
    for last, value in table.items():
        name = f"{group}.{last}"
        if name not in known():
            raise no_setting(name)
        found.append((name, _taken(name, value, known()[name])))
    return found


def _taken(name: str, value: Any, field: Field) -> Any:
    """Check a value of TOML, and convert it to the type of the setting."""
    if field.means.is_duration and isinstance(value, str):
        return _parsed(name, value, field)
    kinds = field.kind | int if field.kind is float else field.kind
    # subtle: Python takes true for an int; no number here does
    has_kind = isinstance(value, kinds) and isinstance(value, bool) == (field.kind is bool)
    if field.means.is_duration or not has_kind:
        duration = 'a duration in quotation marks, like "90s" or "30d"'
        wanted = duration if field.means.is_duration else _WRITTEN[field.kind]
        msg = f"{name} should be {wanted}; got {value!r}"
        raise SettingError(msg)
    check(name, value, field.means)
    return field.kind(value)


def _parsed(name: str, text: str, field: Field) -> Any:
    if field.means.is_duration:
        try:
            return parse_duration(text)
        except SettingError as error:
            msg = f"{name}: {error}"
            raise SettingError(msg) from error
    if field.kind is bool:
        if text.lower() not in _SWITCH:
            msg = f"{name} should be true or false; got {text!r}"
            raise SettingError(msg)
        return _SWITCH[text.lower()]
    try:
        return field.kind(text)
    except ValueError as error:
        msg = f"{name} should be of type {field.kind.__name__}; got {text!r}"
        raise SettingError(msg) from error


def _refuse_old(name: str, shown: Callable[[str], str], old: str) -> None:
    """Refuse a name from before there were groups, naming the new one.

    Args:
        name: the name as its user wrote it.
        shown: writes the new name in the same way.
        old: the name without prefix, in small letters.
    """
    [now] = renamed({old: None})
    if now != old:
        msg = f"{name} is called {shown(now)} now; rename it"
        raise SettingError(msg)
