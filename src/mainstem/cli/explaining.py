"""`mainstem explain`: the story of one sample on one screen."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mainstem.cli.history import DEFAULT_HOME, HomeOption, StoreOption, asker, sample_named
from mainstem.cli.settings_there import settings_there
from mainstem.cli.story import tell_story
from mainstem.ids import uuid_of
from mainstem.printable import in_json

if TYPE_CHECKING:
    from mainstem.answers.explain import Ask

__all__ = ["explain"]


def explain(
    sample: Annotated[
        str | None, typer.Argument(help="Id of the sample, or the first 8 or more digits of it.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    store: StoreOption = None,
    *,
    event: Annotated[
        str | None, typer.Option(help="Find the sample by the event id of its question instead.")
    ] = None,
    item: Annotated[
        str, typer.Option(help="With --event, the item of the question that is meant.")
    ] = "",
    log: Annotated[
        Path | None, typer.Option(help="Look up in this log the events that made the sample.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Explain why a sample stands where it stands.

    It shows the question, the labels, every visit and verdict, the rounds that
    drew the sample, and the samples that teach the same and the opposite.
    """
    from mainstem.answers.explain import events_of, story_of  # the join is slow to import

    ask, settings = asker(home, store), settings_there(home, store)
    story = story_of(_sample_id(sample, event, item, ask), settings, ask)
    story["events"] = events_of(log, story["question"], settings) if log else None
    if as_json:
        print(in_json(story))
    else:
        tell_story(story)


def _sample_id(sample: str | None, event: str | None, item: str, ask: "Ask") -> str:
    if (sample is None) == (event is None):
        msg = "give either a sample id, or --event EVENT_ID and --item ITEM_ID"
        raise typer.BadParameter(msg)
    if event is not None:
        return str(uuid_of("sample", event, item))
    return sample_named(str(sample), ask)
