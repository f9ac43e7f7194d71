"""A named query: SQL together with the type of its rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from mainstem.store.store import Store

__all__ = ["Query", "Row"]

Row = TypeVar("Row", bound=NamedTuple)


@dataclass(frozen=True)
class Query(Generic[Row]):
    """A query whose rows have a type.

    Attributes:
        row: type of the rows; its fields are the columns, in order.
        sql: the statement; `{name:Type}` stands for a parameter.

    Example:
        >>> class Count(NamedTuple):
        ...     rows: int
        >>> Query(Count, "SELECT count() FROM samples").typed([(3,)])
        [Count(rows=3)]
    """

    row: type[Row]
    sql: str

    def of(self, store: Store, **parameters: Any) -> list[Row]:
        """Run the query and return all rows."""
        return self.typed(store.rows(self.sql, **parameters))

    def stream(self, store: Store, **parameters: Any) -> Iterator[Row]:
        """Run the query and yield the rows one by one, in bounded memory."""
        return (self.row(*row) for row in store.stream(self.sql, **parameters))

    def typed(self, rows: Iterable[tuple[Any, ...]]) -> list[Row]:
        """Give the type to rows that were read elsewhere, as by the process that holds the home."""
        return [self.row(*row) for row in rows]
