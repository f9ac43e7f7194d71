"""Puts the parts together: the only file that knows which adapter stands behind a URL, a home or a model's name."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from mainstem.allocator import keep_freed_memory
from mainstem.errors import LogError
from mainstem.events import read_lines
from mainstem.events.logs import spool
from mainstem.events.survey import Survey, survey
from mainstem.home import SOCKET, Home
from mainstem.join.text import item_text
from mainstem.lacking import unknown_classes
from mainstem.learning.first import make_first_version
from mainstem.loop import Loop, Relabel, Watcher
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.answering import Answerer
from mainstem.trust import load_trust
from mainstem.versions import Versions

__all__ = ["open_loop", "threads"]


def threads() -> int:
    """Cores that this process may use; torch is told to use as many, and the allocator to keep memory between passes."""
    import torch  # noqa: PLC0415 - seconds to import

    keep_freed_memory()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    torch.set_num_threads(cores)
    return cores


@contextmanager
def open_loop(
    log: str,
    folder: Path,
    settings: Settings,
    watcher: Watcher,
    *,
    from_start: bool = False,
    learn: bool = True,
    planted: bool = False,
    relabel: tuple[str, Relabel] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[Loop]:
    """A loop over a log, ready to run, with all that it holds open; closed on leaving.

    Args:
        log: path, or `-` for standard input.
        folder: its home.
        settings: `questions` may be `auto`: then the log says what asks.
        watcher: is told of progress.
        from_start: forget what the home holds.
        learn: whether rounds are run.
        planted: whether the labels of the slices that stand in for trusted samples are believed.
        relabel: a name (part of what results depend on) and a function that changes labels on their way in.
        environment: may hold the pseudonym key.

    Raises:
        LogError: if the log cannot be read, or holds no event.
        HomeError: if the home is another's, in use, or was made with other settings.
    """
    with Home(folder, create=True) as home:
        if from_start:
            home.empty()
        path = spool(home.folder) if log == "-" else Path(log)
        found = survey(read_lines(path))
        _check(found, path, settings)
        settled = settings if settings.questions != "auto" else replace(settings, questions=found.questions)
        name, function = relabel or ("none", lambda sample, part: sample)  # noqa: ARG005
        trust, graded, digest = load_trust(home.trusted, settled, read_lines(path))
        home.settle(settled, {"learn": learn, "planted": planted, "relabel": name, "trusted": digest})
        with Store(home.store_url) as store, Answerer(home.folder / SOCKET, partial(Store, home.store_url)):
            versions = Versions(home.versions_url)
            make_first_version(versions, store, lambda: _texts(found), settled)
            yield Loop(
                path,
                home,
                store,
                versions,
                settled,
                found,
                home.key(environment),
                watcher,
                learn=learn,
                trust=trust,
                graded=graded,
                planted=planted,
                relabel=function,
            )


def _check(found: Survey, path: Path, settings: Settings) -> None:
    if found.newest < 0:
        reason = found.refused_items[0][1].reason if found.refused_items else "no line is an event of a shopper"
        msg = (
            f"nothing in {str(path)!r} can be joined ({found.lines} lines, {len(found.items)} items; {reason}); "
            "`mainstem import` makes a log from known sources"
        )
        raise LogError(msg)
    unknown = unknown_classes(found.labels, settings)
    if unknown and found.asks == {"labelled"} and not set(found.labels) & set(settings.class_names):
        msg = f"nothing in {str(path)!r} can be joined: {unknown}"
        raise LogError(msg)


def _texts(found: Survey) -> set[str]:
    return {item_text(item) for item in found.items} | found.texts
