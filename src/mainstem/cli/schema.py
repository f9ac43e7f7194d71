"""`mainstem schema`: what an event looks like, and what each topic holds, for programs in any language."""

import json
from typing import Annotated

import typer

__all__ = ["schema"]


def schema(
    event: Annotated[
        str | None,
        typer.Argument(
            show_default=False, help="Type of event, like click; without it, every type."
        ),
    ] = None,
    *,
    asyncapi: Annotated[
        bool, typer.Option("--asyncapi", help="The AsyncAPI document of all topics instead.")
    ] = False,
) -> None:
    """Print the JSON Schema of events, or the AsyncAPI document of all topics."""
    if asyncapi and event:
        msg = f"--asyncapi describes all topics; leave out {event!r}"
        raise typer.BadParameter(msg)
    if asyncapi:
        from mainstem.kafka.asyncapi import document  # scipy is slow to import

        found = document()
    else:
        from mainstem.events.schema import event_schema  # only this command needs it

        try:
            found = event_schema(event)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    print(json.dumps(found, indent=2, ensure_ascii=False))
