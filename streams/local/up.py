"""`mainstem up` and `mainstem down` run the whole stack on this machine, without Docker."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from mainstem.errors import HomeError, MainstemError
from mainstem.settings.urls import url_of

from . import clickhouse, jars, kafka
from .environment import ENVIRONMENT, environment_of
from .process import end_of
from .stack import Stack, end_stack, holder_of
from .supervisor import STATE

__all__ = ["detach", "down", "prepare", "programs", "up"]

FOLDER: Final = Path("mainstem-stack")
_MAINSTEM: Final = (sys.executable, "-m", "mainstem.cli")
_SETTLED_SECONDS: Final = 5.0  # a program that has run for this long counts as started
_WAIT_SECONDS: Final = 60.0  # time limit for the start of the programs
_POLL_SECONDS: Final = 0.2
_Folder = Annotated[
    Path, typer.Option(help="Folder of the stack: data, versions, logs and its environment.")
]


def programs() -> dict[str, list[str]]:
    """The commands of a stack's programs, by name."""
    commands = {
        "join": ("stream", "join", "--http", "127.0.0.1:6066"),
        "sink": ("stream", "sink", "--http", "127.0.0.1:6067"),
        "score": ("train", "score", "--http", "127.0.0.1:6068"),
        "learn": ("train", "learn", "--http", "127.0.0.1:6069"),
    }
    return {name: [*_MAINSTEM, *words] for name, words in commands.items()}


def prepare() -> list[str]:
    """The command that makes the topics."""
    return [*_MAINSTEM, "topics"]


def up(
    folder: _Folder = FOLDER,
    *,
    partitions: Annotated[
        int, typer.Option(min=1, help="Number of partitions of events and of samples.")
    ] = 2,
    questions: Annotated[
        Literal["shown", "purchases"],
        typer.Option(help="Events that ask: impressions and views (shown), or purchases."),
    ] = "shown",
    kafka_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of Kafka.")] = 19092,
    clickhouse_port: Annotated[
        int, typer.Option(min=1, max=65535, help="HTTP port of ClickHouse.")
    ] = 18123,
    background: Annotated[
        bool,
        typer.Option(
            "--detach", help="Return once everything runs. `mainstem down` ends the stack."
        ),
    ] = False,
) -> None:
    """Run Kafka, ClickHouse and all programs on this machine until Ctrl-C, without Docker."""
    if lacking := [*kafka.missing(), *clickhouse.missing()]:
        head = "mainstem: to run the stack without Docker, install what is missing:"
        print(head, *lacking, sep="\n  ", file=sys.stderr)
        raise typer.Exit(1)
    folder = folder.resolve()
    if pid := holder_of(folder):
        msg = (
            f"process {pid} already runs a stack in {str(folder)!r}; "
            f"end it with `mainstem down --folder {folder}`"
        )
        raise HomeError(msg)
    if not jars.jars_folder().is_dir():
        print(f"fetching Kafka (43 MB, once) into {jars.jars_folder()}", file=sys.stderr)
        jars.fetch_jars()
    if background:
        options = ["--partitions", partitions, "--questions", questions]
        options += ["--kafka-port", kafka_port, "--clickhouse-port", clickhouse_port]
        command = [*_MAINSTEM, "up", "--folder", str(folder), *map(str, options)]
        detach(command, folder, list(programs()))
        _say(folder)
        return
    _stack(folder, kafka_port, clickhouse_port, partitions, questions).run(lambda: _say(folder))


def down(folder: _Folder = FOLDER) -> None:
    """End the stack that runs in a folder, and keep its data."""
    found = "ended the stack" if end_stack(folder.resolve()) else "no stack runs"
    print(f"mainstem: {found} in {str(folder)!r}", file=sys.stderr)


def detach(
    command: Sequence[str],
    folder: Path,
    names: Sequence[str],
    settled: float = _SETTLED_SECONDS,
    wait: float = _WAIT_SECONDS,
) -> None:
    """Run a stack in the background, and return once its programs run.

    Args:
        command: command that runs the stack in this folder.
        folder: folder of the stack.
        names: names of its programs.
        settled: seconds after which a running program counts as started.
        wait: time limit for the start of the programs, in seconds.

    Raises:
        MainstemError: if a server or a program does not start. The message quotes the end of its
            log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STATE).unlink(missing_ok=True)
    log = folder / "up.log"
    with log.open("wb") as file:
        child = subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _wait(child, (folder / STATE).exists, log, None)  # the servers have their own time limits
    _wait(child, lambda: not _unsettled(folder, names, settled), log, wait)
    child.returncode = 0  # subtle: keeps Popen from warning that the child outlives this process
    if left := _unsettled(folder, names, settled):
        logs = "\n".join(f"{folder / name}.log:\n{end_of(folder / f'{name}.log')}" for name in left)
        msg = (
            f"{', '.join(left)} did not stay up; the stack keeps trying until "
            f"`mainstem down --folder {folder}`\n{logs}"
        )
        raise MainstemError(msg)


def _wait(
    child: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path, seconds: float | None
) -> None:
    """Wait until the stack is ready, at most as long as its process lives.

    Without `seconds` there is no other time limit.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    while not ready() and (deadline is None or time.monotonic() < deadline):
        if child.poll() is not None:
            msg = f"the stack did not start; the end of {str(log)!r} says:\n{end_of(log)}"
            raise MainstemError(msg)
        time.sleep(_POLL_SECONDS)


def _unsettled(folder: Path, names: Sequence[str], settled: float) -> list[str]:
    """Names of programs that do not run, or have not run for `settled` seconds."""
    try:
        state: dict[str, Any] = json.loads((folder / STATE).read_text())
    except FileNotFoundError:
        return list(names)
    now = time.time()
    return [
        name
        for name in names
        if not state.get(name, {}).get("pid") or now - state[name]["since"] < settled
    ]


def _stack(
    folder: Path, kafka_port: int, clickhouse_port: int, partitions: int, questions: str
) -> Stack:
    broker = kafka.LocalKafka(folder, kafka_port)
    history = clickhouse.LocalClickHouse(folder, clickhouse_port)
    values = {
        "MAINSTEM_EVENTS": f"kafka://{broker.servers}",
        "MAINSTEM_STORE": history.url(),
        "MAINSTEM_VERSIONS": url_of("file", folder / "versions"),
        "MAINSTEM_SNAPSHOTS": url_of("file", folder / "snapshots"),
        "MAINSTEM_JOIN__PARTITIONS": str(partitions),
        "MAINSTEM_JOIN__QUESTIONS": questions,
    }
    given = {name: value for name, value in os.environ.items() if name != clickhouse.BINARY}
    environment = environment_of(folder, values, given)
    return Stack(
        folder=folder,
        servers=[broker, history],
        prepare=prepare(),
        programs=programs(),
        environment=environment,
    )


def _say(folder: Path) -> None:
    print(f"the stack runs; its data and logs are in {folder}")
    print(f"  source {folder / ENVIRONMENT}   tells other commands where broker and history are")
    print(f"  mainstem down --folder {folder}   ends it", flush=True)
