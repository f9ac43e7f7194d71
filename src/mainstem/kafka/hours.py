"""The messages of topic `counts`: the parts of an hour, and the record that closes it.

An hour of a partition may be published more than once: a worker that starts from a snapshot
publishes again what followed it, and two workers may own a partition for a while. `digest` tells
publications with different rows apart, so readers never mix their parts. The first publication that
is complete in the topic's order counts, for all readers.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from mainstem.behaviour import Count, Hour

__all__ = ["CountsPart", "HourClosed", "decode_hour", "encode_hour"]

_ROWS: Final = 2000  # most rows of a part
_BYTES: Final = 250_000  # longer parts are halved; a broker refuses records above a megabyte
_ENCODER: Final = msgspec.json.Encoder()


class CountsPart(Struct, frozen=True, kw_only=True, tag_field="type", tag="part"):
    """Some rows of the counts of an hour.

    Attributes:
        partition: partition of `events` whose events were counted.
        first: the hour that the rows belong to, as a number of hours since 1970 UTC.
        digest: digest of all rows of the hour; parts of different digests do not belong together.
        part: number of the part, from 0.
        counts: rows. Each is an array of kind, key, other, position, shown, clicked, carted,
            purchased, returned and shoppers.
    """

    partition: int
    first: int
    digest: str
    part: int
    counts: list[Count]


class HourClosed(Struct, frozen=True, kw_only=True, tag_field="type", tag="closed"):
    """The record that ends an hour: all parts of the hour precede it.

    Attributes:
        partition: partition of `events` whose events were counted.
        first: the hour that the rows belong to, as a number of hours since 1970 UTC.
        hour: last hour that the record closes; hours after `first` up to this one have no rows.
        digest: digest of all rows of the hour.
        parts: number of parts.
        rows: number of rows of all parts.
        uncounted: number of events since the record before this one that came after their hour was
            closed. No row counts them.
    """

    partition: int
    first: int
    hour: int
    digest: str
    parts: int
    rows: int
    uncounted: int


_DECODER: Final[msgspec.json.Decoder[CountsPart | HourClosed]] = msgspec.json.Decoder(
    CountsPart | HourClosed
)


def encode_hour(hour: Hour) -> list[bytes]:
    """Encode an hour as the values of records: its parts, and then the record that closes it.

    The same hour gives the same values.

    Example:
        >>> empty = Hour(partition=3, first=7, hour=7, counts=[], uncounted=0)
        >>> [closing] = map(decode_hour, encode_hour(empty))
        >>> closing.partition, closing.hour, closing.parts
        (3, 7, 0)
    """
    parts = list(_parts(hour.counts))
    digest = hashlib.blake2b(b"".join(parts), digest_size=8).hexdigest()
    place: dict[str, Any] = {"partition": hour.partition, "first": hour.first, "digest": digest}
    values = [
        _ENCODER.encode(CountsPart(**place, part=part, counts=msgspec.Raw(rows)))  # type: ignore[arg-type]  # encoded rows
        for part, rows in enumerate(parts)
    ]
    closing = HourClosed(
        **place,
        hour=hour.hour,
        parts=len(parts),
        rows=len(hour.counts),
        uncounted=hour.uncounted,
    )
    return [*values, _ENCODER.encode(closing)]


def decode_hour(value: bytes) -> CountsPart | HourClosed:
    """Decode a record of topic `counts`."""
    return _DECODER.decode(value)


def _parts(rows: Sequence[Count]) -> Iterator[bytes]:
    for start in range(0, len(rows), _ROWS):
        yield from _halved(rows[start : start + _ROWS])


def _halved(rows: Sequence[Count]) -> Iterator[bytes]:
    encoded = _ENCODER.encode(rows)
    if len(encoded) <= _BYTES or len(rows) == 1:
        yield encoded
        return
    middle = len(rows) // 2
    yield from _halved(rows[:middle])
    yield from _halved(rows[middle:])
