"""`mainstem import SOURCE FILE -o LOG`: make an event log from a known data set or an own table."""

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
    help="Make an event log from your own table, or from a well-known data set.",
    no_args_is_help=True,
)
importer.command()(table)
importer.command()(labelled)


class DayOrder(StrEnum):
    """Whether the first number of a date like 01/12/2010 is the day or the month."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


class Favourite(StrEnum):
    """The kind of event that Taobao's `fav` becomes."""

    CART = "cart"
    CLICK = "click"


@importer.command("online-retail")
def online_retail(
    file: Annotated[
        Path,
        typer.Argument(help="UCI Online Retail as CSV or Parquet, with its original column names."),
    ],
    output: OutputOption,
    lines: LinesOption = None,
    encoding: EncodingOption = "",
    dates: Annotated[
        DayOrder | None,
        typer.Option(help="Whether a date like 01/12/2010 begins with the day or with the month."),
    ] = None,
) -> None:
    """Import purchases, returns and items of UCI Online Retail, the first or the second.

    The source has whole minutes only, so line n of an invoice gets the minute
    of the invoice plus n ms. Its event id is INVOICE-n.
    """
    from mainstem.importers.day_order import DayOrder as Order  # slow to import
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
            help="REES46 events as CSV, packed or not, or Parquet, with the original column names."
        ),
    ],
    output: OutputOption,
    lines: LinesOption = None,
    encoding: EncodingOption = "",
    *,
    sort: SortOption = False,
) -> None:
    """Import views, carts, purchases and items of REES46's multi-category store.

    The source has no titles, so a title is made of category and brand. A row
    that occurs twice becomes a duplicate event.
    """
    from mainstem.importers.making import by_time
    from mainstem.importers.notes import Notes
    from mainstem.importers.rees46 import COLUMNS, events_of  # slow to import
    from mainstem.importers.tables import read_rows

    left_out: Counter[str] = Counter()
    notes = Notes(left_out)
    rows = read_rows(file, COLUMNS, encoding=encoding, notes=notes)
    events = events_of(by_time(rows, "event_time") if sort else rows, left_out)
    write_log(file, events, left_out, output, lines, notes=notes)


@importer.command()
def taobao(
    file: Annotated[
        Path,
        typer.Argument(help="Taobao UserBehavior as CSV, with or without a header, or Parquet."),
    ],
    output: OutputOption,
    lines: LinesOption = None,
    encoding: EncodingOption = "",
    *,
    sort: SortOption = False,
    favourites: Annotated[
        Favourite | None,
        typer.Option(help="Import `fav` as this kind of event; by default it is left out."),
    ] = None,
) -> None:
    """Import views, carts, purchases and items of Taobao UserBehavior.

    Items have only numbers, so their texts say little. The published file is in
    the order of its users: give --sort.
    """
    from mainstem.events import Cart, Click
    from mainstem.importers.making import by_time
    from mainstem.importers.notes import Notes
    from mainstem.importers.tables import read_rows
    from mainstem.importers.taobao import COLUMNS, events_of  # slow to import

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
            help="Open Bandit impressions as CSV or Parquet, with the original column names."
        ),
    ],
    output: OutputOption,
    lines: LinesOption = None,
    encoding: EncodingOption = "",
    *,
    sort: SortOption = False,
) -> None:
    """Import impressions, clicks and items of the Open Bandit Dataset.

    Each impression becomes a shopper of its own, whose features are the query.
    Propensities are not kept.
    """
    from mainstem.importers.making import by_time
    from mainstem.importers.notes import Notes
    from mainstem.importers.open_bandit import COLUMNS, OPTIONAL, events_of  # slow to import
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
        float, typer.Option(min=1, max=3, help="The lowest grade whose label is yes.")
    ] = 2.5,
    start: StartOption = START,
    lines: LinesOption = None,
    encoding: EncodingOption = "",
) -> None:
    """Import queries and titles of Home Depot that people graded.

    They become labelled pairs, to add as trusted samples or to replay.
    """
    from mainstem.importers.home_depot import COLUMNS, events_of  # slow to import
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
