"""`mainstem what-if`: what other settings would have made of a history."""

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mainstem.cli.history import DEFAULT_HOME, HomeOption, StoreOption
from mainstem.errors import SettingError
from mainstem.printable import in_json

if TYPE_CHECKING:
    from mainstem.answers.what_if import Supposed
    from mainstem.answers.what_if_drawn import DrawnOf

__all__ = ["what_if"]


def what_if(
    supposed: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A setting with another value, like learning.draw=4000; may be given again.",
        ),
    ],
    home: HomeOption = DEFAULT_HOME,
    store: StoreOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what other settings would have made of the history, without any model.

    Stored visits are judged again, and the samples of the last round are drawn
    again: which samples would be in another set, and what the round would have
    drawn. Nothing is written.
    """
    from mainstem.answers.what_if import check_supposable  # numpy is slow to import

    changed = _read(supposed)
    check_supposable(changed)
    found = _asked(home, store, changed)
    if as_json:
        print(in_json(_told(found)))
    else:
        _show(found)


def _read(given: list[str]) -> dict[str, Any]:
    """The values of settings that are written as NAME=VALUE, by name."""
    from mainstem.settings import known, variable
    from mainstem.settings.names import no_setting
    from mainstem.settings.reading import in_environment

    found: dict[str, Any] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            msg = f"--set takes NAME=VALUE, like learning.draw=4000; got {one!r}"
            raise SettingError(msg)
        if name not in known():
            raise no_setting(name)
        found |= in_environment({variable(name): value})
    return found


def _asked(home: Any, store: str | None, changed: dict[str, Any]) -> "Supposed":
    from mainstem.answers.what_if import what_if as ask  # torch is slow to import
    from mainstem.asking import open_history
    from mainstem.cli.tables import working  # rich is slow to import
    from mainstem.embedded.again import settings_of
    from mainstem.embedded.later import later_from
    from mainstem.settings import Settings

    if store:
        settings, until = Settings.read(os.environ), None
    else:
        settings = settings_of(home, os.environ)
        until = later_from(home, settings)
    with working("judging and drawing again"), open_history(home, store) as history:
        return ask(history, settings, changed, later_from=until, drops=not store)


def _told(found: "Supposed") -> dict[str, Any]:
    told = asdict(found)
    for one in told["movers"]:
        one["sample_id"] = str(one["sample_id"])
    return told


def _show(found: "Supposed") -> None:
    from mainstem.cli.tables import show  # rich is slow to import

    moved = sum(one.samples for one in found.moves)
    print(f"{moved:,} of {found.samples:,} samples would be in another set")
    show(
        ("set", "samples", "would be"),
        [(name, before, after) for name, (before, after) in found.sets.items()],
    )
    if found.moves:
        print("\nfrom one set to another, with the mean importance of those that move")
        show(tuple(asdict(found.moves[0])), [tuple(asdict(one).values()) for one in found.moves])
        print("\nthe most important ones of them")
        show(tuple(asdict(found.movers[0])), [tuple(asdict(one).values()) for one in found.movers])
    if found.draw is None:
        print("\nno round has drawn samples yet")
        return
    one = found.draw
    print(f"\nround {one.version} drew {_of(one.drew)}")
    print(f"it would have drawn {_of(one.would)}, {one.both:,} of them the same")
    how = (
        "because core holds too few samples, uniformly" if one.cold else "by importance and weight"
    )
    what = (
        "shares of what is new and of what is old, because its parent beat counting"
        if one.chooses
        else "all that it could get, because its parent is not known to beat counting"
    )
    print(f"it would have drawn {what}: {how}, out of {one.available:,}")


def _of(drawn: "DrawnOf") -> str:
    sets = f"{drawn.core:,} of core, {drawn.edge:,} of edge, {drawn.spent:,} spent"
    return f"{drawn.all:,} samples ({sets})"
