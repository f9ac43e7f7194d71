"""The map of a shop's own table: a TOML file that says which column holds what.

The map is checked before the first row is read. An example:

time = "created_at"                  # or { column, format, zone }, or { always = "2026-01-01" }
user = "customer"
[kind]
column = "action"                    # or always = "purchase"
values = { detail = "view", add_to_basket = "cart", order = "purchase" }
[item]
id = "sku"
title = "name"
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

import msgspec
from msgspec import Struct

from mainstem.errors import ImportSourceError
from mainstem.importers.csv_rows import Dialect
from mainstem.importers.grading import GradeColumn
from mainstem.importers.names import label_of

__all__ = [
    "FileForm",
    "ItemColumns",
    "KindColumn",
    "PageColumns",
    "TableMap",
    "TimeColumn",
    "read_map",
]

Kind: TypeAlias = Literal[
    "search", "impression", "view", "click", "cart", "purchase", "return", "item", "labelled"
]
Sign: TypeAlias = Annotated[str, msgspec.Meta(max_length=1)]


class TimeColumn(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a row's time is and how it is written.

    Attributes:
        column: name of the column; empty if `always` is given.
        always: one time for all rows; empty if `column` is given.
        format, zone: how times are written (see `values.time_reader`).
    """

    column: str = ""
    always: str = ""
    format: str = ""
    zone: str = "UTC"


class KindColumn(Struct, frozen=True, forbid_unknown_fields=True):
    """Which kind of event a row is.

    Attributes:
        column: name of the column that tells; empty if `always` is given.
        values: the kind of event for each value of the column; rows with other values are left out.
        always: the kind of every row; None if `column` is given.
    """

    column: str = ""
    values: dict[str, Kind] = {}
    always: Kind | None = None


class ItemColumns(Struct, frozen=True, forbid_unknown_fields=True):
    """Which columns describe the item of a row.

    Attributes:
        id: name of the column with the item's id.
        title: name of the column with its title; empty if the table has none. Without a title the
            table makes no item events, so another table must.
        category, brand, price: names of further columns; empty if the table has none.
    """

    id: str
    title: str = ""
    category: str = ""
    brand: str = ""
    price: str = ""


class PageColumns(Struct, frozen=True, forbid_unknown_fields=True):
    """Which columns describe a page that was shown. Rows with the same page id are one impression.

    Attributes:
        id: name of the column with the id of the page.
        position: name of the column with the item's position; empty if the table has none.
        clicked: name of the column that says whether the item was clicked; empty if the table has
            none.
    """

    id: str
    position: str = ""
    clicked: str = ""


class FileForm(Struct, frozen=True, forbid_unknown_fields=True):
    """How the file is written, where that cannot be seen in the file itself.

    Attributes:
        encoding: encoding of the text; empty to find it.
        delimiter, quote, escape: characters of a CSV (see `csv_rows.Dialect`).
    """

    encoding: str = ""
    delimiter: Sign = ""
    quote: Sign = '"'
    escape: Sign = ""


class TableMap(Struct, frozen=True, forbid_unknown_fields=True):
    """The columns of a table. An empty name means that the table has no such column.

    Attributes:
        time: column of the time, or how to read it.
        kind: how to tell the kind of a row; None if every row is an item of an impression.
        item: columns of the item; None if the table has none.
        page: columns of the page that was shown; None if the table has none.
        grade: where grades are; None if the table has none. A row with a grade that is an item of
            an impression becomes a labelled pair of query and title, too.
        user, session, id, query, quantity: names of columns.
        decimal: character before the fraction of a number, `.` or `,`; given, thousands may be
            separated. Empty: `.`, and no separators.
        currency: sign or code that may stand before or after a price.
        file: how the file is written.
    """

    time: str | TimeColumn
    kind: KindColumn | None = None
    item: ItemColumns | None = None
    page: PageColumns | None = None
    grade: GradeColumn | None = None
    user: str = ""
    session: str = ""
    id: str = ""
    query: str = ""
    quantity: str = ""
    decimal: Literal["", ".", ","] = ""
    currency: str = ""
    file: FileForm = FileForm()

    @property
    def dialect(self) -> Dialect:
        """Delimiter, quote and escape of a CSV."""
        return Dialect(self.file.delimiter, self.file.quote, self.file.escape)

    @property
    def only_items(self) -> bool:
        """Whether every row becomes an item event."""
        return set(self.kinds.values()) == {"item"}

    @property
    def when(self) -> TimeColumn:
        """The time in its long form, even if the map gives a column name only."""
        return TimeColumn(self.time) if isinstance(self.time, str) else self.time

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of event for each value of the kind's column; or the kind of all rows, by ""."""
        if self.kind is None:
            return {"": "impression"}
        if self.kind.always:
            return {"": self.kind.always}
        return {label_of(value): kind for value, kind in self.kind.values.items()}

    @property
    def columns(self) -> list[str]:
        """The columns that the table must have."""
        kind = self.kind.column if self.kind else ""
        grade = self.grade.column if self.grade else ""
        parts = [kind, self.user, self.session, self.id, self.query, self.quantity, grade]
        for part in (self.item, self.page):
            parts += msgspec.structs.astuple(part) if part else ()
        return list(dict.fromkeys(name for name in (self.when.column, *parts) if name))


