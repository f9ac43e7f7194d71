"""`mainstem layers`: how well responses over fewer layers stand for those over all layers."""

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
            help="Layers, as in MAINSTEM_RESPONSES__RESPONSE_LAYERS; the usual choices, if none.",
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    store: StoreOption = None,
    *,
    samples: Annotated[
        int, typer.Option(min=10, help="How many of the newest samples to measure on.")
    ] = 500,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each row as a JSON object in a line.")
    ] = False,
) -> None:
    """Compare responses over some layers with responses over all of them.

    It shows the share of parameters and of the squared norm, the rank
    correlation, and the time, at the newest version of a home.
    """
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
        msg = f"{str(home)!r} has {len(rows)} samples, but two are needed; replay a longer log"
        raise StoreError(msg)
    threads()
    versions = open_versions(
        os.environ.get("MAINSTEM_VERSIONS") or url_of("file", home.resolve() / "versions")
    )
    if not (numbers := versions.numbers()):
        msg = (
            f"there is no version under {versions.url}; set MAINSTEM_VERSIONS to where they are, "
            "or leave it unset for those of the home"
        )
        raise VersionError(msg)
    encoder = versions.load(numbers[-1])
    wanted = {one: one for one in choices or ()} or choices_of(encoder.network)
    pairs = [(context, item) for context, item, _ in rows]
    labels = [int(label) for _, _, label in rows]
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
