"""Every setting by its name, `join.grace`, and by the variable of the environment that sets it, `MAINSTEM_JOIN__GRACE`."""

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
_LIKE: Final = 0.75  # below it, a name with its group is like any other one


@cache
def known() -> Mapping[str, Field]:
    """Every setting there is, by its name, group first.

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
    """The environment variable of a setting.

    Example:
        >>> variable("join.grace")
        'MAINSTEM_JOIN__GRACE'
    """
    return PREFIX + name.replace(".", "__").upper()


def no_setting(name: str) -> SettingError:
    """The error that names what somebody may have meant.

    Args:
        name: as it was written, `join.grase` or `MAINSTEM_JOIN__GRASE`.

    Example:
        >>> print(no_setting("join.grase"))
        join.grase is no setting; did you mean join.grace? `mainstem settings` lists them
    """
    is_variable = name.startswith(PREFIX)
    meant = _meant(name.removeprefix(PREFIX).replace("__", ".").lower(), known())
    guess = f"did you mean {variable(meant) if is_variable else meant}? " if meant else ""
    return SettingError(f"{name} is no setting; {guess}`mainstem settings` lists them")


def _meant(wrong: str, names: Iterable[str]) -> str:
    """The name that is likest, whole or without its group; empty where none is like it."""
    last = wrong.rpartition(".")[2]
    by_last = {name.partition(".")[2]: name for name in names}
    likest = [by_last[one] for one in get_close_matches(last, by_last, 1)]
    return next(
        iter(
            [by_last[last]]
            if last in by_last
            else get_close_matches(wrong, names, 1, _LIKE) or likest
        ),
        "",
    )
