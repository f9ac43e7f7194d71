"""A named question to the history: its SQL and the type of its rows, kept together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from mainstem.store.store import Store

__all__ = ["Query"]

Row = TypeVar("Row", bound=NamedTuple)


@dataclass(frozen=True)
class Query(Generic[Row]):
    """A question with a name.

    Attributes:
        row: the type of its rows; its fields are the columns, in order.
        sql: the question; `{name:Type}` stands for a parameter.

    Example:
        >>> class Count(NamedTuple):
        ...     rows: int
        >>> Query(Count, "SELECT count() FROM samples").typed([(3,)])
        [Count(rows=3)]
    """

    row: type[Row]
    sql: str

    def of(self, store: Store, **parameters: Any) -> list[Row]:
        """All rows of its answer."""
        return self.typed(store.rows(self.sql, **parameters))

    def stream(self, store: Store, **parameters: Any) -> Iterator[Row]:
        """The rows of its answer one by one, in bounded memory."""
        return (self.row(*row) for row in store.stream(self.sql, **parameters))

    def typed(self, rows: Iterable[tuple[Any, ...]]) -> list[Row]:
        """Rows of an answer that came another way, like that of the process that has the home open."""
        return [self.row(*row) for row in rows]
