"""A row of a table with its number, and the columns that an importer wants."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mainstem.errors import ImportSourceError
from mainstem.importers.notes import excerpt

__all__ = ["Row", "Wanted", "number_of_row", "part_of"]


class Row(dict[str, Any]):
    """The cells of a row by the names of their columns.

    Attributes:
        number: number of the row in its file; the first row after the header is 1.

    Example:
        >>> row = Row({"sku": "A1"}, number=7)
        >>> row == {"sku": "A1"}, row.number
        (True, 7)
    """

    def __init__(
        self, cells: Iterable[tuple[str, Any]] | Mapping[str, Any], *, number: int
    ) -> None:
        super().__init__(cells)
        self.number = number


def number_of_row(row: Mapping[str, Any], place: int) -> int:
    """Return the number of a row in its file, or `place` if the row is a plain mapping."""
    return row.number if isinstance(row, Row) else place


class Wanted:
    """The columns that are read from a table.

    Args:
        columns: columns that the table must have.
        optional: columns that are read if the table has them.
        aliases: the name of a column, by another name under which files may have it.

    Example:
        >>> wanted = Wanted(["InvoiceNo"], aliases={"Invoice": "InvoiceNo"})
        >>> wanted.missing(["Invoice"]), wanted.missing(["Rechnung"])
        ([], ['InvoiceNo'])
    """

    def __init__(
        self,
        columns: Sequence[str],
        optional: Sequence[str] = (),
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self.columns = list(columns)
        self.optional = list(optional)
        whole = {
            unicodedata.normalize("NFC", name): name for name in self.all if not name.isascii()
        }
        self._aliases = {**whole, **(aliases or {})}

    @property
    def all(self) -> list[str]:
        """The required columns, then the optional columns."""
        return list(dict.fromkeys([*self.columns, *self.optional]))

    @property
    def tops(self) -> list[str]:
        """The names that a top-level column may have: both `user.id` and `user` for `user.id`."""
        whole = [*self.all, *self._aliases]
        return list(dict.fromkeys([*whole, *(name.split(".")[0] for name in whole)]))

    def renamed(self, names: Sequence[str]) -> list[str]:
        """Replace aliases among the names of a file, unless the file has the proper name, too."""
        whole = [name if name.isascii() else unicodedata.normalize("NFC", name) for name in names]
        return [
            self._aliases[plain]
            if plain in self._aliases and self._aliases[plain] not in names
            else name
            for name, plain in zip(names, whole, strict=True)
        ]

    def missing(self, names: Sequence[str]) -> list[str]:
        """Return the required columns that are not among the names of a file."""
        found = set(self.renamed(names))
        return [name for name in self.columns if name not in found]

    def checked(self, names: Sequence[str], path: Path) -> list[str]:
        """Replace aliases among the names of a file, and check the result.

        Args:
            names: names of the columns, in the order of the file.
            path: the file's name in messages.

        Raises:
            ImportSourceError: if a required column is missing, or a column that is read appears
                twice.
        """
        found = self.renamed(names)
        if missing := [name for name in self.columns if name not in found]:
            shown = [excerpt(name) for name in names[:50]]
            msg = f"{str(path)!r} lacks the columns {missing}; it has {shown!r}"
            raise ImportSourceError(msg)
        for name in self.all:
            places = [place for place, one in enumerate(found, start=1) if one == name]
            if len(places) > 1:
                numbers = " and ".join(map(str, places))
                msg = (
                    f"{str(path)!r} has {len(places)} columns called {name!r}, {numbers}; "
                    "rename all but one"
                )
                raise ImportSourceError(msg)
        return found


def part_of(row: Mapping[str, Any], name: str) -> Any:
    """Return the cell of a column, or a part of a cell by a dotted path; None if the row lacks it.

    Example:
        >>> row = {"user": {"id": 5}, "skus": ["A1"], "a.b": 1}
        >>> [part_of(row, name) for name in ("user.id", "skus.0", "a.b", "user.name")]
        [5, 'A1', 1, None]
    """
    if name in row or "." not in name:
        return row.get(name)
    found: Any = row
    for step in name.split("."):
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found
