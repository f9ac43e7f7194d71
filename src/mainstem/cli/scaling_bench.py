"""`mainstem bench scaling`: a training on one process and on several."""

import sys
from typing import Annotated

import typer

from mainstem.printable import in_json

__all__ = ["scaling"]


def scaling(
    *,
    processes: Annotated[
        list[int] | None,
        typer.Option(
            min=1, help="How many CPU processes, beside 1; 2, if not given; may be given again."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the weights and of the order.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with all rows.")
    ] = False,
) -> None:
    """Train a small model for 20 steps on 1 and 2 CPU processes, and on the GPUs that there are.

    `parity` is the largest difference of a logit from that of one process. `samples_s` leaves out
    what it takes to begin the processes.
    """
    from mainstem.bench.scaling import bench_scaling  # torch is slow to import
    from mainstem.bootstrap import threads
    from mainstem.cli.tables import show  # rich is slow to import

    cores = threads()
    print(f"{cores} threads, shared out among the CPU processes", file=sys.stderr)
    counts = sorted({1, *(processes or [2])})
    found = bench_scaling(counts, seed=seed, told=lambda line: print(line, file=sys.stderr))
    if as_json:
        print(in_json(found))
        return
    names = ("device", "processes", "samples_s")
    show(names, [[row[name] for name in names] for row in found["rows"]])
    print(f"parity: {found['parity']:.1e}")
