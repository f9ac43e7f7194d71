"""Ids and pseudo-random numbers that depend only on their arguments, on every machine.

They are BLAKE2b hashes of the parts, each with its length before it. Python's own `hash` would
differ from process to process.
"""

import hashlib
from collections.abc import Callable
from uuid import UUID

import msgspec

__all__ = ["fraction_of", "number_of", "uuid_of", "uuids_of"]


def _bytes_of(parts: tuple[str | int, ...]) -> bytes:
    whole = b""
    for part in parts:
        raw = str(part).encode("utf-8", "surrogatepass")
        # subtle: without the lengths, ("ab", "c") and ("a", "bc") would have the same id
        whole += len(raw).to_bytes(4, "big") + raw
    return whole


def uuid_of(*parts: str | int) -> UUID:
    """Make a 128-bit id from the parts.

    Example:
        >>> uuid_of("sample", "question-1", "item-9") == uuid_of("sample", "question-1", "item-9")
        True
    """
    digest = hashlib.blake2b(_bytes_of(parts), digest_size=16).digest()
    return msgspec.convert(digest, UUID)  # three times as fast as UUID(bytes=digest)


def uuids_of(*parts: str | int) -> Callable[[str], UUID]:
    """Make a function that gives the ids of things whose first parts are the same.

    `uuids_of(*parts)(last)` equals `uuid_of(*parts, last)` and is faster for many ids.

    Example:
        >>> uuids_of("sample", "question-1")("item-9") == uuid_of("sample", "question-1", "item-9")
        True
    """
    begun = hashlib.blake2b(_bytes_of(parts), digest_size=16)

    def uuid_with(last: str) -> UUID:
        whole, raw = begun.copy(), last.encode("utf-8", "surrogatepass")
        whole.update(len(raw).to_bytes(4, "big") + raw)
        return msgspec.convert(whole.digest(), UUID)

    return uuid_with


def number_of(*parts: str | int) -> int:
    """Make an integer in [0, 2**64) from the parts; different parts give uniform integers.

    Example:
        >>> number_of(0, "a") % 4 in range(4)
        True
    """
    return int.from_bytes(hashlib.blake2b(_bytes_of(parts), digest_size=8).digest(), "big")


def fraction_of(*parts: str | int) -> float:
    """Make a number in [0, 1) from the parts; different parts give uniform numbers.

    Example:
        >>> 0 <= fraction_of("seed", 7) < 1
        True
    """
    return (number_of(*parts) >> 11) / 2**53
