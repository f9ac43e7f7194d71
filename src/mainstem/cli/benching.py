"""`mainstem bench`: each measurement runs beside the same work without mainstem.

Programs add benches of their own.
"""

import os
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mainstem.cli.adapter_bench import adapters
from mainstem.cli.bench_rounds import rounds
from mainstem.cli.costing import cost
from mainstem.cli.evidencing import evidence
from mainstem.cli.family_bench import families
from mainstem.cli.ranking import ranker
from mainstem.cli.rescoring import rescoring
from mainstem.cli.scaling_bench import scaling
from mainstem.cli.selecting import selection
from mainstem.printable import in_json

if TYPE_CHECKING:
    from mainstem.join import Output

__all__ = ["bench"]

bench = typer.Typer(
    help="Measure speed, and compare it with the same work done without mainstem.",
    no_args_is_help=True,
)


bench.command()(cost)
bench.command()(evidence)
bench.command()(adapters)
bench.command()(families)
bench.command()(ranker)
bench.command("rounds")(rounds)
bench.command()(rescoring)
bench.command()(scaling)
bench.command()(selection)


@bench.callback()
def _group() -> None:
    """Keep `bench` a group, even with a single bench in it."""


@bench.command()
def store(
    url: Annotated[
        str | None,
        typer.Option(
            "--store",
            help="clickhouse:// URL of an empty database; by default a temporary chDB.",
        ),
    ] = None,
    *,
    rows: Annotated[int, typer.Option(min=10_000, help="How many rows each run writes.")] = 200_000,
    rounds: Annotated[
        int, typer.Option(min=1, help="How often each is run; medians are shown.")
    ] = 5,
    history_rows: Annotated[
        int,
        typer.Option(
            min=1000, help="How many responses the history holds when one sample is looked up."
        ),
    ] = 10_000_000,
    counts: Annotated[
        int,
        typer.Option(
            min=1000, help="How many counts the history holds when features are computed."
        ),
    ] = 300_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure the history: rows written a second, and milliseconds to read one sample.

    Writing is compared with the bare client. Reading asks for all of one sample
    among millions of responses, and for the features of a batch of 256 samples.
    """
    from mainstem.bench.store import bench_features, bench_history, bench_writes
    from mainstem.bootstrap import open_store
    from mainstem.errors import StoreError
    from mainstem.settings.urls import url_of
    from mainstem.store.filling import empty_counts, empty_responses, has_rows
    from mainstem.store.rows_of_sample import HISTORY

    with (
        tempfile.TemporaryDirectory(prefix="mainstem-bench-") as folder,
        open_store(url or url_of("chdb", Path(folder, "history"))) as opened,
    ):
        if has_rows(opened):
            msg = (
                f"{url!r} holds responses or counts, which the bench would replace; give a "
                "database that holds nothing"
            )
            raise StoreError(msg)
        found = (
            bench_writes(opened, rows, rounds)
            | bench_history(opened, history_rows, [query.sql for query in HISTORY.values()])
            | bench_features(opened, counts)
        )
        empty_responses(opened)
        empty_counts(opened)
    print(
        in_json(found)
        if as_json
        else "\n".join(f"{name:11} {value:,}" for name, value in found.items())
    )


@bench.command()
def join(
    log: Annotated[
        Path | None,
        typer.Argument(help="Event log; by default the excerpt and a simulated shop."),
    ] = None,
    *,
    events: Annotated[
        int,
        typer.Option(
            min=1000, help="How many events to join; a shorter log is repeated at later times."
        ),
    ] = 50_000,
    rounds: Annotated[
        int, typer.Option(min=1, help="How often each stage is run; medians are shown.")
    ] = 5,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with a key for each log.")
    ] = False,
) -> None:
    """Measure the join: events a second through decoding, joining, encoding and counting.

    Each row adds a stage. Seconds are processor time.
    """
    from mainstem.bench.join import STAGES, bench_join, lengthened, simulated
    from mainstem.cli.tables import show  # rich is slow to import
    from mainstem.errors import LogError
    from mainstem.events import read_lines
    from mainstem.events.survey import survey
    from mainstem.settings import Settings

    with resources.as_file(resources.files("mainstem.data") / "online-retail.jsonl.gz") as excerpt:
        logs = {
            str(log) if log else "excerpt": list(lengthened(read_lines(log or excerpt), events))
        }
    if log is None:
        logs["simulated"] = simulated(events, seed=0)
    found: dict[str, dict[str, Any]] = {}
    for name, lines in logs.items():
        print(f"{name}: {rounds} rounds", file=sys.stderr)
        seen = survey(lines)
        if seen.newest < 0:
            msg = (
                f"nothing in {name!r} can be joined ({seen.lines:,} lines, {len(seen.items):,} "
                "items); give another log"
            )
            raise LogError(msg)
        settings = Settings.read(os.environ, {"join.questions": seen.questions})
        found[name] = bench_join(lines, settings, _send, rounds)
    if as_json:
        print(in_json(found))
        return
    header = ("log", "up to", "events/s", "slowest", "fastest", "samples/s", "added us/event")
    rows = [
        (
            name,
            stage,
            one["events_a_second"][stage],
            min(one["runs"][stage]),
            max(one["runs"][stage]),
            one["samples_a_second"].get(stage, 0),
            one["microseconds"][stage],
        )
        for name, one in found.items()
        for stage in STAGES
    ]
    show(header, rows)


def _send(outputs: "list[Output]") -> None:
    """Encode samples as a stream worker does before it sends them to the broker."""
    from mainstem.join import Sample
    from mainstem.kafka.messages import encode, questions_of

    for _, together in questions_of([output for output in outputs if isinstance(output, Sample)]):
        encode(together)


@bench.command()
def responses(
    *,
    model: Annotated[
        str,
        typer.Option(
            help=(
                "LAYERSxHIDDEN for a BERT with random weights (12x768 is BERT-base), or the name "
                "or path of a model."
            )
        ),
    ] = "4x256",
    device: Annotated[str, typer.Option(help="Where it runs: cpu or cuda.")] = "cpu",
    precision: Annotated[
        str, typer.Option(help="Numbers of the pass: float32, or bfloat16 by autocast.")
    ] = "float32",
    batch: Annotated[int, typer.Option(min=2, help="How many samples a pass takes.")] = 64,
    seq: Annotated[int, typer.Option(min=2, help="How many tokens the longest sample has.")] = 32,
    vocabulary: Annotated[
        int, typer.Option(min=100, help="Vocabulary of a model with random weights.")
    ] = 8000,
    padded: Annotated[
        bool, typer.Option(help="Give samples half to all of the longest length, or all the same.")
    ] = True,
    rounds: Annotated[
        int, typer.Option(min=1, help="How often each is run; medians are shown.")
    ] = 5,
    only: Annotated[
        list[str] | None, typer.Option(help="Measure this row only; may be given again.")
    ] = None,
    memory: Annotated[
        bool, typer.Option(help="Measure peak memory too, each row in a process of its own.")
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with a key for each row.")
    ] = False,
) -> None:
    """Measure gradient responses as ratios to a plain forward and backward pass.

    Other libraries that compute them are measured too, if they are installed.
    """
    from mainstem.bench.responses import bench_responses  # torch is slow to import
    from mainstem.bench.responses_case import Case
    from mainstem.bootstrap import threads
    from mainstem.cli.tables import show  # rich is slow to import

    cores = threads()
    case = Case(model, batch, seq, vocabulary, padded, device, precision)
    print(f"{case}, {cores} threads, {rounds} rounds", file=sys.stderr)
    found = bench_responses(
        case, rounds, only or (), memory=memory, told=lambda line: print(line, file=sys.stderr)
    )
    if as_json:
        print(in_json(found))
        return
    plain = found.pop("plain_ms")
    print(f"plain forward and backward: {plain:,} ms")
    names = ("ratio", "lowest", "highest", "memory", "error")
    show(
        ("row", *names),
        [
            (row, *("" if one[name] is None else one[name] for name in names))
            for row, one in found.items()
        ],
    )
