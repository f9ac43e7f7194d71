"""`mainstem import table` and `mainstem import labelled`: what a shop, or anybody with labelled texts, has of their own."""

import shlex
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from mainstem.cli.log_writing import (
    EncodingOption,
    LinesOption,
    OutputOption,
    SortOption,
    write_log,
)
from mainstem.cli.whole_files import is_stdout
from mainstem.printable import printable

__all__ = ["START", "StartOption", "labelled", "millis_of", "table"]

START: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - as typer reads one; `millis_of` takes it for UTC
StartOption = Annotated[
    datetime,
    typer.Option(
        help="Time of the first row, UTC, where the source has none; each next is a second later."
    ),
]


def table(
    file: Annotated[Path, typer.Argument(help="CSV, JSON lines or Parquet.")],
    output: OutputOption,
    columns: Annotated[
        Path, typer.Option("--map", help="TOML file that says which column is what.")
    ],
    lines: LinesOption = None,
    encoding: EncodingOption = "",
    *,
    sort: SortOption = False,
) -> None:
    """A shop's own table, by a map of its columns; docs/your-own-log.md shows one."""
    from mainstem.importers.notes import Notes
    from mainstem.importers.table import events_of  # not for `--help`
    from mainstem.importers.table_map import read_map
    from mainstem.importers.tables import read_rows

    left_out: Counter[str] = Counter()
    found, notes = read_map(columns), Notes(left_out)
    rows = read_rows(
        file,
        found.columns,
        encoding=encoding or found.file.encoding,
        dialect=found.dialect,
        notes=notes,
    )
    events = events_of(rows, found, left_out, in_time_order=sort)
    write_log(
        file,
        events,
        left_out,
        output,
        lines,
        notes=notes,
        beside=[columns],
        only_items=found.only_items,
    )


def labelled(
    file: Annotated[Path, typer.Argument(help="CSV, JSON lines or Parquet.")],
    output: OutputOption,
    text: Annotated[str, typer.Option(help="Column of the text.")],
    label: Annotated[str, typer.Option(help="Column of its label.")],
    pair: Annotated[
        str, typer.Option(help="Column of a second text that it is read together with.")
    ] = "",
    time: Annotated[str, typer.Option(help="Column of the time.")] = "",
    time_format: Annotated[
        str, typer.Option(help="s, ms, us, or a pattern like '%d/%m/%Y %H:%M'; empty: ISO 8601.")
    ] = "",
    zone: Annotated[str, typer.Option(help="Time zone of times that name none.")] = "UTC",
    user: Annotated[str, typer.Option(help="Column of who wrote it.")] = "",
    id: Annotated[  # noqa: A002
        str, typer.Option(help="Column of an id; without one it is made of the content.")
    ] = "",
    category: Annotated[
        str, typer.Option(help="Column of a category, to look at the history by.")
    ] = "",
    names: Annotated[
        str, typer.Option(help="What labels are called: 0=world,1=sports; others are left out.")
    ] = "",
    start: StartOption = START,
    lines: LinesOption = None,
    encoding: EncodingOption = "",
    *,
    sort: SortOption = False,
) -> None:
    """Any labelled texts, or pairs of texts, of two or more classes.

    Ends with the line that sets the classes, on stdout where the log does not go there.
    """
    from mainstem.importers.labelled import LabelledColumns, classes_of, events_of, parse_names
    from mainstem.importers.notes import Notes
    from mainstem.importers.tables import read_rows

    columns = LabelledColumns(
        text=text,
        label=label,
        pair=pair,
        time=time,
        user=user,
        id=id,
        category=category,
        time_format=time_format,
        zone=zone,
        start=millis_of(start),
        names=parse_names(names),
    )
    left_out: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    notes = Notes(left_out)
    events = events_of(
        read_rows(file, columns.columns, encoding=encoding, notes=notes), columns, left_out, labels
    )
    if sort:
        events = iter(sorted(events, key=lambda event: event.event_timestamp))
    write_log(file, events, left_out, output, lines, notes=notes)
    for name, count in labels.most_common():
        print(f"  {count:,} of class {printable(name)}", file=sys.stderr)
    classes = f"MAINSTEM_OBJECTIVES__CLASSES={shlex.quote(classes_of(labels, columns.names))}"
    print(classes, file=sys.stderr if is_stdout(output) else sys.stdout)


def millis_of(start: datetime) -> int:
    """Milliseconds since 1970 of a time given at the command line."""
    from mainstem.importers.values import time_reader  # not for `--help`

    return time_reader()(start)
