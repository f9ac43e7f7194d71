"""`mainstem bench`: measurements beside the nearest bare way. Programs add theirs."""

import json
import tempfile
from typing import Annotated

import typer

__all__ = ["bench"]

bench = typer.Typer(help="Measure, beside the nearest bare way, in one run.", no_args_is_help=True)


@bench.callback()
def _group() -> None:
    """Keep `bench` a group, however many benches there are."""


@bench.command()
def store(
    url: Annotated[
        str | None,
        typer.Option("--store", help="clickhouse:// URL of an empty database; without one, a temporary chDB."),
    ] = None,
    *,
    rows: Annotated[int, typer.Option(min=10_000, help="Rows written in each run.")] = 200_000,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each; medians are shown.")] = 5,
    history_rows: Annotated[
        int, typer.Option(min=1000, help="Responses in the history that one sample is asked of.")
    ] = 10_000_000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Rows a second into the history, beside the bare client; and milliseconds for one sample's history among millions."""
    from mainstem.cli.history import OF_SAMPLE  # noqa: PLC0415
    from mainstem.errors import StoreError  # noqa: PLC0415
    from mainstem.store import Store  # noqa: PLC0415
    from mainstem.store.bench import bench_history, bench_writes  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="mainstem-bench-") as folder, Store(url or f"chdb://{folder}/history") as opened:
        if opened.rows("SELECT 1 FROM responses LIMIT 1"):
            msg = f"{url!r} holds responses, and a bench would replace them; give a database of its own"
            raise StoreError(msg)
        found = bench_writes(opened, rows, rounds) | bench_history(opened, history_rows, list(OF_SAMPLE.values()))
        opened.execute("TRUNCATE TABLE responses")
    print(json.dumps(found) if as_json else "\n".join(f"{name:11} {value:,}" for name, value in found.items()))
