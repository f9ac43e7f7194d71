"""`mainstem import SOURCE FILE -o LOG`: make an event log of a known data set, or of one's own (`importing_own`)."""

import sys
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mainstem.cli.importing_own import START, StartOption, labelled, millis_of, table
from mainstem.cli.log_writing import (
    EncodingOption,
    LinesOption,
    OutputOption,
    SortOption,
    write_log,
)

__all__ = ["importer"]

importer = typer.Typer(
    help="Make an event log of a table: your own, or a data set that many know.",
    no_args_is_help=True,
)
importer.command()(table)
importer.command()(labelled)


class DayOrder(StrEnum):
    """What the first number of a date like 01/12/2010 is."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


class Favourite(StrEnum):
    """What Taobao's `fav` may be taken for."""

    CART = "cart"
    CLICK = "click"


@importer.command("online-retail")
def online_retail(
    file: Annotated[
        Path, typer.Argument(help="UCI Online Retail as CSV or Parquet, with its own column names.")
    ],
    output: OutputOption,
    lines: LinesOption = None,
    encoding: EncodingOption = "",
    dates: Annotated[
        DayOrder | None,
        typer.Option(help="Whether dates like 01/12/2010 have the day first or the month."),
    ] = None,
) -> None:
    """Purchases, returns and items of UCI Online Retail, the first or the second.

    Line n of an invoice gets its minute + n ms and the event id INVOICE-n, because the source has whole minutes only.
    """
    from mainstem.importers.day_order import DayOrder as Order  # not for `--help`
    from mainstem.importers.notes import Notes
    from mainstem.importers.online_retail import ALIASES, COLUMNS, events_of
    from mainstem.importers.tables import read_rows

    left_out: Counter[str] = Counter()
    notes = Notes(left_out)
    rows = read_rows(file, COLUMNS, aliases=ALIASES, encoding=encoding, notes=notes)
    events = events_of(rows, left_out, Order(dates.value) if dates else None, notes)
    write_log(file, events, left_out, output, lines, notes=notes, can_sort=False)


@importer.command()
def rees46(
    file: Annotated[
        Path,
        typer.Argument(
            help="REES46 events as CSV (packed or not) or Parquet, with its own column names."
        ),
    ],
    output: OutputOption,
    lines: LinesOption = None,
    encoding: EncodingOption = "",
    *,
    sort: SortOption = False,
) -> None:
    """Views, carts, purchases and items of REES46's multi-category store.

    A title is made of category and brand: the source has none. Rows that are there twice become duplicates.
    """
    from mainstem.importers.making import by_time
    from mainstem.importers.notes import Notes
    from mainstem.importers.rees46 import COLUMNS, events_of  # not for `--help`
    from mainstem.importers.tables import read_rows

    left_out: Counter[str] = Counter()
    notes = Notes(left_out)
    rows = read_rows(file, COLUMNS, encoding=encoding, notes=notes)
    events = events_of(by_time(rows, "event_time") if sort else rows, left_out)
    write_log(file, events, left_out, output, lines, notes=notes)


@importer.command()
def taobao(
    file: Annotated[
        Path, typer.Argument(help="Taobao UserBehavior as CSV, without a header too, or Parquet.")
    ],
    output: OutputOption,
    lines: LinesOption = None,
    encoding: EncodingOption = "",
    *,
    sort: SortOption = False,
    favourites: Annotated[
        Favourite | None, typer.Option(help="Take `fav` for this kind; else it is left out.")
    ] = None,
) -> None:
    """Views, carts, purchases and items of Taobao UserBehavior.

    Items are numbers only, so their text says little. The published file lies in the order of its users: sort it by time.
    """
    from mainstem.events import Cart, Click
    from mainstem.importers.making import by_time
    from mainstem.importers.notes import Notes
    from mainstem.importers.tables import read_rows
    from mainstem.importers.taobao import COLUMNS, events_of  # not for `--help`

    left_out: Counter[str] = Counter()
    notes = Notes(left_out)
    rows = read_rows(file, COLUMNS, headless=COLUMNS, encoding=encoding, notes=notes)
    kind = {Favourite.CART: Cart, Favourite.CLICK: Click, None: None}[favourites]
    events = events_of(by_time(rows, "ts", "s") if sort else rows, left_out, favourites=kind)
    write_log(file, events, left_out, output, lines, notes=notes)


@importer.command("open-bandit")
def open_bandit(
    file: Annotated[
        Path,
        typer.Argument(
            help="Open Bandit impressions as CSV or Parquet, with its own column names."
        ),
    ],
    output: OutputOption,
    lines: LinesOption = None,
    encoding: EncodingOption = "",
    *,
    sort: SortOption = False,
) -> None:
    """Impressions, clicks and items of the Open Bandit Dataset.

    Each impression is a shopper of its own, whose features are the query. Propensities are not kept.
    """
    from mainstem.importers.making import by_time
    from mainstem.importers.notes import Notes
    from mainstem.importers.open_bandit import COLUMNS, OPTIONAL, events_of  # not for `--help`
    from mainstem.importers.tables import read_rows

    left_out: Counter[str] = Counter()
    notes = Notes(left_out)
    rows = read_rows(file, COLUMNS, optional=OPTIONAL, encoding=encoding, notes=notes)
    events = events_of(by_time(rows, "timestamp") if sort else rows, left_out)
    write_log(file, events, left_out, output, lines, notes=notes)


@importer.command("home-depot")
def home_depot(
    file: Annotated[Path, typer.Argument(help="Home Depot's train.csv, or the same as Parquet.")],
    output: OutputOption,
    relevant_from: Annotated[
        float, typer.Option(min=1, max=3, help="From this grade on the label is yes.")
    ] = 2.5,
    start: StartOption = START,
    lines: LinesOption = None,
    encoding: EncodingOption = "",
) -> None:
    """Queries and titles of Home Depot, graded by people: labelled pairs, to trust or to replay."""
    from mainstem.importers.home_depot import COLUMNS, events_of  # not for `--help`
    from mainstem.importers.notes import Notes
    from mainstem.importers.tables import read_rows

    labels: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    notes = Notes(left_out)
    rows = read_rows(file, COLUMNS, encoding=encoding, notes=notes)
    events = events_of(rows, millis_of(start), relevant_from, labels, left_out)
    write_log(file, events, left_out, output, lines, notes=notes)
    told = ", ".join(f"{count:,} {label}" for label, count in sorted(labels.items()))
    print(f"  relevant from {relevant_from:g}: {told}", file=sys.stderr)
