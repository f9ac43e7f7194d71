"""Puts the parts together: the only file that knows which adapter stands behind a URL, a home or a model's name."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from mainstem.allocator import keep_freed_memory
from mainstem.errors import HomeError, LogError
from mainstem.events import read_lines
from mainstem.events.logs import spool
from mainstem.events.survey import Survey, survey
from mainstem.home import SOCKET, Home, recorded
from mainstem.join.text import item_text
from mainstem.lacking import unknown_classes
from mainstem.learning.first import first_encoder, make_first_version
from mainstem.loop import Loop, Relabel, Watcher
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.answering import Answerer
from mainstem.threads import asked_threads, available_threads
from mainstem.trust import load_trust
from mainstem.versions import Versions

__all__ = ["open_loop", "threads"]


def threads(home: Path | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Tell torch how many threads to use, and the allocator to keep memory between passes.

    Args:
        home: that will be gone on with, by as many threads as it was made with: sums depend on their number.
        environment: may hold `OMP_NUM_THREADS`; without it, and without a home, it is the cores that this process may use.

    Returns:
        How many they are.

    Raises:
        HomeError: if the home was made with another number than was asked for.
        SettingError: if what was asked for is no number.
    """
    import torch  # noqa: PLC0415 - seconds to import

    keep_freed_memory()
    asked, made_with = asked_threads(environment), recorded(home, "threads") if home else None
    if asked and made_with and asked != made_with:
        msg = (
            f"{str(home)!r} was made with {made_with} threads, and OMP_NUM_THREADS asks for {asked}, which makes other "
            f"sums; leave it out or set it to {made_with}, or --from-start begins again"
        )
        raise HomeError(msg)
    count = asked or made_with or available_threads()
    torch.set_num_threads(count)
    return count


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
        versions = Versions(home.versions_url)
        # subtle: before anything is recorded, so that a model that is refused leaves a home free for another one
        made = None if versions.numbers() else first_encoder(_texts(found), settled)
        facts = {"learn": learn, "planted": planted, "relabel": name, "trusted": digest, "threads": _threads_now()}
        home.settle(settled, facts)
        with Store(home.store_url) as store, Answerer(home.folder / SOCKET, partial(Store, home.store_url)):
            make_first_version(versions, store, lambda: _texts(found), settled, made=made)
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


def _threads_now() -> int:
    import torch  # noqa: PLC0415 - seconds to import

    return torch.get_num_threads()


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
