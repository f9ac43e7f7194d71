"""Ids and draws that depend on nothing but their arguments: the same on every machine, in every process.

Python's own `hash` is salted per process; these are BLAKE2b over length-prefixed parts.
"""

import hashlib
from uuid import UUID

__all__ = ["fraction_of", "number_of", "uuid_of"]


def _digest(parts: tuple[str | int, ...], size: int) -> bytes:
    whole = b""
    for part in parts:
        raw = str(part).encode("utf-8", "surrogatepass")
        whole += len(raw).to_bytes(4, "big") + raw  # subtle: without lengths ("ab", "c") and ("a", "bc") would be one
    return hashlib.blake2b(whole, digest_size=size).digest()


def uuid_of(*parts: str | int) -> UUID:
    """A 128-bit id made of the parts.

    Example:
        >>> uuid_of("sample", "question-1", "item-9") == uuid_of("sample", "question-1", "item-9")
        True
    """
    return UUID(bytes=_digest(parts, 16))


def number_of(*parts: str | int) -> int:
    """A number in [0, 2**64), uniform over the parts.

    Example:
        >>> number_of(0, "a") % 4 in range(4)
        True
    """
    return int.from_bytes(_digest(parts, 8), "big")


def fraction_of(*parts: str | int) -> float:
    """A fraction in [0, 1), uniform over the parts.

    Example:
        >>> 0 <= fraction_of("seed", 7) < 1
        True
    """
    return (number_of(*parts) >> 11) / 2**53
