"""One hash over what a replay came to: equal in every faithful replay, embedded or deployed."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from mainstem.join.ledger import totals
from mainstem.store import Store
from mainstem.store.contents import CONTENTS
from mainstem.store.ledgers import newest_ledger

__all__ = ["content_hash", "deployed_hash"]

_NOT_IN_HASH: Final = {"tick", "control"}


def content_hash(store: Store, counts: Mapping[str, int]) -> str:
    """Of sorted (sample_id, label_version, content) and the class totals, without ticks, offsets and pseudonyms.

    Args:
        store: the history.
        counts: of the ledger, added up over all partitions.
    """
    digest = hashlib.blake2b(digest_size=16)
    for sample_id, label_version, content in CONTENTS.stream(store):
        digest.update(f"{sample_id} {label_version} {_text(content)}\n".encode())
    for name in sorted(counts.keys() - _NOT_IN_HASH):
        digest.update(f"{name} {counts[name]}\n".encode())
    return digest.hexdigest()


def deployed_hash(store: Store) -> str:
    """The hash out of the history alone."""
    return content_hash(store, totals(newest_ledger(store)))


def _text(content: Any) -> str:
    return content.decode() if isinstance(content, bytes) else str(content)
