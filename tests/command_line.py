"""The command line as users have it, for tests that ask whether a line would be understood."""

from importlib.metadata import entry_points
from typing import Any

import click
import typer

from mainstem.cli.main import app, load_programs


def command_line() -> click.Group:
    """The command line with the commands of its programs."""
    if {entry.name for entry in entry_points(group="mainstem.commands")} - set(
        typer.main.get_command(app).commands
    ):
        load_programs()
    return typer.main.get_command(app)


def parsed(group: click.Group, words: list[str], *, lenient: bool = False) -> dict[str, Any]:
    """Options and arguments that a line gives its command.

    Args:
        group: the command line.
        words: the line, without the word `mainstem`.
        lenient: whether required arguments may be missing, as where a text only names a command.

    Raises:
        click.ClickException: if there is no such command or option, or a value is wrong.
    """
    command: click.Command = group
    context = click.Context(group, info_name="mainstem")
    while isinstance(command, click.Group) and (words or not lenient):
        name, *words = words
        if name not in command.commands:
            msg = f"no such command: {name!r}"
            raise click.UsageError(msg)
        command = command.commands[name]
        try:
            context = command.make_context(
                name,
                list(words),
                parent=context,
                resilient_parsing=isinstance(command, click.Group),
            )
        except click.MissingParameter:
            if not lenient:
                raise
    return context.params


def all_commands(group: click.Group, *before: str) -> dict[str, click.Command]:
    """Every command by its words, those of groups among them."""
    found = {}
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found |= all_commands(command, *before, name)
        else:
            found[" ".join((*before, name))] = command
    return found
