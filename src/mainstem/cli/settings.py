"""`mainstem settings`: every setting with its default, its value now and its meaning."""

import os
from typing import Annotated, Any

import typer

from mainstem.printable import in_json
from mainstem.settings import Settings, known, variable
from mainstem.settings.durations import duration_text
from mainstem.settings.fields import Means

__all__ = ["settings"]


def settings(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Print every setting: its environment variable, default, value now and meaning."""
    now = Settings.from_environment(os.environ).flat()
    rows = [
        (variable(name), _shown(setting.default, setting.means), _shown(now[name], setting.means), setting.means.meaning)
        for name, setting in known().items()
    ]
    if as_json:
        print(in_json({name: {"default": default, "value": value, "help": help_} for name, default, value, help_ in rows}))
        return
    from mainstem.cli.tables import show  # noqa: PLC0415 - rich is slow to import

    show(("variable", "default", "now", "meaning"), rows)


def _shown(value: Any, means: Means) -> str:
    return duration_text(value) if means.is_duration else str(value)
