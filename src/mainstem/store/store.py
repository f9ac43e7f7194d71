"""The history: one class over clickhouse-connect, for chDB in this process and for a ClickHouse server.

Writes go in column-wise and in bulk; a row written twice is the same as once (`migrations/`). What is read comes through
the views, or with FINAL, so that it does not matter when the engine merges.
"""

import atexit
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Self, TypeAlias
from urllib.parse import SplitResult, urlsplit, urlunsplit

from numpy.typing import NDArray

from mainstem.errors import SettingError, StoreError
from mainstem.settings.urls import folder_of, scheme_of, url_of
from mainstem.store.complaints import complaint_of, first_line
from mainstem.store.question import one_question

__all__ = ["DATABASE", "Columns", "Store", "has_history"]

DATABASE: Final = "mainstem"
Columns: TypeAlias = Mapping[str, Sequence[Any] | NDArray[Any]]


class Store:
    """An open history.

    Args:
        url: `chdb:///folder`, or `clickhouse://user:password@host:port/database` (the database is `mainstem` if not named).
        make: whether database, tables and views are made where they are missing. Who only asks makes none: an embedded
            history must be there, a server's is left as it is.

    Attributes:
        client: clickhouse-connect's own.

    Raises:
        StoreError: if it cannot be opened, or is not there and shall not be made.

    Example:
        >>> import tempfile
        >>> with Store(f"chdb://{tempfile.mkdtemp()}") as store:
        ...     store.write("trusted", {"sample_id": [], "part": [], "origin": []})
        ...     store.rows("SELECT count() FROM trusted")
        [(0,)]
    """

    def __init__(self, url: str, *, make: bool = True) -> None:
        self.url = url
        self.database = _database_of(url)
        self.client = _connect(url, make=make)
        if make or scheme_of(url) == "chdb":
            self._migrate()
        self.client.database = self.database

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the engine, so that another process may open the same folder."""
        self.client.close()

    def write(self, table: str, columns: Columns) -> None:
        """Append rows, given column by column; all columns of one length. Nothing happens for no rows.

        Returns once the engine has them: what is written survives a kill of this process.
        """
        if not columns or not len(next(iter(columns.values()))):
            return
        try:
            self.client.insert(
                table, list(columns.values()), column_names=list(columns), column_oriented=True
            )
        except _errors() as error:
            msg = f"cannot write to {table!r}: {first_line(error)}"
            raise StoreError(msg) from error

    def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """All rows of a query; `{name:Type}` in the query stands for a parameter."""
        return [tuple(row) for row in self._query(sql, parameters).result_rows]

    def stream(self, sql: str, **parameters: Any) -> Iterator[tuple[Any, ...]]:
        """The rows of a query one by one, in bounded memory."""
        try:
            with self.client.query_rows_stream(sql, parameters=parameters) as rows:
                yield from (tuple(row) for row in rows)
        except _errors() as error:
            raise StoreError(first_line(error)) from error

    def ask(self, sql: str, **parameters: Any) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Column names and rows of somebody's query, read-only.

        Raises:
            StoreError: if the query is wrong, is more than one statement, or would write.
        """
        question = one_question(sql)
        result = self._asked(question, question, parameters)
        names = tuple(result.column_names)
        if not names:  # subtle: an answer without rows comes without its header
            found = self._asked(f"DESCRIBE (\n{question}\n)", question, parameters)
            names = tuple(_text(name) for name, *_ in found.result_rows)
        return names, [tuple(_text(value) for value in row) for row in result.result_rows]

    def execute(self, sql: str, **parameters: Any) -> None:
        """Run one statement that gives no rows back."""
        try:
            self.client.command(sql, parameters=parameters)
        except _errors() as error:
            raise StoreError(first_line(error)) from error

    def _asked(self, sql: str, question: str, parameters: Mapping[str, Any]) -> Any:
        try:
            # subtle: of bytes that are no UTF-8 the driver makes hex digits, which nobody could tell from text
            formats, settings = {"String": "bytes"}, {"readonly": 1}
            return self.client.query(
                sql, parameters=dict(parameters), settings=settings, query_formats=formats
            )
        except _errors() as error:
            raise StoreError(complaint_of(error, question, self.rows)) from error

    def _query(self, sql: str, parameters: Mapping[str, Any]) -> Any:
        try:
            return self.client.query(sql, parameters=dict(parameters))
        except _errors() as error:
            raise StoreError(first_line(error)) from error

    def _migrate(self) -> None:
        self.execute(f"CREATE DATABASE IF NOT EXISTS {self.database}")
        self.client.database = self.database
        self.execute(
            "CREATE TABLE IF NOT EXISTS migrations (number UInt32, name String) ENGINE = ReplacingMergeTree ORDER BY number"
        )
        done = {number for (number,) in self.rows("SELECT number FROM migrations")}
        for number, name, statements in migrations():
            if number not in done:
                for statement in statements:
                    self.execute(statement)
                self.write("migrations", {"number": [number], "name": [name]})


