"""`mainstem bench evidence`: which evidence finds wrong labels."""

import os
import sys
import tempfile
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mainstem.cli.choosing import chosen
from mainstem.errors import SettingError
from mainstem.printable import as_cell, in_json, number_of

if TYPE_CHECKING:
    from mainstem.bench.evidence.homes import Homes, Turning
    from mainstem.bench.evidence.run import WithModel
    from mainstem.learning import Round
    from mainstem.loop import Loop
    from mainstem.settings import Settings
    from mainstem.store import Store

__all__ = ["evidence"]

_HOMES = Path("mainstem-bench-evidence")


def evidence(
    *,
    prepare: Annotated[
        bool,
        typer.Option(
            "--prepare", help="Make the homes that are missing, and measure nothing; hours."
        ),
    ] = False,
    homes: Annotated[
        Path | None,
        typer.Option(
            help=f"Folder of the homes; {str(_HOMES)!r}, or with --quick a temporary one."
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with noisy_agnews_10k; without it, those rows are not run."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Hugging Face name or path of an encoder whose frozen features of labelled texts "
            "are kept once; without it, what versions read of them is taken."
        ),
    ] = None,
    fine_tuned: Annotated[
        bool,
        typer.Option(
            "--fine-tuned",
            help="Fine-tune the --model on the texts of three seeds too; an hour for each seed.",
        ),
    ] = False,
    seeds: Annotated[int, typer.Option(min=1, help="How many homes each stream has.")] = 5,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Take only streams whose name holds these words; may be given again."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="One seed of two small streams, made on the spot.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; text goes to stderr.")
    ] = False,
) -> None:
    """Measure how well each kind of evidence, and all together, find wrong labels.

    Streams with a known truth are replayed into homes without trusted samples, by --prepare.
    Trusted sets are revealed afterwards, and evidence and standings are computed from stored rows.
    """
    from mainstem.bench.evidence.homes import Cell, Homes  # torch is slow to import
    from mainstem.bench.evidence.run import bench_evidence
    from mainstem.bench.evidence.streams import QUICK, STREAMS
    from mainstem.bootstrap import threads
    from mainstem.settings import Settings

    threads()
    if fine_tuned and not (model and data):
        msg = "--fine-tuned needs --model, which it trains, and --data, where the texts are"
        raise SettingError(msg)
    streams = chosen(QUICK if quick else STREAMS, only)
    cells = [Cell(stream, seed) for seed in range(1 if quick else seeds) for stream in streams]
    with ExitStack() as opened:
        folder = homes or _HOMES
        if quick and homes is None:
            temporary = tempfile.TemporaryDirectory(prefix="mainstem-bench-")
            folder = Path(opened.enter_context(temporary))
        wanted = Homes(folder, cells, data, Settings.read(os.environ))
        _announce(wanted, prepare=prepare or quick, measure=not prepare)
        if prepare or quick:
            wanted.prepare(_make, _told)
        with_model = _with_model(wanted, model, fine_tuned=fine_tuned)
        if prepare:
            return
        if not any(map(wanted.is_there, cells)):
            msg = f"{str(folder)!r} holds no home of these streams; run with --prepare first"
            raise SettingError(msg)
        found = bench_evidence(wanted, _opened, with_model, told=_told)
    if as_json:
        _show(found, sys.stderr)
        print(in_json(found))
    else:
        _show(found, sys.stdout)


def _announce(homes: "Homes", *, prepare: bool, measure: bool) -> None:
    """Say how long it will take, and what cannot be run."""
    for one in homes.cells:
        if not homes.can_be_made(one):
            _told(f"{one.name}: not run, because --data names no folder that holds its texts")
    missing = homes.missing
    if prepare:
        minutes = homes.seconds(missing) / 60
        many = number_of(len(missing), "home")
        _told(f"{many} to make: about {minutes:.0f} minutes on two cores")
    if measure:
        able = [one for one in homes.cells if homes.is_there(one) or (prepare and one in missing)]
        minutes = sum(one.stream.measure_seconds for one in able) / 60
        many = number_of(len(able), "home")
        _told(f"{many} to measure: about {minutes:.0f} minutes on two cores")


def _with_model(homes: "Homes", model: str | None, *, fine_tuned: bool) -> "WithModel | None":
    from mainstem.bench.evidence.frozen import embed, frozen_of
    from mainstem.bench.evidence.run import WithModel
    from mainstem.bench.evidence.texts import has_texts, read_texts

    wanted = any(one.stream.made_of == "texts" for one in homes.cells)
    if not wanted or not model or homes.data is None or not has_texts(homes.data):
        return None
    texts = read_texts(homes.data)
    frozen = frozen_of(model, texts, homes.folder, embed)
    return WithModel(texts, frozen, model if fine_tuned else None)


class _Quiet:
    """A watcher that prints nothing."""

    def block_done(self, loop: "Loop", line: int) -> None:
        pass

    def round_done(self, done: "Round") -> None:
        pass


def _make(log: Path, home: Path, settings: "Settings", turning: "Turning | None") -> None:
    from mainstem.embedded.asked import Asked
    from mainstem.opening import open_loop

    relabel = (turning.name, turning.relabel) if turning else None
    with open_loop(str(log), home, settings, _Quiet(), Asked(relabel=relabel)) as loop:
        loop.run()


def _opened(home: Path) -> "AbstractContextManager[Store]":
    from mainstem.bootstrap import open_store
    from mainstem.settings.urls import url_of

    return open_store(url_of("chdb", home / "history"), make=False)


def _show(found: dict[str, Any], to: Any) -> None:
    names = ("auroc", "ap", "auroc_hard", "called", "found", "false", "core_wrong", "all_wrong")
    print(*("stream", "seed", "trusted", "evidence", *names, "auc_true"), sep="\t", file=to)
    for one in found["cells"]:
        row = (one[name] for name in ("stream", "seed", "trusted", "evidence", *names, "auc_true"))
        print(*map(as_cell, row), sep="\t", file=to)
    for one in found["claims"]:
        holds = {True: "holds", False: "DOES NOT HOLD", None: "not run"}[one["holds"]]
        interval = f"{as_cell(one['mean'])} ({as_cell(one['low'])} to {as_cell(one['high'])})"
        told = "" if one["holds"] is None else f"; weakest: {one['weakest']}, {interval}"
        print(f"{one['name']}: {holds}{told}", file=to)
    for name in found["not_run"]:
        print(f"{name}: not run", file=to)


def _told(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
