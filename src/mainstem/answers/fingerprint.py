"""One hash over what a replay came to: equal in every faithful replay, embedded or deployed."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from mainstem.join import LedgerRow
from mainstem.join.ledger import COUNTS, totals
from mainstem.store import Store

__all__ = ["content_hash", "deployed_hash", "newest_ledger"]

_NOT_IN_HASH: Final = {"tick", "control"}


def content_hash(store: Store, counts: Mapping[str, int]) -> str:
    """Of sorted (sample_id, label_version, content) and the class totals, without ticks, offsets and pseudonyms.

    Args:
        store: the history.
        counts: of the ledger, added up over all partitions.
    """
    digest = hashlib.blake2b(digest_size=16)
    sql = "SELECT toString(sample_id) AS id, label_version, digest FROM samples FINAL ORDER BY id, label_version"
    for sample_id, label_version, content in store.stream(sql):
        digest.update(f"{sample_id} {label_version} {_text(content)}\n".encode())
    for name in sorted(counts.keys() - _NOT_IN_HASH):
        digest.update(f"{name} {counts[name]}\n".encode())
    return digest.hexdigest()


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


def _text(content: Any) -> str:
    return content.decode() if isinstance(content, bytes) else str(content)
