"""Open a loop: a log, a home, and the home's history and versions, ready to run."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from mainstem.bootstrap import open_store, open_tracker, open_versions
from mainstem.embedded.again import (
    check_repeatable,
    copy_first_version,
    key_digest,
    key_of,
    settings_of,
)
from mainstem.embedded.as_of import line_as_of, refuse_further, told_of
from mainstem.embedded.asked import Asked
from mainstem.embedded.home import SOCKET, HomeFolder
from mainstem.embedded.opening import check_versions, open_log
from mainstem.embedded.recorded import past_record, record
from mainstem.errors import HomeError, LogError
from mainstem.events import read_lines
from mainstem.events.known_log import OpenedLog, same_log
from mainstem.events.logs import spool
from mainstem.events.survey import Survey
from mainstem.join.text import item_text
from mainstem.process.machine import Machine, this_machine
from mainstem.process.threads import threads_now
from mainstem.settings import Settings
from mainstem.trusted.files import load_trust
from mainstem.validate.lacking import why_not_joined

if TYPE_CHECKING:
    from uuid import UUID

    from mainstem.loop import Loop, Watcher
    from mainstem.store.rounds import RecordedRound

__all__ = ["open_again", "open_loop"]

_AS_THE_LOG_IS = Asked()


@contextmanager
def open_loop(
    log: str,
    folder: Path,
    settings: Settings,
    watcher: "Watcher",
    asked: Asked = _AS_THE_LOG_IS,
    *,
    say: Callable[[str], None] = lambda text: None,  # noqa: ARG005
    environment: Mapping[str, str] = os.environ,
    machine: Machine | None = None,
) -> "Iterator[Loop]":
    """Open a loop over a log, ready to run; leaving the context closes all that it holds open.

    Args:
        log: path of the log, or `-` for standard input.
        folder: the home that the log is replayed into.
        settings: settings of the replay; where `join.questions` is `auto`, the log decides. What
            the machine decides is taken from the home, if it records it.
        watcher: receives the progress.
        asked: where the replay begins and ends, and what happens to labels and rounds on the way.
        say: receives each line that a user should read.
        environment: may hold the pseudonym key, `MAINSTEM_PSEUDONYM_KEY`.
        machine: what the machine can compute with; None looks.

    Raises:
        LogError: if the log cannot be read, or holds no event.
        HomeError: if the folder is no home, or the home is in use, was made with other settings,
            from another log, or with what this machine lacks.
        SettingError: if the settings ask for what this machine lacks.
    """
    from mainstem.embedded.labels import Labels
    from mainstem.embedded.opened import Opened  # torch is slow to import
    from mainstem.embedded.repetition import Repetition, copy_versions
    from mainstem.learning.first import first_encoder, keep_row, make_first_version
    from mainstem.learning.training.precision import check_precision
    from mainstem.learning.training.trial import with_compiling
    from mainstem.loop import Loop
    from mainstem.models.choices import settled_on
    from mainstem.store.answering import Answerer

    if log != "-":
        # fails for a missing log before anything is made or deleted
        next(read_lines(Path(log)))
    with HomeFolder(folder, create=not asked.append) as home:
        path = spool(home.folder) if log == "-" else Path(log)
        opened = open_log(
            path,
            log,
            home,
            settings,
            from_start=asked.from_start,
            append=asked.append,
            say=say,
        )
        found = opened.survey
        if lack := why_not_joined(found, str(path), settings):
            raise LogError(lack)
        read = past_record if asked.from_start else record
        kept, threads = read(home.folder), threads_now()
        settled = settled_on(
            settings,
            kept,
            machine or this_machine(),
            threads,
            begins_again=asked.from_start,
            say=say,
        )
        if settings.join.questions == "auto":
            settled = settled.but({"join.questions": found.questions})
        trust, graded, digest = load_trust(home.trusted, settled, read_lines(path))
        versions, schedule = open_versions(home.versions_url), asked.schedule
        trains = asked.learn and not schedule
        if trains:
            check_precision(settled)
        # subtle: made and tried before anything is deleted or recorded, so that a refused model
        # leaves the home as it is
        is_new = asked.from_start or not versions.numbers()
        made = first_encoder(_texts(found), settled) if is_new and not schedule else None
        tried = settled if trains else settled.but({"learning.compile": False})
        if tried.learning.compile:
            known = None if asked.from_start else kept.get("compiled")
            newest = lambda: made or versions.load(versions.numbers()[-1])  # noqa: E731
            tried = with_compiling(settled, newest, known=known, tell=say)
        until = _until(opened, home, asked, say)
        key = home.key(environment)
        if schedule:
            copy_versions(*schedule, home, versions)
        name, function = asked.relabel or ("none", lambda sample, part: sample)  # noqa: ARG005
        facts = {
            "learn": asked.learn,
            "planted": asked.planted,
            "relabel": name,
            "trusted": digest,
            "threads": threads,
            "pseudonym_key": key_digest(key),
            "schedule": schedule[0].digest if schedule else "none",
        }
        if trains and settled.learning.compile:
            facts["compiled"] = tried.learning.compile
        home.settle(settled, facts, opened.known)
        with (
            open_store(home.store_url) as store,
            Answerer(home.folder / SOCKET, partial(open_store, home.store_url)),
            open_tracker(settled, home.folder) as tracker,
        ):
            check_versions(home, versions)
            make_first_version(versions, store, lambda: _texts(found), settled, made=made)
            for version in versions.numbers() if schedule else ():
                keep_row(versions.manifest(version), store, "")
            labels = Labels(trust=trust, graded=graded, planted=asked.planted, relabel=function)
            yield Loop(
                Opened(
                    log=opened,
                    home=home,
                    store=store,
                    versions=versions,
                    key=key,
                    until=until,
                    tracker=tracker,
                ),
                tried,
                labels,
                watcher,
                learn=asked.learn,
                repeat=Repetition(schedule[0], versions) if schedule else None,
            )


@contextmanager
def open_again(
    log: str,
    folder: Path,
    scratch: Path,
    as_of: int,
    recorded_rounds: "tuple[Sequence[RecordedRound], Mapping[int, list[UUID]]]",
    watcher: "Watcher",
    *,
    environment: Mapping[str, str] = os.environ,
    machine: Machine | None = None,
) -> "Iterator[Loop]":
    """Open a loop that replays the log of a home into a scratch home and only reads the home.

    Args:
        log: path of the whole log.
        folder: the home, which another process may hold.
        scratch: the folder of the scratch home, which does not exist yet.
        as_of: the moment of event time, in milliseconds, at which the replay stops.
        recorded_rounds: the rounds of the home, and the samples that each of them drew, by version.
        watcher: receives the progress.
        environment: may hold settings that no result depends on, and the pseudonym key.
        machine: what the machine can compute with; None looks.

    Raises:
        LogError: if the log cannot be read, or begins later.
        HomeError: if the home was made from another log, or cannot be made again.
    """
    from mainstem.embedded.labels import Labels  # numpy is slow to import
    from mainstem.embedded.opened import Opened
    from mainstem.learning import RecordedRounds  # torch is slow to import
    from mainstem.learning.first import make_first_version
    from mainstem.loop import Loop
    from mainstem.models.choices import settled_on

    with (
        HomeFolder(folder, create=False, alone=False) as made,
        HomeFolder(scratch, create=True) as home,
    ):
        if not (known := made.log()):
            msg = (
                f"{str(folder)!r} was made before logs were remembered; "
                "replay its log into it once more, then verify"
            )
            raise HomeError(msg)
        path, key, threads = Path(log), key_of(made, environment), threads_now()
        settings = settled_on(
            settings_of(folder, environment), record(folder), machine or this_machine(), threads
        )
        opened = same_log(lambda: islice(read_lines(path), known.lines), log, known)
        until = line_as_of(opened, as_of)
        trust, graded, digest = load_trust(made.trusted, settings, opened.lines(0))
        facts = check_repeatable(
            made, {"trusted": digest, "threads": threads, "pseudonym_key": key_digest(key)}
        )
        copy_first_version(made, home)
        home.settle(settings, facts)
        again = RecordedRounds(*recorded_rounds, open_versions(made.versions_url), settings)
        versions = open_versions(home.versions_url)
        labels = Labels(trust=trust, graded=graded, planted=facts["planted"])
        with open_store(home.store_url) as store:
            make_first_version(versions, store, set, settings)
            parts = Opened(
                log=opened, home=home, store=store, versions=versions, key=key, until=until
            )
            yield Loop(parts, settings, labels, watcher, again=again)


def _until(
    log: OpenedLog, home: HomeFolder, asked: Asked, say: Callable[[str], None]
) -> int | None:
    """Give the number of lines to replay, None for all; empty a home that begins again."""
    until = None if asked.as_of is None else line_as_of(log, asked.as_of)
    if asked.from_start:
        home.empty()
    if asked.as_of is not None and until is not None:
        refuse_further(home, until, asked.as_of)
        say(told_of(log, until, asked.as_of))
    return until


def _texts(found: Survey) -> set[str]:
    return {item_text(item) for item in found.items} | found.texts
