"""Tables for people: as wide as the terminal where there is one, tab-separated where the output goes to a program."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["show"]


def show(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows on stdout."""
    if not sys.stdout.isatty():
        for row in (header, *rows):
            print("\t".join(_cell(cell) for cell in row))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(cell) for cell in row))
    Console().print(table, markup=False)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value)
