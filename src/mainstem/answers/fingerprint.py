"""One hash over what a replay came to: equal in every faithful replay, embedded or deployed."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from mainstem.join import LedgerRow
from mainstem.join.ledger import COUNTS, totals
from mainstem.store import Store
from mainstem.store.digests import SampleDigest, digests, digests_0_1

__all__ = ["content_hash", "content_hash_0_1", "deployed_hash", "deployed_hash_0_1", "newest_ledger"]

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


def newest_ledger(store: Store) -> list[LedgerRow]:
    """The newest row of every partition of every topic, by topic and partition."""
    sql = f"""
        SELECT topic, partition, block, first_offset, next_offset, {", ".join(COUNTS)} FROM ledger FINAL
        ORDER BY topic, partition, next_offset DESC LIMIT 1 BY topic, partition"""
    names = ("topic", "partition", "block", "first_offset", "next_offset")
    size = len(names)
    return [
        LedgerRow(**dict(zip(names, row[:size], strict=True)), counts=dict(zip(COUNTS, row[size:], strict=True)))
        for row in store.rows(sql)
    ]


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
