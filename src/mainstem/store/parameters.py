"""Parameters of queries that would take the client long to write."""

from collections.abc import Iterable
from typing import Final

__all__ = ["Texts"]

_ESCAPED: Final = str.maketrans({one: f"\\{one}" for one in "\\'`\t\n"})


class Texts:
    """A parameter of type Array(String), written as the engine reads it.

    The client looks at every character of a text in Python, which takes longer than the engine
    takes to answer a question about a thousand ids. It passes any other object on as a text.

    Args:
        texts: the texts.

    Example:
        >>> str(Texts(["red", "blue"]))
        "['red','blue']"
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._written = ",".join([f"'{one.translate(_ESCAPED)}'" for one in texts])

    def __str__(self) -> str:
        return f"[{self._written}]"
