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


@cache
def known() -> Mapping[str, Field]:
    """Every setting there is, by its name, group first.

    Example:
        >>> known()["join.grace"].default
        600000
    """
    return MappingProxyType(
        {f"{group}.{name}": field for group, kind in GROUPS.items() for name, field in fields_of(kind).items()}
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
    """The name that is likest: the same one in another group, or, before there were groups, in none."""
    last = wrong.rpartition(".")[2]
    same = [name for name in names if name.partition(".")[2] == last]
    return next(iter(same or get_close_matches(wrong, names, 1) or get_close_matches(f"join.{wrong}", names, 1)), "")
