"""Let other processes query an embedded history while one process holds it, over a Unix socket.

An embedded history belongs to one process, the holder, so others must ask the holder. A connection
carries one question: the holder sends a greeting, the asker sends its question and closes its
direction, the holder sends the answer and closes the other direction.

Every question gets a client of its own, because the engine allows many in one process. So a
question does not wait for the stream that the holder is reading, the holder does not wait for a
question, and a `USE` ends with its question. The price: both sides hold a whole answer in memory.
"""

import os
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final, Self
from uuid import uuid4

import msgspec
from msgspec import Struct

from mainstem.errors import StoreError
from mainstem.store.packing import packed, unpacked
from mainstem.store.store import Store

__all__ = ["Answerer", "Asker"]

_HELLO: Final = b"mainstem"
# seconds that an asker waits for the greeting; a holder that takes longer is suspended
_PATIENCE: Final = 10
# bytes of the longest question
_LONGEST: Final = 1 << 24
# seconds between two checks which askers are still connected
_EVERY: Final = 0.1


class _Question(Struct):
    sql: str
    parameters: dict[str, Any] = {}


class _Answer(Struct):
    columns: list[str] = []
    rows: list[list[Any]] = []
    error: str = ""


class Answerer:
    """Context manager that answers read-only SQL on a socket while it is entered.

    Only the process that holds the history may enter it. It replaces a socket that a killed process
    left behind. Only the user who owns the socket may ask. A query is cancelled when its asker
    disconnects, and all queries are cancelled on exit. On a file system without sockets it enters
    all the same, and answers nobody.

    Args:
        path: path of the socket.
        open_store: opens the history once more in this process.
    """

    def __init__(self, path: Path, open_store: Callable[[], Store]) -> None:
        self._path, self._open_store = path, open_store
        self._leaving = Event()
        self._serving: Thread | None = None

    def __enter__(self) -> Self:
        with suppress(OSError):
            listening = _listen(self._path)
            self._serving = Thread(
                target=self._serve, args=(listening,), name="answerer", daemon=True
            )
            self._serving.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._serving:
            self._path.unlink(missing_ok=True)
            self._leaving.set()
            self._serving.join()

    def _serve(self, listening: socket.socket) -> None:
        asked: list[_Asked] = []
        with listening:
            while asked or not self._leaving.is_set():
                with suppress(OSError):  # mostly the timeout of `accept`
                    asked.append(self._begin(listening.accept()[0]))
                asked = [one for one in asked if self._goes_on(one)]

    def _begin(self, connection: socket.socket) -> "_Asked":
        mark = uuid4().hex
        thread = Thread(target=self._attend, args=(connection, mark), name="answer", daemon=True)
        thread.start()
        return _Asked(connection, mark, thread)

    def _attend(self, connection: socket.socket, mark: str) -> None:
        with suppress(OSError):  # the asker went away
            connection.sendall(_HELLO)
            with connection.makefile("rb") as file:
                question = file.read(_LONGEST)
            connection.sendall(self._answer(question, mark))
            connection.shutdown(socket.SHUT_WR)

    def _answer(self, question: bytes, mark: str) -> bytes:
        try:
            asked = msgspec.msgpack.decode(question, type=_Question)
            with self._open_store() as store:
                store.execute(f"SET log_comment = '{mark}'")
                columns, rows = store.ask(asked.sql, **asked.parameters)
            plain = [[packed(value) for value in row] for row in rows]
            return msgspec.msgpack.encode(_Answer(list(columns), plain))
        except Exception as error:  # noqa: BLE001 - any error concerns the asker, not the holder
            return msgspec.msgpack.encode(_Answer(error=str(error) or type(error).__name__))

    def _goes_on(self, asked: "_Asked") -> bool:
        if not asked.thread.is_alive():
            asked.connection.close()
            return False
        if self._leaving.is_set() or asked.is_gone():
            self._break_off(asked)
        return True

    def _break_off(self, asked: "_Asked") -> None:
        with suppress(OSError):
            asked.connection.shutdown(socket.SHUT_RDWR)
        with suppress(StoreError), self._open_store() as store:
            store.execute(f"KILL QUERY WHERE Settings['log_comment'] = '{asked.mark}' ASYNC")


@dataclass(frozen=True)
class _Asked:
    connection: socket.socket
    mark: str
    thread: Thread

    def is_gone(self) -> bool:
        """Whether the asker has closed both directions."""
        poll = select.poll()
        poll.register(self.connection, 0)
        return bool(poll.poll(0))


class Asker:
    """Asks the process that holds a history.

    Args:
        path: path of the socket that the holder answers on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, sql: str, /, **parameters: Any) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Ask a question like `Store.ask`, in the process of the holder.

        Args:
            sql: one statement that reads.
            parameters: values for each `{name:Type}` in it.

        Returns:
            Column names and rows. A value that msgpack cannot carry, like a time or a UUID, arrives
            as an object that prints the same.

        Raises:
            OSError: if no process answers, or the holder ends before it has answered. It is a
                `TimeoutError` if the holder is suspended.
            StoreError: as in `Store.ask`.
        """
        with socket.socket(socket.AF_UNIX) as connection, _address(self._path) as address:
            connection.settimeout(_PATIENCE)
            connection.connect(address)
            if connection.recv(len(_HELLO), socket.MSG_WAITALL) != _HELLO:
                msg = "the holder hung up"
                raise ConnectionError(msg)
            connection.settimeout(None)
            connection.sendall(msgspec.msgpack.encode(_Question(sql, parameters)))
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as file:
                content = file.read()
        try:
            answer = msgspec.msgpack.decode(content, type=_Answer)
        except msgspec.DecodeError as error:
            msg = "the holder hung up"
            raise ConnectionError(msg) from error
        if answer.error:
            raise StoreError(answer.error)
        return tuple(answer.columns), [
            tuple(unpacked(value) for value in row) for row in answer.rows
        ]


def _listen(path: Path) -> socket.socket:
    """Make a listening socket that only its owner may use.

    It appears at its path only once it listens, so nobody can connect too early.
    """
    half = path.with_name(f"{path.name}.half")
    half.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    try:
        with _address(half) as address:
            listening.bind(address)
        half.chmod(0o600)
        listening.listen()
        listening.settimeout(_EVERY)
        half.replace(path)
    except OSError:
        listening.close()
        raise
    return listening


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """Name a socket's path in the 103 bytes that an address may have.

    subtle: a longer path is named through the descriptor of its folder.
    """
    if len(os.fsencode(path)) <= 100:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
