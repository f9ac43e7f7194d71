"""Commands of the programs that move events: `topics`, `stream` and `audit`."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from mainstem.bootstrap import open_broker
from mainstem.cli.programs import HttpOption, SessionOption, begin, settled
from mainstem.errors import SettingError
from mainstem.kafka.reach import reach, reach_store
from mainstem.printable import in_json
from mainstem.settings import Settings
from mainstem.settings.addresses import Addresses

__all__ = ["audit", "stream", "topics"]

stream = typer.Typer(
    help="Programs that move events between Kafka and the history.", no_args_is_help=True
)


def topics(
    *,
    replication: Annotated[
        int, typer.Option(help="Copies of each record; -1 takes the broker's default.")
    ] = -1,
    allow_auto_create: Annotated[
        bool,
        typer.Option(
            "--allow-auto-create", help="Accept a broker that makes unknown topics on its own."
        ),
    ] = False,
) -> None:
    """Make the topics that are missing, and check the configuration of all topics."""
    from .topics import make_topics, notes_on_codecs

    settings = Settings.read(os.environ)
    broker = open_broker(Addresses.from_environment(os.environ, "events").events)
    reach(broker)
    made = make_topics(
        broker, settings.join, replication=replication, auto_create=allow_auto_create, say=_note
    )
    for note in notes_on_codecs():
        _note(note)
    print(f"made {', '.join(made)}" if made else "all topics exist and are configured correctly")


@stream.command()
def join(http: HttpOption = "127.0.0.1:6066", session_timeout: SessionOption = 20.0) -> None:
    """Join events into samples. Several workers share the partitions."""
    settings, key = settled(), _key()
    addresses = Addresses.from_environment(os.environ, "events", "snapshots")
    monitor = begin(http)
    broker = open_broker(addresses.events)
    # it also writes to `events`, where it ticks idle partitions
    written = ["samples", "counts", "ledger", "rejected", "events"]
    reach(broker, ["events", "items"], written, "join")
    from .running import run_join  # faust is slow to import

    run_join(addresses, settings, key, monitor, session_timeout)


@stream.command()
def sink(http: HttpOption = "127.0.0.1:6067", session_timeout: SessionOption = 20.0) -> None:
    """Write samples, items, counts, the ledger and rejected events to the history."""
    settings, key = settled(), _key()
    addresses = Addresses.from_environment(os.environ, "events", "store")
    monitor = begin(http)
    broker = open_broker(addresses.events)
    read = ["items", "counts", "ledger", "rejected", "samples", "trusted"]
    reach(broker, read, group="sink")
    reach_store(addresses.store)
    from .running import run_sink

    run_sink(addresses, settings, key, monitor, session_timeout)


@stream.command()
def replay(
    log: Annotated[
        Path, typer.Argument(help="Event log (JSON lines or Parquet), or a folder of logs.")
    ],
    *,
    to: Annotated[
        str | None,
        typer.Option(envvar="MAINSTEM_EVENTS", help="Broker, as kafka://host:port/prefix."),
    ] = None,
    speed: Annotated[
        str, typer.Option(help="Speed against event time, such as 100x, or max.")
    ] = "max",
    no_tick: Annotated[
        bool,
        typer.Option("--no-tick", help="Leave windows open at the end, because the log will grow."),
    ] = False,
    append: Annotated[
        bool,
        typer.Option(
            "--append", help="LOG is the next file of a rotated log whose earlier files were sent."
        ),
    ] = False,
) -> None:
    """Replay an event log into Kafka: items first, then events, then a final tick.

    A replay that was interrupted goes on where it stopped. The events keep
    their event times. The records get the time of the replay, because a broker
    refuses timestamps more than an hour ahead and soon deletes old records.
    """
    from .replaying import Replay

    addresses = Addresses.from_environment(os.environ, "events", events=to)
    settings = Settings.read(os.environ)
    broker = open_broker(addresses.events)
    reach(broker, ["events", "items"], ["events", "items"])
    replay = Replay(
        broker,
        log,
        settings.join,
        speed=_speed(speed),
        tick=not no_tick,
        append=append,
        say=lambda text: print(text, file=sys.stderr, flush=True),
    )
    print(in_json({"sent": replay.run()}))


@stream.command()
def schedule(
    store: Annotated[
        str | None,
        typer.Option(envvar="MAINSTEM_STORE", help="History, as clickhouse://host/database."),
    ] = None,
) -> None:
    """Print the order and schedule that scoring used.

    The output is JSON lines, for `mainstem replay LOG --schedule FILE`.
    """
    from mainstem.bootstrap import open_schedule

    places = Addresses.from_environment(os.environ, "store", store=store)
    reach_store(places.store)
    for line in open_schedule(places.store).lines():
        print(line.decode())


@stream.command()
def verify(
    log: Annotated[Path, typer.Argument(help="Event log that was replayed into Kafka.")],
    *,
    schedule: Annotated[
        str | None,
        typer.Option(
            help="Schedule to repeat: the URL of the deployment's topics or of its history, or a "
            "file that `mainstem stream schedule` printed. Without one, only version 0 and the "
            "last standings are compared."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare the deployed results with an embedded run of the same log.

    The exit code is 1 if they differ.
    """
    from .verifying import verify as compare

    settled()
    addresses = Addresses.from_environment(os.environ, "store", "versions")
    reach_store(addresses.store)
    found = compare(log, addresses, schedule)
    found.show(as_json=as_json)
    if not found.agrees:
        raise typer.Exit(1)


def audit(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False
) -> None:
    """Compare topics and history: ledger sums, offsets and samples.

    The exit code is 1 if anything is out of balance, or if there is nothing to compare.
    """
    from .audit import run_audit

    settings = Settings.read(os.environ)
    addresses = Addresses.from_environment(os.environ, "events", "store")
    found = run_audit(addresses, settings.join)
    found.show(as_json=as_json)
    if not found.in_balance or found.is_empty:
        raise typer.Exit(1)


def _note(text: str) -> None:
    print(f"mainstem: {text}", file=sys.stderr)


def _key() -> bytes:
    key = os.environ.get("MAINSTEM_PSEUDONYM_KEY", "")
    if not key:
        msg = (
            "MAINSTEM_PSEUDONYM_KEY is not set; give all programs the same secret, for example "
            "one that `openssl rand -hex 32` makes"
        )
        raise SettingError(msg)
    return key.encode()


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if speed <= 0:
        msg = f"a speed must be a number above 0 such as 100x, or max; got {text!r}"
        raise typer.BadParameter(msg)
    return speed
