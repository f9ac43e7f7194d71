"""`mainstem layers`: what responses over some of the layers are worth, at a home's current version."""

import math
import os
from typing import Annotated

import typer

from mainstem.cli.history import DEFAULT_HOME, HomeOption, StoreOption
from mainstem.printable import in_json

__all__ = ["layers"]


def layers(
    choices: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LAYERS]...",
            help="As MAINSTEM_RESPONSES__RESPONSE_LAYERS has them; the usual ones without.",
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    store: StoreOption = None,
    *,
    samples: Annotated[int, typer.Option(min=10, help="Newest samples to measure on.")] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a row.")] = False,
) -> None:
    """What responses over some layers say of those over all: share of the squared norm, rank correlation, time."""
    from mainstem.answers.fewer_layers import choices_of, compare_layers  # torch is slow to import
    from mainstem.asking import answers
    from mainstem.bootstrap import open_versions, threads
    from mainstem.cli.tables import show  # rich is slow to import
    from mainstem.errors import StoreError, VersionError
    from mainstem.settings import Settings
    from mainstem.settings.urls import url_of
    from mainstem.store.texts import NEWEST_PAIRS

    [(_, rows)] = answers(home, store, [NEWEST_PAIRS.sql], most=samples)
    if len(rows) < 2:
        msg = f"{str(home)!r} has {len(rows)} samples, and two are needed to compare; replay a longer log"
        raise StoreError(msg)
    threads()
    versions = open_versions(
        os.environ.get("MAINSTEM_VERSIONS") or url_of("file", home.resolve() / "versions")
    )
    if not (numbers := versions.numbers()):
        msg = f"there is no version under {versions.url}; MAINSTEM_VERSIONS says where they are, if it is set"
        raise VersionError(msg)
    encoder = versions.load(numbers[-1])
    wanted = {one: one for one in choices or ()} or choices_of(encoder.network)
    pairs, labels = (
        [(context, item) for context, item, _ in rows],
        [int(label) for _, _, label in rows],
    )
    found = compare_layers(encoder, pairs, labels, Settings.read(os.environ), wanted)
    if as_json:
        print("\n".join(in_json(row) for row in found))
        return
    show(
        tuple(found[0]),
        [(row["layers"], *(_of(row[name]) for name in tuple(row)[1:])) for row in found],
    )


def _of(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "not known"
