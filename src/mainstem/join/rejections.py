"""Rejections of events, and the keyed digests that stand in for ids and raw events."""

import hmac
from functools import lru_cache

from msgspec import Struct

from mainstem.events import Refusal

__all__ = ["Rejection", "pseudonym", "rejection_of"]


class Rejection(Struct, frozen=True, kw_only=True):
    """An event that was refused.

    Attributes:
        topic: short name of the topic that held the event.
        partition: partition of the topic.
        offset: offset of the event in the partition.
        reason: why the event was refused.
        path: JSON path of the fault.
        digest: keyed digest of the raw event; tells rejections apart whose body is empty.
        body: the event without user fields and unknown fields; empty if it is not an object.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    path: str
    digest: str
    body: str


def rejection_of(
    refusal: Refusal, topic: str, partition: int, offset: int, key: bytes
) -> Rejection:
    """Record a refusal together with its place.

    The digest is keyed with `key`. Otherwise whoever reads `rejected` could guess a user id and
    test the guess against the digest.
    """
    return Rejection(
        topic=topic,
        partition=partition,
        offset=offset,
        reason=refusal.reason,
        path=refusal.path,
        digest=pseudonym(key, refusal.digest),
        body=refusal.body,
    )


@lru_cache(maxsize=65_536)  # most shoppers send many events
def pseudonym(key: bytes, name: str) -> str:
    """HMAC-SHA-256 of a user or session id: the only form in which an id is kept anywhere.

    Args:
        key: secret of the deployment. With another key, the same shopper has another pseudonym.
        name: the user id or session id as the shop sends it.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> len(pseudonym(b"secret", "user-1"))
        64
    """
    return hmac.digest(key, name.encode("utf-8", "surrogatepass"), "sha256").hex()
