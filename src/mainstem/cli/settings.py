"""`mainstem settings`: every setting with its default, its value, its meaning and its effect."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from mainstem.cli.notes import note
from mainstem.errors import HomeError
from mainstem.printable import in_json
from mainstem.settings import GROUPS, Settings, known, variable

__all__ = ["settings"]


def settings(
    *,
    home: Annotated[
        Path | None,
        typer.Option(help="Print the settings that this home was made with."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Print a commented mainstem.toml.")
    ] = False,
) -> None:
    """Print every setting by group: its default, its value now, what it affects, its meaning.

    A setting that affects `join` changes samples, one that affects `results`
    changes what is made of them, and a home keeps both as they were.
    """
    now = Settings.read(os.environ, say=note) if home is None else _of_home(home)
    if write:
        from mainstem.settings.writing import as_toml  # not needed otherwise

        print(as_toml(now), end="")
    elif as_json:
        print(in_json(_told(now)))
    else:
        _show(now, "now" if home is None else "of the home")


def _of_home(folder: Path) -> Settings:
    from mainstem.embedded.again import settings_of  # the history is slow to import
    from mainstem.embedded.recorded import record

    if not record(folder):
        msg = f"{str(folder)!r} is no home of mainstem in which a replay has begun"
        raise HomeError(msg)
    return settings_of(folder, os.environ)


def _told(now: Settings) -> dict[str, dict[str, Any]]:
    values = now.flat()
    return {
        variable(name): {
            "setting": name,
            "default": field.means.text_of(field.default),
            "value": field.means.text_of(values[name]),
            "allowed": field.means.allowed,
            "affects": field.means.affects,
            "help": field.means.meaning,
        }
        for name, field in known().items()
    }


def _show(now: Settings, column: str) -> None:
    from mainstem.cli.tables import show  # rich is slow to import

    told = list(_told(now).items())
    for group, kind in GROUPS.items():
        print(f"\n[{group}] {kind.__doc__}")
        rows = [
            (name, one["default"], one["value"], one["affects"], one["help"])
            for name, one in told
            if one["setting"].startswith(f"{group}.")
        ]
        show(("variable", "default", column, "affects", "meaning"), rows)
