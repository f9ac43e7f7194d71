"""Questions to a history: to a store by URL, to a home, or to the process that uses the home."""

import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from mainstem.errors import HomeError, HomeInUseError

if TYPE_CHECKING:
    from mainstem.store import Store
    from mainstem.store.answering import Asker

__all__ = ["Answers", "answers", "open_history"]

Answers: TypeAlias = list[tuple[tuple[str, ...], list[tuple[Any, ...]]]]
"""For each question, the names of its columns and its rows."""
_EVERY: Final = 0.1  # seconds between two tries
# about ten seconds of tries: a replay that starts takes a few, and another question ends by then
_TIMES: Final = 100


def answers(
    folder: Path, url: str | None, questions: Sequence[str], /, **parameters: Any
) -> Answers:
    """Ask a history some questions.

    Args:
        folder: the home whose history is asked.
        url: URL of a store to ask instead; None asks the home.
        questions: ClickHouse queries that only read.
        parameters: values of the queries' parameters, given to every query.

    Raises:
        HomeError: if the folder is not a home, or if the process that uses the home does not answer
            within ten seconds.
        StoreError: if a query is wrong or would write.
    """
    from mainstem.bootstrap import open_store
    from mainstem.embedded.home import SOCKET
    from mainstem.store.answering import Asker
    from mainstem.store.question import one_question

    for question in questions:
        one_question(question)
    if url:
        with open_store(url, make=False) as store:
            return _asked(store, questions, parameters)
    holder = Asker(folder.resolve() / SOCKET)
    for _ in range(_TIMES):
        try:
            return _of_home(folder, questions, parameters)
        except HomeInUseError as error:
            in_use = error
        try:
            return _asked(holder, questions, parameters)
        except TimeoutError:
            break  # the process is there, but stopped
        except OSError:
            time.sleep(_EVERY)  # the process starts, ends, or only asks something itself
    raise in_use


@contextmanager
def open_history(folder: Path, url: str | None) -> "Iterator[Store]":
    """Open a history to compute something out of it, and close it at the end.

    Args:
        folder: the home whose history is opened.
        url: URL of a store to open instead; None opens that of the home.

    Raises:
        HomeError: if the folder is not a home or has no history, or if another process uses it.
    """
    from mainstem.bootstrap import open_store
    from mainstem.embedded.home import HomeFolder
    from mainstem.store import has_history

    if url:
        with open_store(url, make=False) as store:
            yield store
        return
    with HomeFolder(folder, create=False) as home:
        if not has_history(home.folder / "history"):
            begin = f"mainstem replay LOG --home {shlex.quote(str(folder))}"
            msg = f"{str(folder)!r} has no history yet; `{begin}` makes one"
            raise HomeError(msg)
        with open_store(home.store_url) as store:
            yield store


def _of_home(folder: Path, questions: Sequence[str], parameters: Mapping[str, Any]) -> Answers:
    with open_history(folder, None) as store:
        return _asked(store, questions, parameters)


def _asked(
    whom: "Store | Asker", questions: Sequence[str], parameters: Mapping[str, Any]
) -> Answers:
    return [whom.ask(question, **parameters) for question in questions]
