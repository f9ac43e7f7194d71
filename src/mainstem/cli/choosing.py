"""Choose the streams that a bench runs, by words in their names."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from mainstem.errors import SettingError

__all__ = ["Named", "chosen"]


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """Its name in tables."""


_Named = TypeVar("_Named", bound=Named)


def chosen(streams: Iterable[_Named], only: Sequence[str] | None) -> list[_Named]:
    """The streams whose name holds one of some words, in their order; all of them without words.

    Args:
        streams: the streams there are.
        only: words to look for; None or none at all takes every stream.

    Raises:
        SettingError: if no stream is named like that.

    Example:
        >>> from pathlib import Path
        >>> [one.name for one in chosen([Path("plain shop"), Path("excerpt")], ["shop", "texts"])]
        ['plain shop']
    """
    there = list(streams)
    found = [one for one in there if not only or any(words in one.name for words in only)]
    if not found:
        names = ", ".join(repr(one.name) for one in there)
        msg = f"no stream is named like {only}; the streams are {names}"
        raise SettingError(msg)
    return found
