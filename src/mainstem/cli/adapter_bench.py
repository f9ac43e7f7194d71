"""`mainstem bench adapters`: parts of a given model that are trained, beside all of it."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from mainstem.printable import in_json

__all__ = ["adapters"]


def adapters(
    logs: Annotated[
        list[Path], typer.Argument(help="Event logs, as `mainstem import` makes them of texts.")
    ],
    *,
    model: Annotated[str, typer.Option(help="Hugging Face name or path of the given model.")],
    trained: Annotated[
        int, typer.Option(min=10, help="How many samples before the last part are trained on.")
    ] = 4000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train a given model whole, by LoRA, by its head alone, and by its last two blocks.

    All are trained on the same samples and measured on the last part of the log. Response
    norms over what is trained are compared with those over all weights.
    """
    from mainstem.bench.adapters import bench_adapters  # torch is slow to import
    from mainstem.bench.ranker_log import joined
    from mainstem.bootstrap import threads
    from mainstem.cli.costing import opened
    from mainstem.cli.tables import show
    from mainstem.events import read_lines
    from mainstem.settings import Settings

    threads()
    settings = Settings.read(os.environ, {"model.model": model})
    found = {}
    for path in logs:
        name = path.name.partition(".")[0]
        log = joined(name, read_lines(path), settings, opened)
        found[name] = bench_adapters(log, trained=trained, told=_told)
    if as_json:
        print(in_json({"logs": found}))
        return
    quality = ("mode", "auc", "accuracy")
    cost = ("seconds", "forward_equivalents", "parameters")
    names = (*quality, *cost, "first_spearman", "spearman")
    rows = [
        (log, *(_cell(row[one]) for one in names)) for log in found for row in found[log]["rows"]
    ]
    show(("log", *names), rows)


def _cell(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _told(line: str) -> None:
    print(line, file=sys.stderr)
