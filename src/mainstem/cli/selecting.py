"""`mainstem bench selection`: estimators and policies side by side."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mainstem.cli.choosing import OnlyOption, ProcessesOption, SeedsOption, chosen, kept_in
from mainstem.cli.costing import opened, opened_home
from mainstem.printable import as_cell, in_json

if TYPE_CHECKING:
    from mainstem.bench.selection.streams import Data

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
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder with noisy_agnews_10k and homedepot_relevance; without it, their streams "
            "are not run."
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help="Hugging Face name or path of an encoder whose frozen features of labelled texts "
            "are kept once; without it, their stream is not run."
        ),
    ] = "",
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
    its scoring counts as cost. Three streams have all seeds, and four others one seed and few
    policies. Estimators are also held against leaving groups of samples out and training again, but
    for --quick and --screen. Claims about the default are told whether they hold or not. The folder
    gets tables (selection.csv, faithfulness.csv) and a page (selection.html) too.
    """
    from mainstem.bench.cost.run import Plan
    from mainstem.bench.selection.left_out import CASE
    from mainstem.bench.selection.plans import final_plans, only_streams, quick_plans, screen_plans
    from mainstem.bench.selection.run import bench_selection, keep_screened, screened
    from mainstem.bench.selection.streams import Data, not_run
    from mainstem.cli.selection_page import write_page
    from mainstem.cli.selection_table import write_faithfulness, write_table
    from mainstem.settings import Settings

    if quick and screen:
        msg = "--quick has no screen"
        raise typer.BadParameter(msg, param_hint="--screen")
    if faithfulness and (quick or screen):
        msg = "--quick and --screen leave no groups out"
        raise typer.BadParameter(msg, param_hint="--faithfulness")
    with kept_in(folder, _FOLDER, quick=quick) as kept:
        base = Plan(
            folder=kept,
            streams=[],
            policies=[],
            seeds=[],
            settings=Settings.read(os.environ),
            opened=opened,
            opened_home=opened_home,
            processes=processes,
        )
        without_data = quick or screen or faithfulness
        there = Data() if without_data else _data(data, model, kept)
        plans = (
            [base]
            if faithfulness
            else quick_plans(base)
            if quick
            else screen_plans(base)
            if screen
            else final_plans(base, there, seeds, screened(kept))
        )
        lacking = {} if without_data else not_run(there)
        for name, why in lacking.items():
            _told(f"{name}: not run, because {why}")
        if not faithfulness:
            named = chosen([stream for one in plans for stream in one.streams], only)
            plans = only_streams(plans, [one.name for one in named])
        case = None if quick or screen else CASE
        found = bench_selection(plans, _told, case) | {"not_run": lacking}
        if not faithfulness:
            write_table(kept / "selection.csv", found)
            write_page(kept / "selection.html", found)
        if found["faithfulness"]:
            write_faithfulness(kept / "faithfulness.csv", found["faithfulness"])
        if screen:
            keep_screened(kept, found["cells"])
    _show(found, sys.stderr if as_json else sys.stdout)
    if as_json:
        print(in_json(found))


def _show(found: dict[str, Any], to: Any) -> None:
    from mainstem.cli.selection_page import claim_told

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
        print(f"{claim['name']}: {claim_told(claim)}", file=to)


def _show_cells(found: dict[str, Any], to: Any) -> None:
    columns = ("stream", "policy", "seed", "auc_true", "worst_slice", "auroc", "f1", "coverage")
    print(*columns, "cost", sep="\t", file=to)
    for one in sorted(found["cells"], key=lambda cell: (cell["stream"], -cell["auc_true"])):
        paid = sum(one["cost"][name] for name in ("score", "rescore", "train", "features"))
        print(*(as_cell(one[name]) for name in columns), f"{paid:,.0f}", sep="\t", file=to)


def _data(folder: Path | None, model: str, kept: Path) -> "Data":
    """What streams are made of; the features of a frozen model are computed the first time."""
    import numpy as np

    from mainstem.bench.evidence.frozen import embed, frozen_of
    from mainstem.bench.evidence.texts import has_texts, read_texts
    from mainstem.bench.selection.streams import Data

    if not (folder and model and has_texts(folder)):
        return Data(folder)
    texts = replace(read_texts(folder), test=[])
    frozen = frozen_of(model, texts, kept, embed)
    features = kept / "features.npy"
    np.save(features, frozen.train)
    return Data(folder, model, features)


def _told(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
