"""The history: one class over clickhouse-connect, for chDB and for a ClickHouse server alike.

Rows are written in bulk and column by column; writing a row twice is the same as writing it once
(`migrations/`). Queries read through the views or with FINAL, so it does not matter when the engine
merges.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any, Self, TypeAlias

from numpy.typing import NDArray

from mainstem.errors import StoreError
from mainstem.settings.urls import scheme_of
from mainstem.store.complaints import complaint_of, first_line
from mainstem.store.connecting import client_errors, connect, database_of
from mainstem.store.question import one_question

__all__ = ["Columns", "Store"]

Columns: TypeAlias = Mapping[str, Sequence[Any] | NDArray[Any]]
"""The columns of some rows by name, all of one length."""


class Store:
    """An open history.

    Args:
        url: `chdb:///folder`, or `clickhouse://user:password@host:port/database`; a URL that names
            no database means `mainstem`.
        make: whether to make the database, tables and views that are missing. A program that only
            asks passes false: an embedded history must then exist, and the history of a server
            stays as it is.

    Attributes:
        url: URL that it was opened with.
        database: name of its database.
        client: client of clickhouse-connect.

    Raises:
        StoreError: if it cannot be opened, or does not exist and `make` is false.

    Example:
        >>> import tempfile
        >>> with Store(f"chdb://{tempfile.mkdtemp()}") as store:
        ...     store.write("trusted", {"sample_id": [], "part": [], "origin": []})
        ...     store.rows("SELECT count() FROM trusted")
        [(0,)]
    """

    def __init__(self, url: str, *, make: bool = True) -> None:
        self.url = url
        self.database = database_of(url)
        self.client = connect(url, make=make)
        if make or scheme_of(url) == "chdb":
            self._migrate()
        self.client.database = self.database

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the engine, so that another process may open the same folder."""
        self.client.close()

    def write(self, table: str, columns: Columns) -> None:
        """Append rows.

        When it returns, the engine has the rows: they survive a kill of this process.

        Args:
            table: name of the table.
            columns: columns by name, all of one length; nothing is written if they are empty.

        Raises:
            StoreError: if the engine does not take them.
        """
        if not columns or not len(next(iter(columns.values()))):
            return
        try:
            self.client.insert(
                table, list(columns.values()), column_names=list(columns), column_oriented=True
            )
        except client_errors() as error:
            msg = f"cannot write to {table!r}: {first_line(error)}"
            raise StoreError(msg) from error

    def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a query and return all rows.

        Args:
            sql: the query; `{name:Type}` in it stands for a parameter.
            parameters: values of the parameters.

        Raises:
            StoreError: if the engine cannot answer it.
        """
        return [tuple(row) for row in self._query(sql, parameters).result_rows]

    def stream(self, sql: str, **parameters: Any) -> Iterator[tuple[Any, ...]]:
        """Run a query and yield its rows one by one, in bounded memory."""
        try:
            with self.client.query_rows_stream(sql, parameters=parameters) as rows:
                yield from (tuple(row) for row in rows)
        except client_errors() as error:
            raise StoreError(first_line(error)) from error

    def ask(self, sql: str, /, **parameters: Any) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Answer a user's question, which may only read.

        Args:
            sql: one statement; `{name:Type}` in it stands for a parameter.
            parameters: values of the parameters.

        Returns:
            Column names, and rows.

        Raises:
            StoreError: if the question is wrong, holds several statements, or would write.
        """
        question = one_question(sql)
        result = self._asked(question, question, parameters)
        names = tuple(result.column_names)
        if not names:  # subtle: an answer without rows comes without its header
            found = self._asked(f"DESCRIBE (\n{question}\n)", question, parameters)
            names = tuple(_text(name) for name, *_ in found.result_rows)
        return names, [tuple(_text(value) for value in row) for row in result.result_rows]

    def execute(self, sql: str, **parameters: Any) -> None:
        """Run one statement that returns no rows."""
        try:
            self.client.command(sql, parameters=parameters)
        except client_errors() as error:
            raise StoreError(first_line(error)) from error

    def _asked(self, sql: str, question: str, parameters: Mapping[str, Any]) -> Any:
        try:
            # subtle: asked for text, the driver turns bytes that are no UTF-8 into hex digits,
            # which look like text
            formats, settings = {"String": "bytes"}, {"readonly": 1}
            return self.client.query(
                sql, parameters=dict(parameters), settings=settings, query_formats=formats
            )
        except client_errors() as error:
            raise StoreError(complaint_of(error, question, self.rows)) from error

    def _query(self, sql: str, parameters: Mapping[str, Any]) -> Any:
        try:
            return self.client.query(sql, parameters=dict(parameters))
        except client_errors() as error:
            raise StoreError(first_line(error)) from error

    def _migrate(self) -> None:
        self.execute(f"CREATE DATABASE IF NOT EXISTS {self.database}")
        self.client.database = self.database
        self.execute(
            "CREATE TABLE IF NOT EXISTS migrations (number UInt32, name String) "
            "ENGINE = ReplacingMergeTree ORDER BY number"
        )
        done = {number for (number,) in self.rows("SELECT number FROM migrations")}
        for number, name, statements in migrations():
            if number not in done:
                for statement in statements:
                    self.execute(statement)
                self.write("migrations", {"number": [number], "name": [name]})


def migrations() -> Iterator[tuple[int, str, list[str]]]:
    """Number, name and statements of each migration, in order.

    Every statement may run twice (IF NOT EXISTS, OR REPLACE), so a migration that was interrupted
    starts again from its first statement.
    """
    folder = resources.files("mainstem.store.migrations")
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            code = "\n".join(
                line for line in file.read_text().splitlines() if not line.startswith("--")
            )
            statements = [
                statement.strip() for statement in code.split(";\n") if statement.strip(" ;\n")
            ]
            yield int(file.name[:4]), file.name, [statement.rstrip(";") for statement in statements]


def _text(value: Any) -> Any:
    """Decode the bytes in a value of an answer, where they are UTF-8."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    if isinstance(value, list | tuple):
        return type(value)(_text(one) for one in value)
    if isinstance(value, dict):
        return {_text(key): _text(one) for key, one in value.items()}
    return value
