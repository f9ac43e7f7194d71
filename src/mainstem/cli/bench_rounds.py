"""`mainstem bench rounds`: what every round costs whatever it draws, in short and in long logs."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from mainstem.printable import in_json

__all__ = ["rounds"]

_QUICK = (2000, 4000)


def rounds(
    *,
    samples: Annotated[
        list[int] | None,
        typer.Option(
            min=1000,
            help="How many samples a log has, 100,000 and 800,000 by default; may be given again.",
        ),
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="How many days of event time a log has.")] = 365,
    quick: Annotated[
        bool, typer.Option("--quick", help="Two small logs, and reservoirs of 50 samples.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with a cell for each row.")
    ] = False,
) -> None:
    """Count the passes that each round needs beside training, with and without reservoirs.

    Logs of made-up samples are written into temporary histories. Nothing is trained: it is
    counted how many samples a round evaluates, takes its scale over and scores again.
    """
    from mainstem.bench.rounds import PARTS_OF_A_ROUND, bench_rounds  # torch is slow to import
    from mainstem.bootstrap import open_store
    from mainstem.cli.tables import show  # rich is slow to import
    from mainstem.settings import Settings
    from mainstem.settings.urls import url_of

    settings = Settings.read(os.environ)
    if quick:
        small = {"trusted.canary_maximum": 50, "trusted.gate_maximum": 50}
        few = {"standing.canary_minimum": 10, "learning.gate_minimum": 10}
        settings = settings.but(small | few)
    cells: list[dict[str, Any]] = []
    for many in samples or (_QUICK if quick else (100_000, 800_000)):
        print(f"{many:,} samples in {days} days", file=sys.stderr, flush=True)
        with (
            tempfile.TemporaryDirectory(prefix="mainstem-bench-") as folder,
            open_store(url_of("chdb", Path(folder, "history"))) as store,
        ):
            found = bench_rounds(store, many, days, settings)
        cells += [{"samples": many, "trusted": name, **one} for name, one in found.items()]
    if as_json:
        print(in_json({"cells": cells}))
        return
    names = (*PARTS_OF_A_ROUND, "passes", "a_new_sample", "seconds")
    show(
        ("samples", "trusted", *names),
        [[one[name] for name in ("samples", "trusted", *names)] for one in cells],
    )
