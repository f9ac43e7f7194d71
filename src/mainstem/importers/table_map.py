"""The map of a shop's own table: which column says what. A small TOML file, checked before a row is read.

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
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from mainstem.errors import ImportSourceError
from mainstem.importers.csv_rows import Dialect
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
    "search", "impression", "view", "click", "cart", "purchase", "return", "item"
]
Sign: TypeAlias = Annotated[str, msgspec.Meta(max_length=1)]


class TimeColumn(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a row's time stands and how it is written (`values.time_reader`); or one time for all rows."""

    column: str = ""
    always: str = ""
    format: str = ""
    zone: str = "UTC"


class KindColumn(Struct, frozen=True, forbid_unknown_fields=True):
    """Which kind of event a row is: by the value of a column, where others are left out; or always the same."""

    column: str = ""
    values: dict[str, Kind] = {}
    always: Kind | None = None


class ItemColumns(Struct, frozen=True, forbid_unknown_fields=True):
    """The item of a row. Without a title the table tells nothing to the catalogue; another one must."""

    id: str
    title: str = ""
    category: str = ""
    brand: str = ""
    price: str = ""


class PageColumns(Struct, frozen=True, forbid_unknown_fields=True):
    """What was shown together: rows with the same page id are one impression."""

    id: str
    position: str = ""
    clicked: str = ""


class FileForm(Struct, frozen=True, forbid_unknown_fields=True):
    """How the file is written, where it does not say so itself: its encoding, and the signs of a CSV."""

    encoding: str = ""
    delimiter: Sign = ""
    quote: Sign = '"'
    escape: Sign = ""


class TableMap(Struct, frozen=True, forbid_unknown_fields=True):
    """The columns of a table. What is empty is not there."""

    time: str | TimeColumn
    kind: KindColumn | None = None
    item: ItemColumns | None = None
    page: PageColumns | None = None
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
        """How a CSV is written."""
        return Dialect(self.file.delimiter, self.file.quote, self.file.escape)

    @property
    def only_items(self) -> bool:
        """Whether every row is to tell the catalogue of an item."""
        return set(self.kinds.values()) == {"item"}

    @property
    def when(self) -> TimeColumn:
        """The time, however it was written."""
        return TimeColumn(self.time) if isinstance(self.time, str) else self.time

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of event for each value of the kind's column; for every value under the key `` where it is always one."""
        if self.kind is None:
            return {"": "impression"}
        if self.kind.always:
            return {"": self.kind.always}
        return {label_of(value): kind for value, kind in self.kind.values.items()}

    @property
    def columns(self) -> list[str]:
        """Those that the table must have."""
        parts = [
            self.kind.column if self.kind else "",
            self.user,
            self.session,
            self.id,
            self.query,
            self.quantity,
        ]
        for part in (self.item, self.page):
            parts += msgspec.structs.astuple(part) if part else ()
        return list(dict.fromkeys(name for name in (self.when.column, *parts) if name))


_KEYS: Final[dict[str, Any]] = {
    "$": TableMap,
    "$.time": TimeColumn,
    "$.kind": KindColumn,
    "$.item": ItemColumns,
    "$.page": PageColumns,
    "$.file": FileForm,
}


def read_map(path: Path) -> TableMap:
    r"""Read and check a map.

    Raises:
        ImportSourceError: if it is missing, no TOML, has a key that is none, or does not say enough.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "map.toml"
        ...     _ = path.write_text('time = "at"\nuser = "who"\nkind.always = "purchase"\nitem.id = "sku"\n')
        ...     read_map(path).columns
        ['at', 'who', 'sku']
    """
    try:
        table = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8-sig")), TableMap)
    except OSError as error:
        msg = f"cannot read the map {str(path)!r}: {error.strerror}; check the path"
        raise ImportSourceError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"the map {str(path)!r} is no TOML ({error}); docs/your-own-log.md has one to begin with"
        raise ImportSourceError(msg) from error
    except msgspec.ValidationError as error:
        msg = f"the map {str(path)!r}: {_explained(str(error))}"
        raise ImportSourceError(msg) from error
    if wrong := _wrong(table):
        msg = f"the map {str(path)!r} {wrong}"
        raise ImportSourceError(msg)
    return table


def _explained(message: str) -> str:
    """What msgspec says, in the words of the map, with what to do."""
    reason, _, where = message.partition(" - at `")
    where = where.rstrip("`") or "$"
    what = reason.removeprefix("Object contains ").removeprefix("Object ").replace("field", "key")
    if where in _KEYS and "field" in reason:
        return (
            f"{what} in {_place(where)}; its keys are {', '.join(_KEYS[where].__struct_fields__)}"
        )
    kinds = f"; the kinds are {', '.join(Kind.__args__)}" if "enum" in reason else ""  # type: ignore[attr-defined]
    return f"{_place(where)}: {reason[0].lower()}{reason[1:].replace('enum value', 'kind')}{kinds}"


def _place(where: str) -> str:
    return "the map" if where == "$" else where.removeprefix("$.").removesuffix("[...]")


def _wrong(table: TableMap) -> str:
    """What keeps a map from being used; empty where nothing does."""
    when, kind, item, page, kinds = (
        table.when,
        table.kind,
        table.item,
        table.page,
        set(table.kinds.values()),
    )
    of_shoppers, of_items = (
        ", ".join(sorted(kinds - {"item"})),
        ", ".join(sorted(kinds - {"search"})),
    )
    found = {
        "must give the time by time = 'COLUMN', or one for all rows by time.always = '2026-01-01'": (
            bool(when.column) == bool(when.always)
        ),
        "does not say what a row is; add kind.column and kind.values, or kind.always, or page.id for items shown": (
            kind is None and page is None
        ),
        "must give the kind either by kind.column and kind.values or by kind.always": (
            kind is not None
            and (bool(kind.column) == bool(kind.always) or bool(kind.column) != bool(kind.values))
        ),
        "has impressions, so it must say which rows were shown together; add page.id = 'COLUMN'": (
            "impression" in kinds and page is None
        ),
        "has page.clicked, but no row is an impression; leave it out": (
            page is not None and page.clicked != "" and "impression" not in kinds
        ),
        f"has {of_shoppers} events, so it must say whose; add user = 'COLUMN'": bool(of_shoppers)
        and not table.user,
        f"has {of_items} events, so it must say of which item; add item.id = 'COLUMN'": bool(
            of_items
        )
        and item is None,
        "has item events, so it must say what they are called; add item.title = 'COLUMN'": (
            "item" in kinds and item is not None and not item.title
        ),
        "has search events, so it must say for what; add query = 'COLUMN'": "search" in kinds
        and not table.query,
    }
    return next((message for message, is_so in found.items() if is_so), "")
