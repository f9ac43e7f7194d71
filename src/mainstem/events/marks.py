"""Marks on a log: a running digest that tells whether another reading begins with the same lines.

A mark stands behind some number of lines and holds two digests over all of them: of the bytes, and of the events as they
are understood. Either suffices, so a log is known again that was packed, put into a folder or turned into Parquet, and so is
one that was read by a mainstem which understood less. A digest goes on from any mark: each line is hashed with it.
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
    """What lies before a place in a log.

    Attributes:
        lines: how many there are.
        raw, events: digests over their bytes, and over their events.

    Example:
        >>> from mainstem.events import decode
        >>> one, other = b'{"type":"tick","event_timestamp":5}', b'{"event_timestamp": 5, "type": "tick"}'
        >>> BEGIN.after(one, decode(one)).agrees(BEGIN.after(other, decode(other)))
        True
    """

    lines: int
    raw: bytes
    events: bytes

    def after(self, raw: bytes, event: Event | Refusal | Tick) -> "Mark":
        """The mark behind one more line."""
        return Mark(
            self.lines + 1, _digest(self.raw + raw), _digest(self.events + _content(event, raw))
        )

    def agrees(self, other: "Mark") -> bool:
        """Whether both stand behind the same lines."""
        return self.lines == other.lines and (self.raw == other.raw or self.events == other.events)


BEGIN: Final = Mark(0, b"", b"")


class LastLine(Struct, frozen=True):
    """The last line of a log, which may have been half-written: its size, and digests of its bytes and of its event."""

    size: int
    raw: bytes
    event: bytes

    def begins(self, raw: bytes, event: Event | Refusal | Tick) -> bool:
        """Whether a line is this one, or this one completed."""
        return _digest(raw[: self.size]) == self.raw or _digest(_content(event, raw)) == self.event


def last_line(raw: bytes, event: Event | Refusal | Tick) -> LastLine:
    """What is remembered of a last line."""
    return LastLine(len(raw), _digest(raw), _digest(_content(event, raw)))


def _content(event: Event | Refusal | Tick, raw: bytes) -> bytes:
    """What an event says, however it was written down; a refused one is its bytes."""
    try:
        return _ENCODE(event) if not isinstance(event, Refusal) else _plain(raw)
    except (UnicodeEncodeError, msgspec.DecodeError, RecursionError):
        return raw


def _plain(raw: bytes) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(raw), order="deterministic")


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_SIZE).digest()
