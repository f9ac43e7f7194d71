"""Lines for people: wrapped text, small tables, and the command to type for `mainstem`."""

import math
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import Final

__all__ = ["WORDS", "aligned", "points", "program", "wrapped"]

WORDS: Final = "docs/how-it-works.md#words"
"""The page that explains every word on a screen."""
_WIDTH: Final = 80  # columns; the least that a terminal usually has


def wrapped(text: str, first: str = "  ", rest: str = "  ", most: int | None = None) -> str:
    """Wrap text between its words.

    Args:
        text: what to wrap; a run of whitespace becomes one space.
        first: what the first line begins with.
        rest: what every other line begins with.
        most: how many lines there may be; text that needs more is cut. With None nothing is cut,
            and a word that is wider than the screen, like an address, stays whole.

    Example:
        >>> print(wrapped("red cup " * 10, first="item  ", rest="      "))
        item  red cup red cup red cup red cup red cup red cup red cup red cup red cup
              red cup
    """
    return textwrap.fill(
        text,
        width=_WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=most is not None,
        max_lines=most,
        placeholder=" ...",
        break_on_hyphens=False,
    )


def aligned(rows: Sequence[Sequence[str]], sides: str) -> Iterator[str]:
    r"""Lines of a table, two spaces in front and between columns.

    Args:
        rows: the header and the rows, each with as many cells as there are columns.
        sides: one letter for each column: `r` puts its cells to the right, `l` to the left.

    Example:
        >>> print("\n".join(aligned([("round", "of"), ("1", "core"), ("10", "edge")], "rl")))
          round  of
              1  core
             10  edge
    """
    from rich.cells import cell_len  # rich is slow to import

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            " " * (width - cell_len(cell)) + cell
            if side == "r"
            else cell + " " * (width - cell_len(cell))
            for cell, width, side in zip(row, widths, sides, strict=True)
        ]
        yield f"  {'  '.join(cells)}".rstrip()


def points(value: float | None) -> str:
    """A figure between 0 and 1 with three decimals and no leading zero.

    Example:
        >>> points(0.7517), points(1.0), points(None)
        ('.752', '1.000', 'not known')
    """
    if value is None:
        return "not known"
    if not math.isfinite(value):
        return "not known (its scores are not finite)"
    return f"{value:.3f}".removeprefix("0")


def program() -> str:
    """What to type for `mainstem` in this shell, so that a printed command works as it stands."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{quote(sys.executable)} -m mainstem.cli"
    found = shutil.which("mainstem")
    if found and called.exists() and Path(found).samefile(called):
        return "mainstem"
    return quote(sys.argv[0])
