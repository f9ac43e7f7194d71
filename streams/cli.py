"""Commands of the programs that move events: `topics`, `stream`, `audit`, `up`, `down`."""

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
        int, typer.Option(help="Copies of each record; -1: what the broker does by default.")
    ] = -1,
    allow_auto_create: Annotated[
        bool, typer.Option("--allow-auto-create", help="Put up with such a broker.")
    ] = False,
) -> None:
    """Make the topics that are missing, and check all of them."""
    from .topics import make_topics, notes_on_codecs

    settings, addresses = (
        Settings.read(os.environ),
        Addresses.from_environment(os.environ, "events"),
    )
    broker = open_broker(addresses.events)
    reach(broker)
    made = make_topics(
        broker, settings.join, replication=replication, auto_create=allow_auto_create, say=_note
    )
    for note in notes_on_codecs():
        _note(note)
    print(f"made {', '.join(made)}" if made else "all topics are as they should be")


@stream.command()
def join(http: HttpOption = "127.0.0.1:6066", session_timeout: SessionOption = 20.0) -> None:
    """Join events to samples: a Faust worker. As many as you like share the partitions."""
    settings, addresses, key = (
        settled(),
        Addresses.from_environment(os.environ, "events", "snapshots"),
        _key(),
    )
    monitor = begin(http)
    reach(
        open_broker(addresses.events),
        ["events", "items"],
        ["samples", "ledger", "rejected"],
        "join",
    )
    from .running import run_join  # faust is slow to import

    run_join(addresses, settings, key, monitor, session_timeout)


@stream.command()
def sink(http: HttpOption = "127.0.0.1:6067", session_timeout: SessionOption = 20.0) -> None:
    """Write samples, items, ledger and rejected events to the history."""
    settings, addresses, key = (
        settled(),
        Addresses.from_environment(os.environ, "events", "store"),
        _key(),
    )
    monitor = begin(http)
    reach(
        open_broker(addresses.events),
        ["items", "ledger", "rejected", "samples", "trusted"],
        group="sink",
    )
    reach_store(addresses.store)
    from .running import run_sink

    run_sink(addresses, settings, key, monitor, session_timeout)


@stream.command()
def replay(
    log: Annotated[Path, typer.Argument(help="Event log: JSON lines, plain or gzip.")],
    *,
    to: Annotated[
        str | None,
        typer.Option(envvar="MAINSTEM_EVENTS", help="The broker, kafka://host:port/prefix."),
    ] = None,
    speed: Annotated[
        str, typer.Option(help="How many times as fast as it happened, like 100x; or max.")
    ] = "max",
    no_tick: Annotated[
        bool, typer.Option("--no-tick", help="Leave windows open at the end: the log will grow.")
    ] = False,
    append: Annotated[
        bool, typer.Option("--append", help="LOG is the next file of a rotated log that was sent.")
    ] = False,
) -> None:
    """Replay an event log into Kafka: items first, then events, then a final tick. Goes on where it stopped.

    Event times are the original ones: they travel in the events. The records' own timestamps are those of the
    replay, because a broker refuses timestamps more than an hour ahead and soon deletes old ones.
    """
    from .replaying import Replay

    addresses = Addresses.from_environment(os.environ, "events", events=to)
    settings = Settings.read(os.environ)
    say = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731
    broker = open_broker(addresses.events)
    reach(broker, ["events", "items"], ["events", "items"])
    replay = Replay(
        broker, log, settings.join, speed=_speed(speed), tick=not no_tick, append=append, say=say
    )
    sent = replay.run()
    print(in_json({"sent": sent}))


@stream.command()
def schedule(
    store: Annotated[
        str | None,
        typer.Option(envvar="MAINSTEM_STORE", help="The history, clickhouse://host/database."),
    ] = None,
) -> None:
    """Print the order and the schedule that scoring used, as JSON lines for `mainstem replay LOG --schedule FILE`."""
    from mainstem.bootstrap import open_schedule

    places = Addresses.from_environment(os.environ, "store", store=store)
    reach_store(places.store)
    for line in open_schedule(places.store).lines():
        print(line.decode())


@stream.command()
def verify(
    log: Annotated[Path, typer.Argument(help="The log that was replayed into Kafka.")],
    *,
    schedule: Annotated[
        str | None,
        typer.Option(
            help="Repeat the deployment's own schedule: $MAINSTEM_EVENTS, $MAINSTEM_STORE, or a file."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Compare the deployed result with an embedded run of the same log. Exits with 1 where they differ."""
    from .verifying import verify as compare

    settled()
    addresses = Addresses.from_environment(os.environ, "store", "versions")
    reach_store(addresses.store)
    found = compare(log, addresses, schedule)
    found.show(as_json=as_json)
    if not found.agrees:
        raise typer.Exit(1)


def audit(
    *, as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False
) -> None:
    """Compare topics and history: ledger sums, offsets, samples. Exits with 1 where anything is out, or nothing is there."""
    from .audit import run_audit

    settings, addresses = (
        Settings.read(os.environ),
        Addresses.from_environment(os.environ, "events", "store"),
    )
    found = run_audit(addresses, settings.join)
    found.show(as_json=as_json)
    if not found.in_balance or found.is_empty:
        raise typer.Exit(1)


def _note(text: str) -> None:
    print(f"mainstem: {text}", file=sys.stderr)


def _key() -> bytes:
    key = os.environ.get("MAINSTEM_PSEUDONYM_KEY", "")
    if not key:
        msg = "MAINSTEM_PSEUDONYM_KEY is not set; all programs need the same secret: `openssl rand -hex 32` makes one"
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
        msg = f"a speed is like 100x, or max; got {text!r}"
        raise typer.BadParameter(msg)
    return speed
