"""Remarks of a command beside its answer, on stderr, so that stdout stays data."""

import sys

from mainstem.cli.lines import WORDS
from mainstem.printable import printable

__all__ = ["explain_words", "note"]


def note(text: str) -> None:
    """Print a remark in one line."""
    print(f"mainstem: {printable(text)}", file=sys.stderr)


def explain_words(*lines: str) -> None:
    """Print what the words of a table mean, where a person looks on; a script is not told."""
    if sys.stderr.isatty():
        print("\n".join(["", *lines, f"What each word means: {WORDS}"]), file=sys.stderr)