def has_history(folder: Path) -> bool:
    """Whether an embedded history is in a folder.

    Example:
        >>> has_history(Path("/no/such/folder"))
        False
    """
    return (folder / "metadata" / f"{DATABASE}.sql").is_file()


def _database_of(url: str) -> str:
    if scheme_of(url) != "clickhouse":
        return DATABASE
    name = _server(url).path.strip("/")
    if name and not name.isidentifier():
        msg = f"a database is named with letters, digits and _; got {name!r} in the store's URL"
        raise StoreError(msg)
    return name or DATABASE


def _server(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        known = bool(parts.hostname) and not parts.fragment and (parts.port or 1) > 0
    except ValueError:  # a port that is no number, brackets of half an address
        known = False
    if not known:  # the URL itself is not shown: it may hold a password
        msg = (
            "the store's URL is not like clickhouse://user:password@host:port/database; "
            "write what is special in a name or a password as % and its code, like %23 for #"
        )
        raise StoreError(msg)
    return parts


def _connect(url: str, *, make: bool) -> Any:
    import clickhouse_connect  # a second to import
    from clickhouse_connect.datatypes.format import set_write_format

    logging.getLogger("clickhouse_connect").setLevel(
        logging.CRITICAL
    )  # what goes wrong is told once, by us
    set_write_format(
        "DateTime64", "int"
    )  # subtle: else a time must be a datetime object, a hundred times slower to make
    scheme = scheme_of(url)
    try:
        if scheme == "chdb":
            return clickhouse_connect.get_client(
                interface="chdb", path=_engine_path(_folder(url, make=make))
            )
        if scheme == "clickhouse":
            # subtle: a session would lock out a second thread; and the database may not be there yet
            server = urlunsplit(_server(url)._replace(path=""))
            return clickhouse_connect.get_client(dsn=server, autogenerate_session_id=False)
    except _errors() as error:
        place = (
            folder_of(url) if scheme == "chdb" else f"{_server(url).hostname}{_server(url).path}"
        )
        msg = f"cannot open the history {scheme}://{place}: {first_line(error)}"
        raise StoreError(msg) from error
    msg = f"a store is chdb:///folder or clickhouse://host; got {url.rpartition('@')[2]!r}"
    raise StoreError(msg)


def _folder(url: str, *, make: bool) -> Path:
    try:
        folder = folder_of(url)
    except SettingError as error:
        raise StoreError(str(error)) from error
    if not make and not has_history(folder):
        within = url_of("chdb", folder / "history")
        hint = (
            f"did you mean {within}"
            if has_history(folder / "history")
            else "`mainstem replay LOG --home HOME` makes one"
        )
        msg = f"there is no history at {str(folder)!r}; {hint}"
        raise StoreError(msg)
    return folder


def _engine_path(folder: Path) -> str:
    """A folder as the engine understands it: a `?` would begin its own parameters, and it reads UTF-8 only."""
    path = os.path.realpath(folder)
    try:
        plain = "?" not in path and bool(path.encode())
    except UnicodeEncodeError:
        plain = False
    if plain:
        return path
    Path(path).mkdir(parents=True, exist_ok=True)  # the engine makes no folder at the end of a link
    return _alias(path)


@lru_cache
def _alias(path: str) -> str:
    """A link to a folder, under a name that the engine understands, as long as this process lives."""
    beside = tempfile.mkdtemp(prefix="mainstem-")
    atexit.register(shutil.rmtree, beside, ignore_errors=True)
    link = Path(beside, "history")
    link.symlink_to(path, target_is_directory=True)
    return f"file:{link}"  # subtle: of a path without `file:` the client itself follows the links


def migrations() -> Iterator[tuple[int, str, list[str]]]:
    """Number, name and statements of each migration, in order.

    Each statement can run again (IF NOT EXISTS, OR REPLACE), so a migration cut off half-way is simply begun again.
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


def _errors() -> tuple[type[Exception], ...]:
    from clickhouse_connect.driver.exceptions import Error

    return (Error,)


def _text(value: Any) -> Any:
    """A value of an answer, with text for the bytes that are text."""
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
