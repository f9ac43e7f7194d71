"""One hash over what a replay came to: equal in every faithful replay, embedded or deployed."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from mainstem.join.ledger import totals
from mainstem.store import Store
from mainstem.store.digests import SampleDigest, digests, digests_0_1
from mainstem.store.ledgers import newest_ledger

__all__ = ["content_hash", "content_hash_0_1", "deployed_hash", "deployed_hash_0_1"]

_NOT_IN_HASH: Final = {"tick", "control"}


def content_hash(store: Store, counts: Mapping[str, int]) -> str:
    """Of sorted (sample_id, label_version, content) and the class totals, without ticks, offsets and pseudonyms.

    Args:
        store: the history.
        counts: of the ledger, added up over all partitions.
    """
    return _hash(digests(store), counts)


def content_hash_0_1(store: Store, counts: Mapping[str, int]) -> str:
    """The same over the fields that samples had in 0.1, so that a replay of today can be held against one of then."""
    return _hash(digests_0_1(store), counts)


def deployed_hash(store: Store) -> str:
    """The hash out of the history alone."""
    return content_hash(store, totals(newest_ledger(store)))


def deployed_hash_0_1(store: Store) -> str:
    """The hash over the fields of 0.1, likewise."""
    return content_hash_0_1(store, totals(newest_ledger(store)))


def _hash(samples: Iterable[SampleDigest], counts: Mapping[str, int]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for sample_id, label_version, content in samples:
        digest.update(f"{sample_id} {label_version} {content}\n".encode())
    for name in sorted(counts.keys() - _NOT_IN_HASH):
        digest.update(f"{name} {counts[name]}\n".encode())
    return digest.hexdigest()
