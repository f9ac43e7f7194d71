"""What benches of many cells let their user choose: streams, seeds, processes, and a folder."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Protocol, TypeAlias, TypeVar

import typer

from mainstem.errors import SettingError

__all__ = ["Named", "OnlyOption", "ProcessesOption", "SeedsOption", "chosen", "kept_in"]

SeedsOption: TypeAlias = Annotated[int, typer.Option(min=1, help="How many seeds each stream has.")]
OnlyOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(help="Take only streams whose name holds these words; may be given again."),
]
ProcessesOption: TypeAlias = Annotated[
    int, typer.Option(min=1, help="How many processes, each with one thread.")
]


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


@contextmanager
def kept_in(folder: Path | None, usual: Path, *, quick: bool) -> Iterator[Path]:
    """The folder that keeps the cells of a bench.

    Args:
        folder: folder that was asked for; None for none.
        usual: folder without one.
        quick: whether a run without a folder gets a temporary one, which is removed afterwards.
    """
    if folder or not quick:
        yield folder or usual
        return
    with tempfile.TemporaryDirectory(prefix="mainstem-bench-") as temporary:
        yield Path(temporary)
