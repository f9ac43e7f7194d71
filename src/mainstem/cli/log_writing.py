"""What `mainstem import` commands share: they write a log, and tell what is in it and what was left out."""

import gzip
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from mainstem.errors import ImportSourceError
from mainstem.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mainstem.events import Event

__all__ = ["LinesOption", "OutputOption", "SortOption", "open_whole", "write_log"]

_GRACE: Final = 600_000  # milliseconds; the default of the setting `grace`
_REASONS: Final = 20  # that are told one by one

OutputOption: TypeAlias = Annotated[
    Path, typer.Option("-o", "--output", help="The log to write; gzip where it ends in .gz, - for stdout.")
]
SortOption: TypeAlias = Annotated[
    bool, typer.Option("--sort", help="Put the rows in the order of time first; holds them all in memory.")
]
LinesOption: TypeAlias = Annotated[int | None, typer.Option(min=1, help="Stop after so many events other than items.")]


def write_log(
    source: Path,
    events: "Iterable[Event]",
    left_out: Counter[str],
    output: Path,
    lines: int | None = None,
    *,
    can_sort: bool = True,
) -> None:
    """Write the events that a replay will accept, and tell on stderr how many of each kind, and what was left out.

    Args:
        source: what is read.
        events: what it gives.
        left_out: counted while `events` is read.
        output: the log.
        lines: stop after so many events other than items.
        can_sort: whether the command has `--sort`.

    Raises:
        ImportSourceError: if nothing came out, or the log cannot be written.
    """
    from mainstem.cli.tables import working  # noqa: PLC0415 - rich is slow to import
    from mainstem.events import Item, encode  # noqa: PLC0415
    from mainstem.events.importers.making import accepted  # noqa: PLC0415

    written: Counter[str] = Counter()
    newest, back, asked = 0, 0, 0
    with working(f"reading {source.name}"), open_whole(output) as log:
        for event in accepted(events, left_out):
            log.write(encode(event) + b"\n")
            written[type(event).__name__.lower()] += 1
            back += event.event_timestamp < newest - _GRACE
            newest = max(newest, event.event_timestamp)
            asked += not isinstance(event, Item)
            if lines and asked == lines:
                break
        _tell(written, left_out, output)
        if not written:
            msg = f"no row of {str(source)!r} became an event{'; the reasons are above' if left_out else ': it has none'}"
            raise ImportSourceError(msg)
    if back:
        order = "--sort puts them in order" if can_sort else "sort the source by its time first"
        print(f"  {back:,} events come more than ten minutes after a later one; {order}", file=sys.stderr)


def _tell(written: Counter[str], left_out: Counter[str], output: Path) -> None:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(written.items())) or "no"
    print(f"wrote {kinds} events to {printable(str(output))}", file=sys.stderr)
    for reason, count in left_out.most_common(_REASONS):
        print(f"  left out {count:,} rows: {printable(reason)}", file=sys.stderr)
    if others := sum(left_out.values()) - sum(count for _, count in left_out.most_common(_REASONS)):
        print(f"  left out {others:,} rows for {len(left_out) - _REASONS:,} other reasons", file=sys.stderr)


@contextmanager
def open_whole(path: Path) -> "Iterator[IO[bytes]]":
    """The log to write, moved to its place when it is whole."""
    if str(path) == "-":
        yield sys.stdout.buffer
        return
    half = path.with_name(f"{path.name}.half")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = half.open("wb")
    except OSError as error:
        msg = f"cannot write the log {str(path)!r}: {error.strerror}; name another place"
        raise ImportSourceError(msg) from error
    try:
        with file:
            if path.suffix == ".gz":
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as zipped:  # the same bytes every time
                    yield zipped  # type: ignore[misc]  # a file of bytes in all that is used of it
            else:
                yield file
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
