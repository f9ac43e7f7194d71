"""`mainstem schema`: schemas of events and topics, for programs in any language."""

import json
from typing import Annotated

import typer

__all__ = ["schema"]


def schema(
    event: Annotated[
        str | None,
        typer.Argument(
            show_default=False, help="Type of event, like click; by default every type."
        ),
    ] = None,
    *,
    asyncapi: Annotated[
        bool, typer.Option("--asyncapi", help="Print the AsyncAPI document of all topics.")
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
        from mainstem.events.schema import event_schema  # not needed otherwise

        try:
            found = event_schema(event)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    print(json.dumps(found, indent=2, ensure_ascii=False))
