"""`mainstem settings`: every setting with its default, its value now and its meaning."""

import os
from dataclasses import fields
from typing import Annotated, Any

import typer

from mainstem.printable import in_json
from mainstem.settings import PREFIX, Settings

__all__ = ["settings"]

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


def settings(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Print every setting: its environment variable, default, value now and meaning."""
    now = Settings.from_environment(os.environ)
    rows = [
        (
            PREFIX + setting.name.upper(),
            _shown(setting.default, setting.metadata),
            _shown(getattr(now, setting.name), setting.metadata),
            setting.metadata["help"],
        )
        for setting in fields(Settings)
    ]
    if as_json:
        print(in_json({name: {"default": default, "value": value, "help": help_} for name, default, value, help_ in rows}))
        return
    from mainstem.cli.tables import show  # noqa: PLC0415 - rich is slow to import

    show(("variable", "default", "now", "meaning"), rows)


def _shown(value: Any, metadata: Any) -> str:
    if not metadata.get("duration"):
        return str(value)
    unit, size = next((unit, size) for unit, size in _UNITS if value % size == 0)
    return f"{value // size}{unit}"
