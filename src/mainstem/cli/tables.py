"""Tables for people: as wide as the terminal where there is one, tab-separated where the output goes to a program."""

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
    """Print rows on stdout, each in one line; what would break a line or steer a terminal is escaped."""
    if not sys.stdout.isatty():
        for row in (header, *rows):
            print("\t".join(as_cell(cell) for cell in row))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in header:
        table.add_column(Text(as_cell(name)), overflow="fold")
    for row in rows:
        table.add_row(
            *(Text(as_cell(cell)) for cell in row)
        )  # text is printed as it is; a string would be markup
    Console().print(table)


def show_json(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows on stdout, each as a JSON object in a line.

    Raises:
        StoreError: if two columns have one name; an object could only hold one of them.
    """
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        msg = f"several columns are called {twice[0]!r}, and an object holds one of a name; name them apart with AS"
        raise StoreError(msg)
    for row in rows:
        print(in_json(dict(zip(header, row, strict=True))))


def working(on: str) -> AbstractContextManager[object]:
    """A spinner on stderr while something takes its time; nothing where there is no terminal."""
    return (
        Console(stderr=True).status(Text(printable(on))) if sys.stderr.isatty() else nullcontext()
    )
