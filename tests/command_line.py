"""The command line of a user, for tests that check whether it accepts a line."""

from importlib.metadata import entry_points
from typing import Any

import click
import typer

from mainstem.cli.main import app, load_programs


def command_line() -> click.Group:
    """Return the command line with the commands of its programs."""
    if {entry.name for entry in entry_points(group="mainstem.commands")} - set(
        typer.main.get_command(app).commands
    ):
        load_programs()
    return typer.main.get_command(app)


def parsed(group: click.Group, words: list[str], *, lenient: bool = False) -> dict[str, Any]:
    """Return the options and arguments that a line gives to its command.

    Args:
        group: the command line.
        words: words of the line after `mainstem`.
        lenient: whether required arguments may be missing, as in a text that only names a command.

    Raises:
        click.ClickException: the command or an option does not exist, or a value is wrong.
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
    """Return every command by its words, including the commands of groups."""
    found = {}
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found |= all_commands(command, *before, name)
        else:
            found[" ".join((*before, name))] = command
    return found
