"""Decodes bytes into an event, or a refusal that says why and where. Bad input never raises."""

import hashlib
import re
from typing import Any, Final

import msgspec
from msgspec import Struct

from mainstem.events.logs import LONGEST_LINE
from mainstem.events.vocabulary import (
    Cart,
    Click,
    Event,
    Impression,
    Item,
    Labelled,
    Purchase,
    Return,
    Search,
    Shown,
    View,
)

__all__ = ["Refusal", "decode", "encode", "refusal_of"]

_DECODER: Final = msgspec.json.Decoder(Event)
_ENCODER: Final = msgspec.json.Encoder()
_KINDS: Final = (Search, Impression, Shown, View, Click, Cart, Purchase, Return, Item, Labelled)
_DEEPEST: Final = 100  # most levels of arrays and objects; an event needs three
_OPENED: Final = (ord("["), ord("{"))
# a bracket, or a whole string, whose brackets do not count
_BRACKET: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
_USER_FIELDS: Final = {"user_id", "session_id"}
_FIELDS: Final = {"type", *(field for kind in _KINDS for field in kind.__struct_fields__)}
_KEPT_FIELDS: Final = _FIELDS - _USER_FIELDS


class Refusal(Struct, frozen=True, kw_only=True):
    """Why an event was refused.

    Attributes:
        reason: what is wrong with the event.
        path: JSON path of the fault; `$` for the event as a whole.
        digest: BLAKE2b of the raw bytes, in hexadecimal, which identifies an event without a body.
        body: the event as JSON without its user fields and unknown fields, at any depth, because
            either might name a person; empty if the bytes are not a JSON object.
    """

    reason: str
    path: str
    digest: str
    body: str


def decode(raw: bytes) -> Event | Refusal:
    r"""Read one event from its bytes on the wire.

    Args:
        raw: one JSON object in UTF-8, without a line break.

    Returns:
        The event, or a `Refusal` with the reason and the JSON path of the fault.

    Example:
        >>> decode(b'{"type":"tick","event_timestamp":5}')
        Tick(event_timestamp=5)
        >>> refusal = decode(b'{"type":"tick","event_timestamp":"5"}')
        >>> refusal.reason, refusal.path
        ('Expected `int`, got `str`', '$.event_timestamp')
    """
    if len(raw) > LONGEST_LINE:
        return _refuse(raw, f"the line is longer than {LONGEST_LINE:,} bytes")
    # subtle: Python's own limit counts the callers too, so two programs might not refuse the same
    if raw.count(b"[") + raw.count(b"{") > _DEEPEST and _is_too_deep(raw):
        return _refuse(raw, f"the line nests more than {_DEEPEST} arrays and objects", keep=False)
    try:
        event: Event = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _refuse(raw, str(error))
    return event


def encode(event: Event) -> bytes:
    """Encode an event as on the wire, so that `decode(encode(event)) == event`.

    Example:
        >>> from mainstem.events import Tick
        >>> encode(Tick(event_timestamp=5))
        b'{"type":"tick","event_timestamp":5}'
    """
    return _ENCODER.encode(event)


def refusal_of(event: Event, reason: str, path: str) -> Refusal:
    """Refuse an event that can be read but not used.

    Example:
        >>> event = View(event_id="e", user_id="u", event_timestamp=5, item_id="cup")
        >>> refusal_of(event, "no such item", "$.item_id").body
        '{"event_id":"e","event_timestamp":5,"item_id":"cup","type":"view"}'
    """
    raw = encode(event)
    return Refusal(reason=reason, path=path, digest=_digest(raw), body=_redact(raw))


def _refuse(raw: bytes, message: str, *, keep: bool = True) -> Refusal:
    too_long = len(raw) > LONGEST_LINE  # such a line was cut, perhaps within a character
    if not raw.strip():
        message = "the line is empty"
    elif not too_long:
        message = _fault_of_encoding(raw) or message
    reason, _, path = message.partition(" - at `")
    body = _redact(raw) if keep and not too_long else ""
    return Refusal(reason=reason, path=path.rstrip("`") or "$", digest=_digest(raw), body=body)


def _is_too_deep(raw: bytes) -> bool:
    depth = 0
    for found in _BRACKET.finditer(raw):
        sign = raw[found.start()]
        if sign != ord('"'):
            depth += 1 if sign in _OPENED else -1
        if depth > _DEEPEST:
            return True
    return False


def _fault_of_encoding(raw: bytes) -> str:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return f"the line is not UTF-8: byte 0x{raw[error.start]:02x} at position {error.start}"
    return ""


def _digest(raw: bytes) -> str:
    return hashlib.blake2b(raw, digest_size=16).hexdigest()


def _redact(raw: bytes) -> str:
    try:
        value: Any = msgspec.json.decode(raw)
        return msgspec.json.encode(_kept(value)).decode() if isinstance(value, dict) else ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def _kept(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _kept(value[key]) for key in sorted(value.keys() & _KEPT_FIELDS)}
    return [_kept(part) for part in value] if isinstance(value, list) else value
