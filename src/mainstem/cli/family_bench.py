"""`mainstem bench families`: each family of models against autograd, and whether it learns."""

import sys
from typing import Annotated

import typer

from mainstem.printable import in_json

__all__ = ["families"]


def families(
    *,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="A family by its model_type on Hugging Face; all, if none; may be given again."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the weights and of the training.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with all rows.")
    ] = False,
) -> None:
    """Hold responses of every family of models against autograd, and train it for a round.

    The models are tiny and made here, with random weights. `parity` is the largest relative error
    of a response norm, beside autograd on one sample at a time in float64.
    """
    from mainstem.bench.families import bench_families  # torch is slow to import
    from mainstem.bench.tiny_families import TINY
    from mainstem.bootstrap import threads
    from mainstem.cli.tables import show  # rich is slow to import
    from mainstem.errors import SettingError

    if unknown := sorted(set(only or ()) - TINY.keys()):
        msg = f"no family {unknown[0]!r} is known here; give one of {', '.join(TINY)}"
        raise SettingError(msg)
    threads()
    rows = bench_families(only or (), seed=seed, told=lambda line: print(line, file=sys.stderr))
    if as_json:
        print(in_json({"rows": rows}))
        return
    names = ("family", "mode", "parity", "trains", "seconds", "reason")
    show(names, [["" if row[name] is None else row[name] for name in names] for row in rows])
