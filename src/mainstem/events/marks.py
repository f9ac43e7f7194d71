"""Marks in a log: running digests that show whether another log begins with the same lines.

A mark stands after some number of lines and holds two digests of all of them: of the bytes, and of
the decoded events. Either suffices. So a log is recognized after it was packed, put into a folder
or turned into Parquet, and also by a later mainstem that decodes more fields. A digest continues
from any mark, because each line is hashed together with the digest before it.
"""

import hashlib
from typing import Final

import msgspec
from msgspec import Struct

from mainstem.events.decode import Refusal
from mainstem.events.vocabulary import Event, Tick

__all__ = ["BEGIN", "LastLine", "Mark", "last_line"]

_SIZE: Final = 16
_ENCODE: Final = msgspec.msgpack.Encoder().encode


class Mark(Struct, frozen=True):
    """The lines before a place in a log.

    Attributes:
        lines: number of these lines.
        raw, events: digests of their bytes and of their events.

    Example:
        >>> from mainstem.events import decode
        >>> one = b'{"type":"tick","event_timestamp":5}'
        >>> other = b'{"event_timestamp": 5, "type": "tick"}'
        >>> BEGIN.after(one, decode(one)).agrees(BEGIN.after(other, decode(other)))
        True
    """

    lines: int
    raw: bytes
    events: bytes

    def after(self, raw: bytes, event: Event | Refusal | Tick) -> "Mark":
        """Return the mark after one more line."""
        events = _digest(self.events + _content(event, raw))
        return Mark(self.lines + 1, _digest(self.raw + raw), events)

    def agrees(self, other: "Mark") -> bool:
        """Whether both marks stand after the same lines."""
        return self.lines == other.lines and (self.raw == other.raw or self.events == other.events)


BEGIN: Final = Mark(0, b"", b"")


class LastLine(Struct, frozen=True):
    """The last line of a log, which may have been half-written.

    Attributes:
        size: number of its bytes.
        raw, event: digests of its bytes and of its event.
    """

    size: int
    raw: bytes
    event: bytes

    def begins(self, raw: bytes, event: Event | Refusal | Tick) -> bool:
        """Whether another line is this line, or begins with it."""
        return _digest(raw[: self.size]) == self.raw or _digest(_content(event, raw)) == self.event


def last_line(raw: bytes, event: Event | Refusal | Tick) -> LastLine:
    """Return what is remembered of the last line of a log."""
    return LastLine(len(raw), _digest(raw), _digest(_content(event, raw)))


def _content(event: Event | Refusal | Tick, raw: bytes) -> bytes:
    """The content of an event, however it was written; of a refused event, its JSON in one form."""
    try:
        return _ENCODE(event) if not isinstance(event, Refusal) else _plain(raw)
    except (UnicodeEncodeError, msgspec.DecodeError, RecursionError):
        return raw


def _plain(raw: bytes) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(raw), order="deterministic")


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_SIZE).digest()
