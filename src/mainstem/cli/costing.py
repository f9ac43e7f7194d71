"""`mainstem bench cost`: what choosing samples saves, and what it costs."""

import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mainstem.cli.choosing import OnlyOption, ProcessesOption, SeedsOption, chosen, kept_in
from mainstem.printable import as_cell, in_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mainstem.store import Store
    from mainstem.versions import Versions

__all__ = ["cost", "opened", "opened_home"]

_FOLDER = Path("mainstem-bench-cost")


def cost(
    *,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Folder that keeps the cells, so that a bench which was interrupted goes on; "
            f"{str(_FOLDER)!r}, or with --quick a temporary one."
        ),
    ] = None,
    seeds: SeedsOption = 5,
    only: OnlyOption = None,
    tuning: Annotated[
        bool,
        typer.Option(
            "--tune",
            help="Choose settings for each family of policies on two other seeds first; every "
            "family gets the same number of trials.",
        ),
    ] = False,
    processes: ProcessesOption = 2,
    quick: Annotated[
        bool, typer.Option("--quick", help="Two seeds of one small stream, and four policies.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; text goes to stderr.")
    ] = False,
) -> None:
    """Compare ways to choose samples by quality on true labels, and by all that they cost.

    Everything, random draws, draws that are random anew for each epoch, and draws by importance
    and evidence train the same model by the same rounds. The folder gets a table (cost.csv) and a
    page (cost.html) too.
    """
    from mainstem.bench.cost.policies import POLICIES
    from mainstem.bench.cost.policies import QUICK as FEW
    from mainstem.bench.cost.run import Plan, bench_cost, tune
    from mainstem.bench.cost.streams import QUICK, STREAMS
    from mainstem.cli.cost_page import write_page, write_table
    from mainstem.settings import Settings

    streams = chosen(QUICK if quick else STREAMS, only)
    with kept_in(folder, _FOLDER, quick=quick) as kept:
        plan = Plan(
            folder=kept,
            streams=streams,
            policies=FEW if quick else POLICIES,
            seeds=list(range(2 if quick else seeds)),
            settings=Settings.read(os.environ),
            opened=opened,
            opened_home=opened_home,
            processes=processes,
        )
        if tuning:
            tune(plan, _told)
        found = bench_cost(plan, _told)
        write_table(kept / "cost.csv", found)
        write_page(kept / "cost.html", found)
    if as_json:
        _show(found, sys.stderr)
        print(in_json(found))
    else:
        _show(found, sys.stdout)


@contextmanager
def opened() -> "Iterator[Store]":
    """Open an empty history in a temporary folder."""
    from mainstem.bootstrap import open_store
    from mainstem.settings.urls import url_of

    with (
        tempfile.TemporaryDirectory(prefix="mainstem-bench-") as folder,
        open_store(url_of("chdb", Path(folder, "history"))) as store,
    ):
        yield store


@contextmanager
def opened_home(folder: Path) -> "Iterator[tuple[Store, Versions]]":
    """Open an empty history and an empty place for versions in a folder."""
    from mainstem.bootstrap import open_store, open_versions
    from mainstem.settings.urls import url_of

    with open_store(url_of("chdb", folder / "history")) as store:
        yield store, open_versions(url_of("file", folder / "versions"))


def _show(found: dict[str, Any], to: Any) -> None:
    print(*("stream", "policy", "cost", "auc_true"), sep="\t", file=to)
    for stream, curves in found["curves"].items():
        points = {one["policy"]: one for curve in curves.values() for one in curve}
        for one in sorted(points.values(), key=lambda point: float(point["cost"])):
            row = (stream, one["policy"], f"{one['cost']:,.0f}", as_cell(one["auc_true"]))
            print(*row, sep="\t", file=to)
    for stream, target in found["target"].items():
        ratio, equal = found["cost_ratio"][stream], found["equal_cost"][stream]
        print(f"{stream}: target {target:.4f}", file=to)
        print(f"  cost against the cheapest baseline: {_interval(ratio)}", file=to)
        print(f"  AUC at equal cost against random draws: {_interval(equal)}", file=to)
        if words := found["bound"].get(stream):
            print(f"  {words}", file=to)


def _interval(one: dict[str, float | None]) -> str:
    if one["mean"] is None:
        return "never reached"
    return f"{as_cell(one['mean'])} ({as_cell(one['low'])} to {as_cell(one['high'])})"


def _told(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
