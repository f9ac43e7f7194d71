"""Tables for people: as wide as the terminal where there is one, tab-separated where the output goes to a program."""

import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["show", "working"]


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


def working(on: str) -> AbstractContextManager[object]:
    """A spinner on stderr while something takes its time; nothing where there is no terminal."""
    return Console(stderr=True).status(on) if sys.stderr.isatty() else nullcontext()


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value)
