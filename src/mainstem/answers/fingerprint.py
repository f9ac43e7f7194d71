"""One hash over the samples and the ledger of a replay; every faithful replay has the same.

It does not matter whether the replay was embedded or deployed.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from mainstem.join.ledger import totals
from mainstem.store import Store
from mainstem.store.digests import SampleDigest, digests, digests_0_1
from mainstem.store.ledgers import newest_ledger

__all__ = ["content_hash", "content_hash_0_1", "deployed_hash", "deployed_hash_0_1", "hash_of"]

_NOT_IN_HASH: Final = {"tick", "control"}


def content_hash(store: Store, counts: Mapping[str, int]) -> str:
    """Hash the samples and the counts of the ledger.

    The hash covers id, label version and content of each sample, in sorted order, and each count
    but those of ticks and control records. It covers neither offsets nor pseudonyms.

    Args:
        store: history of the replay.
        counts: counts of the ledger, added up over all partitions.

    Returns:
        The hash, 32 hexadecimal digits.
    """
    return hash_of(digests(store), counts)


def content_hash_0_1(store: Store, counts: Mapping[str, int]) -> str:
    """Hash only the fields that samples had in 0.1, to compare a replay with a replay by 0.1.

    Args:
        store: history of the replay.
        counts: counts of the ledger, added up over all partitions.
    """
    return hash_of(digests_0_1(store), counts)


def deployed_hash(store: Store) -> str:
    """`content_hash` with the counts that the history itself holds."""
    return content_hash(store, totals(newest_ledger(store)))


def deployed_hash_0_1(store: Store) -> str:
    """`content_hash_0_1` with the counts that the history itself holds."""
    return content_hash_0_1(store, totals(newest_ledger(store)))


def hash_of(samples: Iterable[SampleDigest], counts: Mapping[str, int]) -> str:
    """The hash of samples and counts that were read elsewhere; see `content_hash`.

    Args:
        samples: digests of the samples, ordered by id and label version.
        counts: counts of the ledger, added up over all partitions.
    """
    digest = hashlib.blake2b(digest_size=16)
    for sample_id, label_version, content in samples:
        digest.update(f"{sample_id} {label_version} {content}\n".encode())
    for name in sorted(counts.keys() - _NOT_IN_HASH):
        digest.update(f"{name} {counts[name]}\n".encode())
    return digest.hexdigest()
