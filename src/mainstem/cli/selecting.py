"""`mainstem bench selection`: estimators and policies side by side."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from mainstem.cli.choosing import OnlyOption, ProcessesOption, SeedsOption, chosen, kept_in
from mainstem.cli.costing import opened, opened_home
from mainstem.printable import as_cell, in_json

__all__ = ["selection"]

_FOLDER: Final = Path("mainstem-bench-selection")


def selection(
    *,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Folder that keeps the cells, so that a bench which was interrupted goes on; "
            f"{str(_FOLDER)!r}, or with --quick a temporary one."
        ),
    ] = None,
    screen: Annotated[
        bool,
        typer.Option(
            "--screen",
            help="Run every estimator and policy with one seed on two streams, and keep which are "
            "best; a later run without it takes the six best.",
        ),
    ] = False,
    faithfulness: Annotated[
        bool,
        typer.Option(
            "--faithfulness",
            help="Measure only how faithful estimators are, and run no cells.",
        ),
    ] = False,
    seeds: SeedsOption = 5,
    only: OnlyOption = None,
    processes: ProcessesOption = 2,
    quick: Annotated[
        bool, typer.Option("--quick", help="Two seeds of one small stream, and six policies.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; text goes to stderr.")
    ] = False,
) -> None:
    """Compare estimators and published policies by what a model learns from what they choose.

    Everything and random draws are among them. Each trains the same model by the same rounds, and
    its scoring counts as cost. Estimators are also held against leaving groups of samples out and
    training again, but for --quick and --screen. Claims about the default are told whether they
    hold or not. The folder gets tables (selection.csv, faithfulness.csv) too.
    """
    from mainstem.bench.cost.run import Plan
    from mainstem.bench.cost.streams import STREAMS
    from mainstem.bench.selection.left_out import CASE
    from mainstem.bench.selection.policies import QUICK as FEW
    from mainstem.bench.selection.policies import SCREEN, final_ones
    from mainstem.bench.selection.run import bench_selection, keep_screened, screened
    from mainstem.bench.selection.streams import QUICK
    from mainstem.cli.selection_table import write_faithfulness, write_table
    from mainstem.settings import Settings

    if quick and screen:
        msg = "--quick has no screen"
        raise typer.BadParameter(msg, param_hint="--screen")
    if faithfulness and (quick or screen):
        msg = "--quick and --screen leave no groups out"
        raise typer.BadParameter(msg, param_hint="--faithfulness")
    # the screen takes the two noisy streams
    there = QUICK if quick else [one for one in STREAMS if one.is_noisy or not screen]
    streams = [] if faithfulness else chosen(there, only)
    with kept_in(folder, _FOLDER, quick=quick) as kept:
        many = 2 if quick else 1 if screen else seeds
        plan = Plan(
            folder=kept,
            streams=streams,
            policies=FEW if quick else SCREEN if screen else final_ones(screened(kept)),
            seeds=list(range(many)),
            settings=Settings.read(os.environ),
            opened=opened,
            opened_home=opened_home,
            processes=processes,
        )
        found = bench_selection(plan, _told, None if quick or screen else CASE)
        if not faithfulness:
            write_table(kept / "selection.csv", found)
        if found["faithfulness"]:
            write_faithfulness(kept / "faithfulness.csv", found["faithfulness"])
        if screen:
            keep_screened(kept, found["cells"])
    _show(found, sys.stderr if as_json else sys.stdout)
    if as_json:
        print(in_json(found))


def _show(found: dict[str, Any], to: Any) -> None:
    if found["cells"]:
        _show_cells(found, to)
    if found["faithfulness"]:
        columns = ("estimator", "says", "spearman", "low", "high", "absolute", "lds")
        print(*columns, sep="\t", file=to)
        for one in found["faithfulness"]:
            print(*(as_cell(one[name]) for name in columns), sep="\t", file=to)
        told = (f"{name} {as_cell(one)}" for name, one in found["reliability"].items())
        print(f"reliability: {', '.join(told)}", file=to)
    for claim in found["claims"]:
        print(f"{claim['name']}: {_said(claim)}", file=to)


def _show_cells(found: dict[str, Any], to: Any) -> None:
    columns = ("stream", "policy", "seed", "auc_true", "worst_slice", "auroc", "f1", "coverage")
    print(*columns, "cost", sep="\t", file=to)
    for one in sorted(found["cells"], key=lambda cell: (cell["stream"], -cell["auc_true"])):
        paid = sum(one["cost"][name] for name in ("score", "rescore", "train", "features"))
        print(*(as_cell(one[name]) for name in columns), f"{paid:,.0f}", sep="\t", file=to)


def _said(claim: dict[str, Any]) -> str:
    if claim["why"]:
        return str(claim["why"])
    mean, low, high = (as_cell(claim[name]) for name in ("mean", "low", "high"))
    failed = [one["name"] for one in claim["measures"] if not one["holds"]]
    holds = "holds" if claim["holds"] else f"does not hold ({', '.join(failed)})"
    return (
        f"{holds}; {claim['weakest']}: {mean} ({low} to {high}), above 0 in {claim['wins']} of "
        f"{claim['seeds']} seeds"
    )


def _told(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
