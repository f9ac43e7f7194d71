"""Puts the parts together: the only file that knows which adapter stands behind a URL, a home or a model's name.

The library's loop and the programs beside Kafka ask it alike. What is slow to import is imported by the function that needs
it: the programs that move events do without torch.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mainstem.embedded.again import (
    check_repeatable,
    copy_first_version,
    key_of,
    key_told,
    settings_of,
)
from mainstem.embedded.as_of import line_as_of, refuse_further, told_of
from mainstem.embedded.home import SOCKET, Home
from mainstem.embedded.opening import check_versions, open_log
from mainstem.embedded.recorded import recorded
from mainstem.errors import HomeError, LogError, SettingError
from mainstem.events import read_lines
from mainstem.events.known_log import same_log
from mainstem.events.logs import spool
from mainstem.events.survey import Survey
from mainstem.join.text import item_text
from mainstem.process.allocator import keep_freed_memory
from mainstem.process.threads import asked_threads, available_threads, threads_now
from mainstem.settings import Settings
from mainstem.settings.urls import folder_of, scheme_of
from mainstem.trusted.files import load_trust
from mainstem.validate.lacking import why_not_joined

if TYPE_CHECKING:
    from uuid import UUID

    from mainstem.embedded.labels import Relabel
    from mainstem.kafka import Broker
    from mainstem.loop import Loop, Watcher
    from mainstem.store import Store
    from mainstem.store.recorded_schedule import RecordedSchedule
    from mainstem.store.rounds import RecordedRound
    from mainstem.versions import Versions

__all__ = [
    "open_again",
    "open_broker",
    "open_loop",
    "open_producer",
    "open_schedule",
    "open_store",
    "open_versions",
    "threads",
]


def open_store(url: str, *, make: bool = True) -> "Store":
    """The history behind a URL.

    Args:
        url: `chdb:///folder` or `clickhouse://user:password@host:port/database`.
        make: whether it is made where it is missing.

    Raises:
        StoreError: if it cannot be opened, or is not there and shall not be made.
    """
    from mainstem.store import Store  # numpy is slow to import

    return Store(url, make=make)


def open_versions(url: str) -> "Versions":
    """The versions behind a URL: `file:///folder`, `s3://bucket/folder`, or whatever else fsspec knows.

    Raises:
        SettingError: if it is no such URL.
    """
    from mainstem.versions import Versions  # torch is slow to import

    return Versions(url)


def open_broker(url: str) -> "Broker":
    """The Kafka cluster behind a URL, `kafka://host:port/prefix`; nothing is connected yet.

    Raises:
        SettingError: if it is no such URL.
    """
    from mainstem.kafka import Broker  # only a deployment needs it

    return Broker.parse(url)


def open_schedule(where: str) -> "RecordedSchedule":
    """The order and the schedule that a deployment used.

    Args:
        where: `clickhouse://user:password@host:port/database`, its history; or a file that `mainstem stream schedule` wrote.

    Raises:
        SettingError: if it is another URL.
        LogError: if there is no schedule.
    """
    from mainstem.store.recorded_schedule import RecordedSchedule

    if (scheme := scheme_of(where)) == "clickhouse":
        with open_store(where, make=False) as store:
            return RecordedSchedule.of_store(store)
    if scheme not in ("", "file"):
        msg = f"a schedule is clickhouse://host:port/database, or a file of `mainstem stream schedule`; got {where!r}"
        raise SettingError(msg)
    return RecordedSchedule.of_lines(read_lines(folder_of(where) if scheme else Path(where)), where)


def open_producer(broker: "Broker", **options: Any) -> Any:
    """A producer of kafka-python, logged in.

    Args:
        broker: where.
        options: more of kafka-python's own.
    """
    from kafka import KafkaProducer  # only a deployment needs it

    return KafkaProducer(**broker.options, **options)


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
    import torch  # seconds to import

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
    watcher: "Watcher",
    *,
    from_start: bool = False,
    append: bool = False,
    as_of: int | None = None,
    learn: bool = True,
    planted: bool = False,
    relabel: "tuple[str, Relabel] | None" = None,
    schedule: "tuple[RecordedSchedule, Versions] | None" = None,
    say: Callable[[str], None] = lambda text: None,  # noqa: ARG005
    environment: Mapping[str, str] = os.environ,
) -> "Iterator[Loop]":
    """A loop over a log, ready to run, with all that it holds open; closed on leaving.

    Args:
        log: path, or `-` for standard input.
        folder: its home.
        settings: `questions` may be `auto`: then the log says what asks.
        watcher: is told of progress.
        from_start: forget what the home holds.
        append: the log is the next file of the one that the home has read.
        as_of: the moment of event time, in milliseconds, until which it is replayed; None: to its end.
        learn: whether rounds are run.
        planted: whether the labels of the slices that stand in for trusted samples are believed.
        relabel: a name (part of what results depend on) and a function that changes labels on their way in.
        schedule: a deployment's order and schedule, with its versions: they are repeated, and nothing is learnt.
        say: is told what somebody should know.
        environment: may hold the pseudonym key.

    Raises:
        LogError: if the log cannot be read, or holds no event.
        HomeError: if the home is another's, in use, or was made with other settings or from another log.
    """
    from mainstem.embedded.labels import Labels
    from mainstem.embedded.opened import Opened  # torch is slow to import
    from mainstem.embedded.repetition import Repetition, copy_versions
    from mainstem.learning.first import first_encoder, keep_row, make_first_version
    from mainstem.loop import Loop
    from mainstem.store.answering import Answerer

    if append and as_of is not None:
        msg = "--as-of finds a moment in a whole log, and --append takes one file of it; give the whole log"
        raise SettingError(msg)
    if append and from_start:
        msg = (
            "--append goes on with what a home holds, and --from-start forgets it; give one of them"
        )
        raise SettingError(msg)
    if log != "-":
        next(
            read_lines(Path(log))
        )  # nothing is made, and nothing forgotten, for a log that is not there
    with Home(folder, create=not append) as home:
        path = spool(home.folder) if log == "-" else Path(log)
        opened = open_log(path, log, home, settings, from_start=from_start, append=append, say=say)
        found = opened.survey
        if lack := why_not_joined(found, str(path), settings):
            raise LogError(lack)
        until = None if as_of is None else line_as_of(opened, as_of)
        if from_start:
            home.empty()
        if as_of is not None and until is not None:
            refuse_further(home, until, as_of)
            say(told_of(opened, until, as_of))
        settled = (
            settings
            if settings.join.questions != "auto"
            else settings.but({"join.questions": found.questions})
        )
        name, function = relabel or ("none", lambda sample, part: sample)  # noqa: ARG005
        trust, graded, digest = load_trust(home.trusted, settled, read_lines(path))
        key, versions = home.key(environment), open_versions(home.versions_url)
        if schedule:
            copy_versions(*schedule, home, versions)
        # subtle: before anything is recorded, so that a model that is refused leaves a home free for another one
        made = None if versions.numbers() else first_encoder(_texts(found), settled)
        facts = {
            "learn": learn,
            "planted": planted,
            "relabel": name,
            "trusted": digest,
            "threads": threads_now(),
        }
        facts |= {
            "pseudonym_key": key_told(key),
            "schedule": schedule[0].digest if schedule else "none",
        }
        home.settle(settled, facts, opened.known)
        with (
            open_store(home.store_url) as store,
            Answerer(home.folder / SOCKET, partial(open_store, home.store_url)),
        ):
            check_versions(home, versions)
            make_first_version(versions, store, lambda: _texts(found), settled, made=made)
            for version in versions.numbers() if schedule else ():
                keep_row(versions.manifest(version), store, "")
            labels = Labels(trust=trust, graded=graded, planted=planted, relabel=function)
            yield Loop(
                Opened(log=opened, home=home, store=store, versions=versions, key=key, until=until),
                settled,
                labels,
                watcher,
                learn=learn,
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
) -> "Iterator[Loop]":
    """A loop that replays the log of a home once more, into another one, up to a moment; the home is only read.

    Args:
        log: path of the whole log.
        folder: the home, which another process may hold.
        scratch: a folder that is not there yet, for the other home.
        as_of: the moment, in milliseconds.
        recorded_rounds: those of the home, and the samples that each of them drew, by version.
        watcher: is told of progress.
        environment: may hold settings that nothing depends on, and the pseudonym key.

    Raises:
        LogError: if the log cannot be read, or begins later.
        HomeError: if the home was made from another log, or cannot be made again.
    """
    from mainstem.embedded.labels import Labels  # numpy is slow to import
    from mainstem.embedded.opened import Opened
    from mainstem.learning import RecordedRounds  # torch is slow to import
    from mainstem.learning.first import make_first_version
    from mainstem.loop import Loop

    with Home(folder, create=False, alone=False) as made, Home(scratch, create=True) as home:
        if not (known := made.log()):
            msg = f"{str(folder)!r} was made before logs were remembered; replay its log into it once more, then verify"
            raise HomeError(msg)
        path, settings, key = Path(log), settings_of(folder, environment), key_of(made, environment)
        opened = same_log(lambda: islice(read_lines(path), known.lines), log, known)
        until = line_as_of(opened, as_of)
        trust, graded, digest = load_trust(made.trusted, settings, opened.lines(0))
        facts = check_repeatable(
            made, {"trusted": digest, "threads": threads_now(), "pseudonym_key": key_told(key)}
        )
        copy_first_version(made, home)
        home.settle(settings, facts)
        again = RecordedRounds(*recorded_rounds, open_versions(made.versions_url), settings)
        versions, labels = (
            open_versions(home.versions_url),
            Labels(trust=trust, graded=graded, planted=facts["planted"]),
        )
        with open_store(home.store_url) as store:
            make_first_version(versions, store, set, settings)
            parts = Opened(
                log=opened, home=home, store=store, versions=versions, key=key, until=until
            )
            yield Loop(parts, settings, labels, watcher, again=again)


def _texts(found: Survey) -> set[str]:
    return {item_text(item) for item in found.items} | found.texts
