"""The command line: commands of mainstem, and commands that installed programs add.

Programs add theirs by the entry point group `mainstem.commands`. An error that mainstem raises on
purpose is printed as one line. The exit code is 2 for wrong use, 1 for a failure, 130 after Ctrl-C,
and 141 after the reader of stdout, such as `head`, has closed it.
"""

import errno
import io
import os
import signal
import sys
from importlib.metadata import entry_points
from typing import Annotated, Final

import typer
from click import Context
from click.exceptions import Abort, ClickException
from typer.core import TyperGroup

from mainstem.cli.benching import bench
from mainstem.cli.comparing import truth
from mainstem.cli.explaining import explain
from mainstem.cli.history import history, sets, sql, versions
from mainstem.cli.importing import importer
from mainstem.cli.layers import layers
from mainstem.cli.replaying import demo, replay
from mainstem.cli.reporting import report
from mainstem.cli.schema import schema
from mainstem.cli.settings import settings
from mainstem.cli.shadowing import shadow
from mainstem.cli.simulating import simulate
from mainstem.cli.supposing import what_if
from mainstem.cli.trusting import trust
from mainstem.cli.validating import validate
from mainstem.errors import MainstemError, SettingError, StoppedError
from mainstem.printable import printable
from mainstem.process.threads import wait_briefly

__all__ = ["app", "load_programs", "main"]

_OF_THE_DISK: Final = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EFBIG,
    errno.ENOSPC,
    errno.EPERM,
    errno.EROFS,
}
GROUP: Final = "mainstem.commands"
_OF_PROGRAMS: Final = {
    "aiokafka",
    "faust",
    "kafka",
    "mode",
    "prometheus_client",
    "tenacity",
    "uvloop",
}
BENCHES: Final = "mainstem.benches"

_ORDER: Final = (
    *("demo", "import", "schema", "simulate", "validate", "replay"),
    *(
        "report",
        "sets",
        "explain",
        "history",
        "layers",
        "shadow",
        "trust",
        "truth",
        "versions",
        "what-if",
        "sql",
        "settings",
    ),
    *("topics", "stream", "train", "audit", "up", "down", "bench"),
)


class _InOrder(TyperGroup):
    """Lists the commands in the order of `docs/commands.md`, and unknown ones after them."""

    def list_commands(self, ctx: Context) -> list[str]:
        known = {name: place for place, name in enumerate(_ORDER)}
        return sorted(super().list_commands(ctx), key=lambda name: known.get(name, len(known)))


app = typer.Typer(
    name="mainstem",
    cls=_InOrder,
    help=(
        "Streaming continual learning for e-commerce search: find the samples that matter to the "
        "model, train on those, and keep in SQL why."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(demo)
app.add_typer(importer, name="import")
app.command()(validate)
app.command()(simulate)
app.command()(replay)
app.command()(report)
app.command()(sets)
app.command()(history)
app.command()(explain)
app.command()(versions)
app.command()(layers)
app.command()(shadow)
app.command()(truth)
app.command()(what_if)
app.add_typer(trust, name="trust")
app.command()(sql)
app.command()(schema)
app.command()(settings)
app.add_typer(bench, name="bench")


@app.callback(invoke_without_command=True)
def _version(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version of mainstem and stop.")
    ] = False,
) -> None:
    if version:
        import mainstem  # a circle otherwise

        print(mainstem.__version__)
        raise typer.Exit


def load_programs() -> None:
    """Add the commands of installed programs: a `typer.Typer` is a group, a function a command."""
    for group, to in ((GROUP, app), (BENCHES, bench)):
        for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
            command = entry.load()
            if isinstance(command, typer.Typer):
                to.add_typer(command, name=entry.name)
            else:
                to.command(name=entry.name)(command)


def main() -> None:
    """Run the command line; turn every error that is foreseen into one line and an exit code."""
    wait_briefly(os.environ)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # the encoding of a terminal may lack some letters
            stream.reconfigure(errors="backslashreplace")
    load_programs()
    try:
        code = app(standalone_mode=False) or 0
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the unforeseen is raised again
        message, code = _ending(error)
        if message:
            print(f"mainstem: {printable(message)}", file=sys.stderr)
    sys.exit(code)


def _ending(error: BaseException) -> tuple[str, int]:
    """The message of an error and the exit code; raises an error that is not foreseen again."""
    match error:
        case ClickException():
            # without any argument the message is empty, and the help has been printed already
            message = error.format_message().rstrip(".")
            how = "`mainstem --help` or `mainstem COMMAND --help` says how"
            # click forgets a stop before its question
            message = message.replace(" Did you mean ", ". Did you mean ")
            ending = f"{message}{'' if message.endswith('?') else ';'} {how}" if message else "", 2
        case ModuleNotFoundError() if (error.name or "").split(".")[0] in _OF_PROGRAMS:
            what = f"{error.name!r} is not installed, and the programs beside Kafka need it"
            ending = f"{what}; pip install 'mainstem[kafka]' installs it", 1
        case StoppedError():
            ending = "", 0
        case MainstemError():
            ending = str(error), 2 if isinstance(error, SettingError) else 1
        case KeyboardInterrupt() | Abort():
            ending = "stopped", 130
        case BrokenPipeError():  # the reader has read enough, as `head` does
            # subtle: else Python prints an error when it flushes stdout at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ending = "", 128 + signal.SIGPIPE
        case OSError() if error.errno in _OF_THE_DISK:
            place = f" {error.filename!r}" if error.filename else ""
            ending = f"{error.strerror}:{place}; check disk space and permissions", 1
        case _ if type(error).__module__.startswith(("kafka.", "aiokafka.")):
            from mainstem.kafka.faults import refusal  # needs the kafka extra

            ending = refusal(error), 1
        case _:
            raise error
    return ending
