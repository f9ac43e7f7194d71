"""`mainstem bench ranker`: a version against counting and trees, on the same pairs."""

import os
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mainstem.printable import in_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mainstem.bench.ranker_log import RankerLog
    from mainstem.settings import Settings
    from mainstem.store import Store

__all__ = ["ranker"]

_MEASURES: Final = ("auc", "ndcg10", "mrr", "log_loss", "ece")
_TRAINED: Final = 4000  # samples of the comparison of training speeds
_QUICK_EVENTS: Final = 4000


def ranker(
    logs: Annotated[
        list[Path] | None, typer.Argument(help="Event logs; by default the shipped excerpt.")
    ] = None,
    *,
    seeds: Annotated[int, typer.Option(min=1, help="How many versions each log trains.")] = 3,
    shoppers: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the shoppers of each log that are kept.")
    ] = 1.0,
    test_from: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Day (UTC) at which the last part of each log begins; by default its last fifth.",
        ),
    ] = None,
    test_until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day (UTC) at which the last part ends."),
    ] = None,
    shop: Annotated[
        bool, typer.Option(help="Measure simulated shops too, whose true answers are known.")
    ] = True,
    shop_events: Annotated[
        int, typer.Option(min=1000, help="How many events a simulated shop has.")
    ] = 30_000,
    words: Annotated[bool, typer.Option(help="Train versions that read words alone too.")] = True,
    train: Annotated[bool, typer.Option(help="Measure the speed of training too.")] = True,
    options: Annotated[
        bool,
        typer.Option(
            "--options",
            help="Measure only what each option of training gives, on each log: the difference "
            "that it makes to the AUC.",
        ),
    ] = False,
    quick: Annotated[
        bool,
        typer.Option(
            help="One seed and one epoch, a small shop, and no choice among settings of the trees."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure how well versions rank, beside counting, logistic regression and trees.

    All read the same features of the same samples, are trained on the same part of a log, and are
    measured on its last part.
    """
    from mainstem.bench.ranker import bench_log  # torch is slow to import
    from mainstem.bench.ranker_options import bench_options
    from mainstem.bench.ranker_shop import bench_shop
    from mainstem.bench.training import train_ratio
    from mainstem.bootstrap import threads
    from mainstem.learning.first import first_encoder
    from mainstem.settings import Settings

    threads()
    chosen = list(range(1 if quick else seeds))
    settings = Settings.read(os.environ, {"learning.epochs": 1} if quick else {})
    last = (_milliseconds(test_from), _milliseconds(test_until))
    found: dict[str, Any] = {"logs": {}}
    for log in _logs(logs, settings, shoppers, last):
        if options:
            found["logs"][log.name] = bench_options(log, chosen, told=_told)
            continue
        found["logs"][log.name] = bench_log(log, chosen, quick=quick, words=words, told=_told)
        if train and "train" not in found:
            first, some = first_encoder(log.texts, log.settings), log.train.placed[:_TRAINED]
            found["train"] = train_ratio(first, some, log.settings, times=1 if quick else 3)
    if shop and not options:
        events = min(shop_events, _QUICK_EVENTS) if quick else shop_events
        found["shop"] = bench_shop(events, chosen, settings, _temporary_store, told=_told)
    if as_json:
        print(in_json(found))
    elif options:
        _show_options(found["logs"])
    else:
        _show(found)


def _logs(
    paths: list[Path] | None,
    settings: "Settings",
    shoppers: float,
    last: tuple[int | None, int | None],
) -> "list[RankerLog]":
    from mainstem.bench.ranker_log import joined, shoppers_of
    from mainstem.events import read_lines

    found = []
    with resources.as_file(resources.files("mainstem.data") / "online-retail.jsonl.gz") as excerpt:
        for path in paths or [excerpt]:
            name = path.name.partition(".")[0] if paths else "excerpt"
            _told(f"{name}: join and features")
            lines = read_lines(path)
            if shoppers < 1:
                lines = shoppers_of(lines, shoppers)
            begin, end = last
            found.append(
                joined(name, lines, settings, _temporary_store, test_from=begin, test_until=end)
            )
    return found


@contextmanager
def _temporary_store() -> "Iterator[Store]":
    from mainstem.bootstrap import open_store
    from mainstem.settings.urls import url_of

    with (
        tempfile.TemporaryDirectory(prefix="mainstem-bench-") as folder,
        open_store(url_of("chdb", Path(folder, "history"))) as opened,
    ):
        yield opened


def _show(found: dict[str, Any]) -> None:
    from mainstem.cli.tables import show  # rich is slow to import

    rows = [
        (name, row["name"], *(_cell(row[measure]) for measure in _MEASURES))
        for name, log in found["logs"].items()
        for row in log["rows"]
    ]
    show(("log", "ranking", *_MEASURES), rows)
    for name, log in found["logs"].items():
        for rival, difference in log["against"].items():
            if difference:
                mean, low, high = (f"{difference[one]:+.4f}" for one in ("mean", "low", "high"))
                print(f"{name}: AUC of mainstem less that of {rival}: {mean} ({low} to {high})")
    if "shop" in found:
        names = ("true_auc", "without_tower", "truth_trained_auc", "optimum")
        print("shop: " + ", ".join(f"{name} {found['shop'][name]:.4f}" for name in names))
    if "train" in found:
        print(f"train: {found['train']['ratio']:.2f} times the samples a second of a plain loop")


def _show_options(logs: dict[str, Any]) -> None:
    from mainstem.cli.tables import show  # rich is slow to import

    names = ("auc", "mean", "low", "high")
    rows = [
        (log, name, *(_cell(one[column]) for column in names), f"{one['seconds']:.2f}")
        for log, found in logs.items()
        for name, one in found["options"].items()
    ]
    show(("log", "option", *names, "seconds"), rows)
    for log, found in logs.items():
        print(f"{log}: AUC without an option {_cell(found['auc'])}")


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _milliseconds(day: datetime | None) -> int | None:
    return int(day.replace(tzinfo=UTC).timestamp() * 1000) if day else None


def _told(line: str) -> None:
    print(line, file=sys.stderr)
