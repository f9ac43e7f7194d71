"""Open history, versions, broker and schedule by their URLs, for the loop and for the programs.

Only this file knows which adapter stands behind a URL. Each function imports what is slow to import
itself, so that programs that move events do not load torch.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mainstem.embedded.recorded import past_record, record
from mainstem.errors import HomeError, SettingError
from mainstem.events import read_lines
from mainstem.process.allocator import keep_freed_memory
from mainstem.process.threads import asked_threads, available_threads
from mainstem.settings import Settings
from mainstem.settings.urls import folder_of, scheme_of

if TYPE_CHECKING:
    from mainstem.kafka import Broker
    from mainstem.store import Store
    from mainstem.store.recorded_schedule import RecordedSchedule
    from mainstem.tracking import Tracker
    from mainstem.versions import Versions

__all__ = [
    "open_broker",
    "open_producer",
    "open_schedule",
    "open_store",
    "open_tracker",
    "open_versions",
    "threads",
]


def open_store(url: str, *, make: bool = True) -> "Store":
    """Open the history at a URL.

    Args:
        url: `chdb:///folder` or `clickhouse://user:password@host:port/database`.
        make: whether to make the history, or its tables and views, where they are missing.

    Raises:
        StoreError: if it cannot be opened, or does not exist and `make` is false.
    """
    from mainstem.store import Store  # numpy is slow to import

    return Store(url, make=make)


def open_versions(url: str) -> "Versions":
    """Open the versions at a URL.

    Args:
        url: `file:///folder`, `s3://bucket/folder`, or any other URL that fsspec opens.

    Raises:
        SettingError: if it is no such URL.
    """
    from mainstem.versions import Versions  # torch is slow to import

    return Versions(url)


def open_broker(url: str) -> "Broker":
    """Describe the Kafka cluster at a URL; it opens no connection.

    Args:
        url: `kafka://host:port,host:port/prefix`.

    Raises:
        SettingError: if it is no such URL.
    """
    from mainstem.kafka import Broker  # only a deployment needs it

    return Broker.parse(url)


def open_schedule(where: str) -> "RecordedSchedule":
    """Read the order and the schedule of a deployment.

    Args:
        where: URL of its broker, `kafka://host:port/prefix`, which has topic `schedule`; URL of its
            history, `clickhouse://user:password@host:port/database`; or a file that
            `mainstem stream schedule` wrote.

    Raises:
        SettingError: if it is another URL.
        LogError: if there is no schedule, or a part of it is missing.
        BrokerError: if the broker does not answer, or the topic is missing or may not be read.
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
    """Open a producer of kafka-python that is logged in to a broker.

    Args:
        broker: broker to connect to.
        options: further options of `kafka.KafkaProducer`.
    """
    from kafka import KafkaProducer  # only a deployment needs it

    return KafkaProducer(**broker.options, **options)


@contextmanager
def open_tracker(settings: Settings, folder: Path) -> "Iterator[Tracker | None]":
    """Open what shows the figures of rounds, if the settings ask for it, and close it at the end.

    Args:
        settings: settings of tracking.
        folder: folder that holds folder `tracking`, if the settings name no other place.

    Raises:
        SettingError: if a package is missing, or the place does not suit the tool.
    """
    asked = settings.tracking
    if asked.to == "none":
        yield None
        return
    from mainstem.tracking import Forgiving
    from mainstem.tracking.mlflow import MLflow
    from mainstem.tracking.tensorboard import TensorBoard
    from mainstem.tracking.wandb import WandB

    where = asked.where or str(folder / "tracking")
    made: Tracker
    if asked.to == "tensorboard":
        made = TensorBoard(where)
    elif asked.to == "mlflow":
        made = MLflow(where, asked.run)
    else:
        made = WandB(where, asked.run)
    with closing(Forgiving(made)) as tracker:
        yield tracker


def threads(
    home: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    *,
    begins_again: bool = False,
) -> int:
    """Set the number of threads that torch uses, and let the allocator keep memory between passes.

    Args:
        home: home that the process goes on with. It needs the number of threads that it was made
            with, because sums depend on it.
        environment: variables by name, which may hold `OMP_NUM_THREADS`. Without it and without a
            home, torch uses the cores that this process may use.
        begins_again: whether the home begins again. It then repeats its number of threads, unless
            the environment asks for another one or the machine has fewer cores.

    Returns:
        The number of threads.

    Raises:
        HomeError: if the home was made with another number than `OMP_NUM_THREADS` asks for.
        SettingError: if `OMP_NUM_THREADS` is no number.
    """
    import torch  # takes seconds to import

    keep_freed_memory()
    read = past_record if begins_again else record
    asked, made_with = asked_threads(environment), read(home).get("threads") if home else None
    if asked and made_with and asked != made_with and not begins_again:
        msg = (
            f"{str(home)!r} was made with {made_with} threads, and OMP_NUM_THREADS asks for "
            f"{asked}, which makes other sums; leave it out or set it to {made_with}, "
            "or --from-start begins again"
        )
        raise HomeError(msg)
    if begins_again and made_with and made_with > available_threads():
        made_with = None
    count = asked or made_with or available_threads()
    torch.set_num_threads(count)
    return count
