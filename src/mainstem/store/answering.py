"""SQL while it runs: the process that holds a history answers other processes' questions on a Unix socket.

An embedded history belongs to one process, so others have to ask that one. A connection is one question: the holder says
hello, the asker sends its question and closes that direction, the holder sends the answer and closes the other.

Every question gets a client of its own: the engine allows many in one process, so no question waits for the stream that the
holder is reading, nor the holder for a question, and a `USE` ends with its question. What this gives up: an answer is held
in memory whole, on both sides.
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
_PATIENCE: Final = 10  # seconds; a holder that says no hello in that time is stopped
_LONGEST: Final = 1 << 24  # bytes of a question
_EVERY: Final = 0.1  # seconds between two looks at who is still there


class _Question(Struct):
    sql: str
    parameters: dict[str, Any] = {}


class _Answer(Struct):
    columns: list[str] = []
    rows: list[list[Any]] = []
    error: str = ""


class Answerer:
    """Answers read-only SQL on a socket as long as it is entered.

    Entered by the one process that holds the history; a socket left by a killed one is replaced. Only the owner may ask.
    A query whose asker has gone is cancelled, and so are all on leaving. Where the file system has no sockets, nobody
    is answered.

    Args:
        path: of the socket.
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
                with suppress(OSError):  # a timeout, mostly
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
            return msgspec.msgpack.encode(
                _Answer(list(columns), [[packed(value) for value in row] for row in rows])
            )
        except Exception as error:  # noqa: BLE001 - whatever it is: it concerns the asker, and not the holder
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
        path: of the socket.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, sql: str, **parameters: Any) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Column names and rows, as `Store.ask` gives them; what is no plain value comes as something that prints alike.

        Raises:
            OSError: if nobody answers, or the holder ended before it had; `TimeoutError` if it is there, but stopped.
            StoreError: as `Store.ask`.
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
    """A socket that listens; it appears under its name only when it does, and only for its owner."""
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
    """An address for a socket: itself 103 bytes at most, so that a deep folder has to be named by its descriptor."""
    if len(os.fsencode(path)) <= 100:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
