"""`mainstem import SOURCE FILE -o LOG`: make an event log of a known data set."""

import gzip
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["importer"]

importer = typer.Typer(help="Make an event log of a known data set.", no_args_is_help=True)


@importer.callback()
def _group() -> None:
    """Keeps `online-retail` a sub-command while it is the only one."""


@importer.command("online-retail")
def online_retail(
    file: Annotated[Path, typer.Argument(help="UCI Online Retail as CSV or Parquet, with its own column names.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The log to write; gzip where it ends in .gz, - for stdout.")
    ],
    lines: Annotated[int | None, typer.Option(min=1, help="Stop after so many purchases and returns.")] = None,
) -> None:
    """Purchases, returns and items of UCI Online Retail.

    Line n of an invoice gets its minute + n ms and the event id INVOICE-n, because the source has whole minutes only.
    """
    from mainstem.cli.tables import working  # noqa: PLC0415 - rich is slow to import
    from mainstem.events import Item, encode  # noqa: PLC0415
    from mainstem.events.online_retail import events_of, read_rows  # noqa: PLC0415

    left_out: Counter[str] = Counter()
    written: Counter[str] = Counter()
    events = events_of(read_rows(file), left_out)
    with working(f"reading {file.name}"), _opened(output) as log:
        for event in events:
            log.write(encode(event) + b"\n")
            written[type(event).__name__.lower()] += 1
            if lines and not isinstance(event, Item) and written["purchase"] + written["return"] == lines:
                break
    _tell(written, left_out, output)


def _tell(written: Counter[str], left_out: Counter[str], output: Path) -> None:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(written.items()))
    print(f"wrote {kinds} events to {output}", file=sys.stderr)
    for reason, count in left_out.most_common():
        print(f"  left out {count:,} rows: {reason}", file=sys.stderr)


@contextmanager
def _opened(path: Path) -> "Iterator[IO[bytes]]":
    """The log to write, moved to its place when it is whole."""
    if str(path) == "-":
        yield sys.stdout.buffer
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.half")
    with half.open("wb") as file:
        if path.suffix == ".gz":
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as zipped:  # the same bytes every time
                yield zipped  # type: ignore[misc]  # a file of bytes in all that is used of it
        else:
            yield file
    half.replace(path)
