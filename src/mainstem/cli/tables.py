"""Tables: as wide as a terminal, or tab-separated where the output goes to a file or a program."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mainstem.errors import StoreError
from mainstem.printable import as_cell, in_json, printable

__all__ = ["show", "show_json", "working"]


def show(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows on stdout, each in one line, with line breaks and control characters escaped."""
    if not sys.stdout.isatty():
        for row in (header, *rows):
            print("\t".join(as_cell(cell) for cell in row))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in header:
        table.add_column(Text(as_cell(name)), overflow="fold")
    for row in rows:
        # subtle: rich would read a plain string as markup
        table.add_row(*(Text(as_cell(cell)) for cell in row))
    Console().print(table)


def show_json(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows on stdout, each as a JSON object in a line.

    Raises:
        StoreError: if two columns have the same name, because an object can hold only one of them.
    """
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        msg = f"several columns are called {twice[0]!r}; give each a name of its own with AS"
        raise StoreError(msg)
    for row in rows:
        print(in_json(dict(zip(header, row, strict=True))))


def working(on: str) -> AbstractContextManager[object]:
    """A spinner on stderr that says what the command is working on; nothing without a terminal."""
    if not sys.stderr.isatty():
        return nullcontext()
    return Console(stderr=True).status(Text(printable(on)))
