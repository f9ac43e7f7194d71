"""`mainstem`: its own commands, and those that installed programs bring by the entry point group `mainstem.commands`.

Errors that mainstem raises on purpose are one line; exit code 2 for wrong use, 1 for failure, 130 after Ctrl-C.
"""

import sys
from importlib.metadata import entry_points
from typing import Annotated, Final

import typer
from typer.exceptions import Abort, TyperException

from mainstem.cli.history import history, sets, sql, versions
from mainstem.cli.importing import importer
from mainstem.cli.replaying import demo, replay
from mainstem.cli.settings import settings
from mainstem.errors import MainstemError, SettingError

__all__ = ["app", "main"]

GROUP: Final = "mainstem.commands"

app = typer.Typer(
    name="mainstem",
    help="Streaming continual learning: finds the samples that matter, trains on those, remembers why in SQL.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(demo)
app.add_typer(importer, name="import")
app.command()(replay)
app.command()(sets)
app.command()(history)
app.command()(versions)
app.command()(sql)
app.command()(settings)


@app.callback(invoke_without_command=True)
def _version(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version of mainstem and stop.")] = False
) -> None:
    if version:
        import mainstem  # noqa: PLC0415 - a circle otherwise

        print(mainstem.__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line; every error we foresee becomes one line and an exit code."""
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        app.add_typer(entry.load(), name=entry.name)
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except TyperException as error:  # called in a wrong way; without any argument the help has been printed already
        message = error.format_message().rstrip(".")
        _fail(f"{message}; `mainstem --help` or `mainstem COMMAND --help` says how" if message else "", 2)
    except SettingError as error:
        _fail(str(error), 2)
    except MainstemError as error:
        _fail(str(error), 1)
    except (KeyboardInterrupt, Abort):
        _fail("stopped", 130)


def _fail(message: str, code: int) -> None:
    if message:
        print(f"mainstem: {message}", file=sys.stderr)
    sys.exit(code)
