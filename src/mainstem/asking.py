"""Whom a question goes to: a store given by URL, the home, or the process that has the home in use."""

import shlex
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from mainstem.errors import HomeError, HomeInUseError

if TYPE_CHECKING:
    from mainstem.store import Store
    from mainstem.store.answering import Asker

__all__ = ["Answers", "answers"]

Answers: TypeAlias = list[tuple[tuple[str, ...], list[tuple[Any, ...]]]]
"""Column names and rows, for each question."""
_EVERY: Final = 0.1  # seconds
_TIMES: Final = (
    100  # about ten seconds: a replay that starts needs some, another question is done by then
)


def answers(folder: Path, url: str | None, questions: Sequence[str], **parameters: Any) -> Answers:
    """Ask some questions.

    Args:
        folder: the home.
        url: of a store; if given, the home is left alone.
        questions: in SQL, read-only.
        parameters: of each of them.

    Raises:
        HomeError: if the folder is no home, or is in use by a process that does not answer within ten seconds.
        StoreError: if a question is wrong, or would write.
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
            break  # it is there, but stopped
        except OSError:
            time.sleep(_EVERY)  # it starts, it ends, or it only asks something itself
    raise in_use


def _of_home(folder: Path, questions: Sequence[str], parameters: Mapping[str, Any]) -> Answers:
    from mainstem.bootstrap import open_store
    from mainstem.embedded.home import Home
    from mainstem.store import has_history

    with Home(folder, create=False) as home:
        if not has_history(home.folder / "history"):
            begin = f"mainstem replay LOG --home {shlex.quote(str(folder))}"
            msg = f"{str(folder)!r} has no history yet; `{begin}` begins one"
            raise HomeError(msg)
        with open_store(home.store_url) as store:
            return _asked(store, questions, parameters)


def _asked(
    whom: "Store | Asker", questions: Sequence[str], parameters: Mapping[str, Any]
) -> Answers:
    return [whom.ask(question, **parameters) for question in questions]
