"""What a command says beside its answer."""

import sys

from mainstem.printable import printable

__all__ = ["note"]


def note(text: str) -> None:
    """A line on stderr, so that stdout stays data."""
    print(f"mainstem: {printable(text)}", file=sys.stderr)
