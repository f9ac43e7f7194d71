"""Settings by name (`join.grace`), and the variables that set them (`MAINSTEM_JOIN__GRACE`)."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Final

from mainstem.errors import SettingError
from mainstem.settings.fields import Field, fields_of
from mainstem.settings.groups import GROUPS

__all__ = ["PREFIX", "known", "no_setting", "variable"]

PREFIX: Final = "MAINSTEM_"
# subtle: names that share their group are alike by that alone; below this ratio it means nothing
_LIKE: Final = 0.75


@cache
def known() -> Mapping[str, Field]:
    """Every setting, by group and name.

    Example:
        >>> known()["join.grace"].default
        600000
    """
    return MappingProxyType(
        {
            f"{group}.{name}": field
            for group, kind in GROUPS.items()
            for name, field in fields_of(kind).items()
        }
    )


def variable(name: str) -> str:
    """Name of the environment variable that sets a setting.

    Example:
        >>> variable("join.grace")
        'MAINSTEM_JOIN__GRACE'
    """
    return PREFIX + name.replace(".", "__").upper()


def no_setting(name: str) -> SettingError:
    """Make the error for a name that no setting has; it suggests the setting with the closest name.

    Args:
        name: the name as its user wrote it, `join.grase` or `MAINSTEM_JOIN__GRASE`.

    Example:
        >>> print(no_setting("join.grase"))
        join.grase is no setting; did you mean join.grace? `mainstem settings` lists them
        >>> print(no_setting("MAINSTEM_JOIN__GRACE"))  # where a name and not a variable is wanted
        MAINSTEM_JOIN__GRACE is no setting; did you mean join.grace? `mainstem settings` lists them
    """
    is_variable = name.startswith(PREFIX)
    meant = _meant(name.removeprefix(PREFIX).replace("__", ".").lower(), known())
    shown = variable(meant) if is_variable and variable(meant) != name else meant
    guess = f"did you mean {shown}? " if meant else ""
    return SettingError(f"{name} is no setting; {guess}`mainstem settings` lists them")


def _meant(wrong: str, names: Iterable[str]) -> str:
    """The closest name, compared with its group or without; empty where none is close."""
    last = wrong.rpartition(".")[2]
    by_last = {name.partition(".")[2]: name for name in names}
    if last in by_last:
        return by_last[last]
    without_group = [by_last[one] for one in get_close_matches(last, by_last, 1)]
    return next(iter(get_close_matches(wrong, names, 1, _LIKE) or without_group), "")
