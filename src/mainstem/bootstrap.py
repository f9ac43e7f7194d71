"""Puts the parts together: the only file that knows which adapter stands behind a URL, a home or a model's name.

The library's loop and the programs beside Kafka use the same functions. Whatever is slow to import is imported by the
function that needs it: the programs that move events do without torch.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mainstem.embedded.recorded import recorded
from mainstem.errors import HomeError, SettingError
from mainstem.events import read_lines
from mainstem.process.allocator import keep_freed_memory
from mainstem.process.threads import asked_threads, available_threads
from mainstem.settings.urls import folder_of, scheme_of

if TYPE_CHECKING:
    from mainstem.kafka import Broker
    from mainstem.store import Store
    from mainstem.store.recorded_schedule import RecordedSchedule
    from mainstem.versions import Versions

__all__ = [
    "open_broker",
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
        where: its broker, `kafka://host:port/prefix`, where topic `schedule` is; its history,
            `clickhouse://user:password@host:port/database`; or a file that
            `mainstem stream schedule` wrote.

    Raises:
        SettingError: if it is another URL.
        LogError: if there is no schedule, or a part of it is missing.
        BrokerError: if the broker does not answer, or the topic is not there or may not be read.
    """
    from mainstem.store.recorded_schedule import RecordedSchedule

    if (scheme := scheme_of(where)) == "clickhouse":
        with open_store(where, make=False) as store:
            return RecordedSchedule.of_store(store)
    if scheme == "kafka":
        from mainstem.kafka.reach import reach
        from mainstem.kafka.schedule import ScheduleTopic

        reach(broker := open_broker(where), ["schedule"])
        with ScheduleTopic(broker) as topic:
            return topic.read()
    if scheme not in ("", "file"):
        msg = (
            "a schedule is kafka://host:port/prefix, clickhouse://host:port/database, "
            f"or a file of `mainstem stream schedule`; got {where!r}"
        )
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
