"""Keeps standard input for this process, because chDB would read it from descriptor 0."""

import io
import os
import sys
from typing import Final

__all__ = ["keep_stdin"]

_STDIN: Final = 0


def keep_stdin() -> None:
    """Move standard input to another descriptor, so that no library in this process reads it.

    The engine of chDB takes what waits at descriptor 0 for rows of the INSERT that it runs. So
    that descriptor gets an empty input, and so do processes that are started from now on.
    `sys.stdin` reads on where it stands. A terminal stays as it is, since chDB leaves it alone.
    """
    given = getattr(getattr(sys.__stdin__, "buffer", None), "raw", None)
    # subtle: it is another one when it has been moved before, or when there was none at the start
    if not isinstance(given, io.FileIO) or given.closed or given.fileno() != _STDIN:
        return
    if os.isatty(_STDIN):
        return
    moved = os.dup(_STDIN)
    # subtle: made anew in place, the object keeps what was read ahead, and who reads it goes on
    io.FileIO.__init__(given, moved, "rb", closefd=False)
    with open(os.devnull, "rb") as empty:  # noqa: PTH123 - os.devnull is no path of ours
        os.dup2(empty.fileno(), _STDIN)
