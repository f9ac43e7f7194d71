"""Connect to a history by its URL: to chDB in this process, or to a ClickHouse server."""

import atexit
import logging
import os
import re
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from mainstem.errors import SettingError, StoreError
from mainstem.settings.urls import folder_of, scheme_of, url_of
from mainstem.store.complaints import first_line
from mainstem.store.stdin import keep_stdin

__all__ = ["DATABASE", "client_errors", "connect", "database_of", "has_history"]

DATABASE: Final = "mainstem"
"""The database of a history whose URL names none."""
_OTHER: Final = re.compile(r"already initialized with path '(.*)', cannot connect")


def has_history(folder: Path) -> bool:
    """Whether a folder holds an embedded history.

    Example:
        >>> has_history(Path("/no/such/folder"))
        False
    """
    return (folder / "metadata" / f"{DATABASE}.sql").is_file()


def database_of(url: str) -> str:
    """Name of the database that a URL means.

    Raises:
        StoreError: if the name holds characters that a database may not have.
    """
    if scheme_of(url) != "clickhouse":
        return DATABASE
    name = _server(url).path.strip("/")
    if name and not name.isidentifier():
        msg = f"the name of a database has letters, digits and _; got {name!r} in the store's URL"
        raise StoreError(msg)
    return name or DATABASE


def _server(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        known = bool(parts.hostname) and not parts.fragment and (parts.port or 1) > 0
    except ValueError:  # as for a port that is no number, or an unclosed bracket
        known = False
    if not known:
        # subtle: the message does not show the URL, which may hold a password
        msg = (
            "the store's URL is not like clickhouse://user:password@host:port/database; "
            "write special characters of a name or a password as % and a code, like %23 for #"
        )
        raise StoreError(msg)
    return parts


def _without_password(url: str) -> str:
    parts = _server(url)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"


def connect(url: str, *, make: bool) -> Any:
    """Open a client for a history.

    Args:
        url: `chdb:///folder`, or `clickhouse://user:password@host:port/database`.
        make: whether to make the folder of an embedded history that does not exist.

    Raises:
        StoreError: if the URL is wrong, nobody answers, or the history does not exist and `make` is
            false.
    """
    import clickhouse_connect  # takes a second to import
    from clickhouse_connect.datatypes.format import set_write_format

    # mainstem reports every error itself, once
    logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
    # subtle: otherwise times must be datetime objects, which take a hundred times longer to make
    set_write_format("DateTime64", "int")
    scheme = scheme_of(url)
    try:
        if scheme == "chdb":
            path = _engine_path(_folder(url, make=make))
            keep_stdin()  # the engine would take it for rows
            return clickhouse_connect.get_client(interface="chdb", path=path)
        if scheme == "clickhouse":
            # subtle: a session would lock out a second thread, and the database may not exist yet
            server = urlunsplit(_server(url)._replace(path=""))
            return clickhouse_connect.get_client(dsn=server, autogenerate_session_id=False)
    except client_errors() as error:
        if other := _OTHER.search(str(error)):
            msg = (
                f"this process has the history {other[1]!r} open, and chDB opens one at a time; "
                f"ask {str(folder_of(url))!r} when that one is closed, or from another process"
            )
            raise StoreError(msg) from error
        place = str(folder_of(url)) if scheme == "chdb" else _without_password(url)
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
    """Path of a folder for the engine, which takes only UTF-8 and reads parameters after a `?`."""
    path = os.path.realpath(folder)
    try:
        plain = "?" not in path and bool(path.encode())
    except UnicodeEncodeError:
        plain = False
    if plain:
        return path
    # the engine does not make the folder that a link points to
    Path(path).mkdir(parents=True, exist_ok=True)
    return _alias(path)


@lru_cache
def _alias(path: str) -> str:
    """Link to a folder from a path that the engine understands, until this process ends."""
    beside = tempfile.mkdtemp(prefix="mainstem-")
    atexit.register(shutil.rmtree, beside, ignore_errors=True)
    link = Path(beside, "history")
    link.symlink_to(path, target_is_directory=True)
    return f"file:{link}"  # subtle: without `file:` the client would resolve the link itself


def client_errors() -> tuple[type[Exception], ...]:
    """Errors that a client raises, to catch; importing them is slow, so a function does it."""
    from clickhouse_connect.driver.exceptions import Error

    return (Error,)