_KEYS: Final[dict[str, Any]] = {
    "$": TableMap,
    "$.time": TimeColumn,
    "$.kind": KindColumn,
    "$.item": ItemColumns,
    "$.page": PageColumns,
    "$.grade": GradeColumn,
    "$.file": FileForm,
}


def read_map(path: Path) -> TableMap:
    r"""Read and check a map.

    Raises:
        ImportSourceError: if the file is missing or not TOML, has an unknown key, or leaves out
            something that its kinds of events need.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "map.toml"
        ...     _ = path.write_text('time="at"\nuser="who"\nkind.always="view"\nitem.id="sku"\n')
        ...     read_map(path).columns
        ['at', 'who', 'sku']
    """
    try:
        table = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8-sig")), TableMap)
    except OSError as error:
        msg = f"cannot read the map {str(path)!r}: {error.strerror}; check the path"
        raise ImportSourceError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = (
            f"the map {str(path)!r} is not TOML ({error}); "
            "docs/your-own-log.md has an example to begin with"
        )
        raise ImportSourceError(msg) from error
    except msgspec.ValidationError as error:
        msg = f"the map {str(path)!r}: {_explained(str(error))}"
        raise ImportSourceError(msg) from error
    if wrong := _wrong(table):
        msg = f"the map {str(path)!r} {wrong}"
        raise ImportSourceError(msg)
    return table


def _explained(message: str) -> str:
    """The message of msgspec in the words of the map, with the keys or kinds that it may have."""
    reason, _, where = message.partition(" - at `")
    where = where.rstrip("`") or "$"
    what = reason.removeprefix("Object contains ").removeprefix("Object ").replace("field", "key")
    if where in _KEYS and "field" in reason:
        return (
            f"{what} in {_place(where)}; its keys are {', '.join(_KEYS[where].__struct_fields__)}"
        )
    kinds = f"; the kinds are {', '.join(get_args(Kind))}" if "enum" in reason else ""
    return f"{_place(where)}: {reason[0].lower()}{reason[1:].replace('enum value', 'kind')}{kinds}"


def _place(where: str) -> str:
    return "the map" if where == "$" else where.removeprefix("$.").removesuffix("[...]")


def _wrong(table: TableMap) -> str:
    """Why a map cannot be used; empty if it can."""
    when, kind, item, page = table.when, table.kind, table.item, table.page
    kinds = set(table.kinds.values())
    of_shoppers = ", ".join(sorted(kinds - {"item"}))
    of_items = ", ".join(sorted(kinds - {"search"}))
    unclear = kind is not None and (
        bool(kind.column) == bool(kind.always) or bool(kind.column) != bool(kind.values)
    )
    found = {
        "must name the column of the time by time = 'COLUMN', "
        "or give one time for all rows by time.always = '2026-01-01'": (
            bool(when.column) == bool(when.always)
        ),
        "does not say what a row is; "
        "add kind.column and kind.values, or kind.always, or page.id for items shown": (
            kind is None and page is None
        ),
        "must give the kind either by kind.column and kind.values or by kind.always": unclear,
        "has impressions, so it must say which rows were shown together; add page.id = 'COLUMN'": (
            "impression" in kinds and page is None
        ),
        "has page.clicked, but no row is an impression; leave it out": (
            page is not None and page.clicked != "" and "impression" not in kinds
        ),
        f"has {of_shoppers} events, so it must say whose they are; add user = 'COLUMN'": (
            of_shoppers != "" and not table.user
        ),
        f"has {of_items} events, so it must say of which item; add item.id = 'COLUMN'": (
            of_items != "" and item is None
        ),
        "has item or labelled events, so it must say what items are called; "
        "add item.title = 'COLUMN'": (
            not kinds.isdisjoint({"item", "labelled"}) and item is not None and not item.title
        ),
        "has search or labelled events, so it must say what was searched for; "
        "add query = 'COLUMN'": (not kinds.isdisjoint({"search", "labelled"}) and not table.query),
        "has labelled events, so it must say how relevant an item is; add grade.column": (
            "labelled" in kinds and table.grade is None
        ),
        "has grades, which belong to a query and a title; "
        "add query and item.title to rows of kind impression or labelled": (
            table.grade is not None
            and (kinds.isdisjoint({"impression", "labelled"}) or not _has_pairs(table))
        ),
        "has a grade.lowest that is not below grade.highest": (
            table.grade is not None and not table.grade.lowest < table.grade.highest
        ),
    }
    return next((message for message, is_wrong in found.items() if is_wrong), "")


def _has_pairs(table: TableMap) -> bool:
    return bool(table.query and table.item and table.item.title)
