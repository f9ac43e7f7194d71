"""`mainstem import table` and `mainstem import labelled`: your own table or labelled texts."""

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

START: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - typer reads naive ones; `millis_of` means UTC
StartOption = Annotated[
    datetime,
    typer.Option(
        help="If the source has no time: that of the first row, UTC; each next is a second later."
    ),
]


def table(
    file: Annotated[Path, typer.Argument(help="The table: CSV, JSON lines or Parquet.")],
    output: OutputOption,
    columns: Annotated[
        Path, typer.Option("--map", help="TOML file that says what each column holds.")
    ],
    lines: LinesOption = None,
    encoding: EncodingOption = "",
    *,
    sort: SortOption = False,
) -> None:
    """Import your own table by a map of its columns; docs/your-own-log.md shows one."""
    from mainstem.importers.notes import Notes
    from mainstem.importers.table import events_of  # slow to import
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
    file: Annotated[Path, typer.Argument(help="The table: CSV, JSON lines or Parquet.")],
    output: OutputOption,
    text: Annotated[str, typer.Option(help="The column of the text.")],
    label: Annotated[str, typer.Option(help="The column of its label.")],
    pair: Annotated[
        str, typer.Option(help="The column of a second text that is read with the first.")
    ] = "",
    time: Annotated[str, typer.Option(help="The column of the time.")] = "",
    time_format: Annotated[
        str,
        typer.Option(
            help="Form of times: s, ms, us, or a pattern like '%d/%m/%Y %H:%M'; ISO 8601, if empty."
        ),
    ] = "",
    zone: Annotated[str, typer.Option(help="The time zone of times that name none.")] = "UTC",
    user: Annotated[str, typer.Option(help="The column of the author.")] = "",
    id: Annotated[  # noqa: A002
        str, typer.Option(help="The column of an id; it is made from the content, if empty.")
    ] = "",
    category: Annotated[
        str, typer.Option(help="The column of a category, by which the history can be grouped.")
    ] = "",
    names: Annotated[
        str, typer.Option(help="Names of labels: 0=world,1=sports; other labels are left out.")
    ] = "",
    start: StartOption = START,
    lines: LinesOption = None,
    encoding: EncodingOption = "",
    *,
    sort: SortOption = False,
) -> None:
    """Import labelled texts, or pairs of texts, of two or more classes.

    The last line sets the classes. It goes to stdout, or to stderr if the log
    goes to stdout.
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
    """A time given at the command line in milliseconds since 1970; it is taken to be UTC."""
    from mainstem.importers.values import time_reader  # slow to import

    return time_reader()(start)
