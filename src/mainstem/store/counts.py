"""Write the hours that joiners close, with their counts, and hash the counts of a history."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from mainstem.behaviour import Count, Hour
from mainstem.store.named import Query
from mainstem.store.store import Columns, Store

__all__ = [
    "SUMMED",
    "Summed",
    "count_columns",
    "counts_hash",
    "hash_of_counts",
    "hour_columns",
    "uncounted",
    "write_hours",
]

_SUMS: Final = ("shown", "clicked", "carted", "purchased", "returned", "shoppers")


class Summed(NamedTuple):
    """A count of an hour, added up over the partitions; the fields are those of `Count`."""

    kind: str
    key: str
    other: str
    hour: int
    position: int
    shown: int
    clicked: int
    carted: int
    purchased: int
    returned: int
    shoppers: int


SUMMED: Final = Query(
    Summed,
    f"""
    SELECT kind, key, other, hour, position, {", ".join(f"sum({name})" for name in _SUMS)}
    FROM counts FINAL
    GROUP BY kind, key, other, hour, position ORDER BY kind, key, other, hour, position""",
)
"""All counts, added up over the partitions, in the order in which they are hashed."""


def write_hours(store: Store, hours: Sequence[Hour]) -> None:
    """Write closed hours: their counts first, so that a history with an hour has all its counts."""
    store.write("counts", count_columns(hours))
    store.write("hours", hour_columns(hours))


def hour_columns(hours: Iterable[Hour]) -> Columns:
    """Columns of table `hours`, one row for each record of closed hours."""
    hours = list(hours)
    return {
        "partition": [one.partition for one in hours],
        "hour": [one.hour for one in hours],
        "first": [one.first for one in hours],
        "counts": [len(one.counts) for one in hours],
        "uncounted": [one.uncounted for one in hours],
        "provisional": [int(one.provisional) for one in hours],
    }


def count_columns(hours: Iterable[Hour]) -> Columns:
    """Columns of table `counts`, one row for each count; empty if the hours hold none."""
    placed = [(one, len(one.counts)) for one in hours if one.counts]
    rows = [count for one, _ in placed for count in one.counts]
    if not rows:
        return {}
    return {
        "partition": [one.partition for one, size in placed for _ in range(size)],
        "hour": [one.first for one, size in placed for _ in range(size)],
        **{name: [getattr(row, name) for row in rows] for name in Count.__struct_fields__},
    }


def counts_hash(store: Store) -> str:
    """Hash all counts, added up over the partitions and in a fixed order.

    Every faithful replay of a log has the same hash, embedded or deployed, in any partitioning.

    Returns:
        The hash, 32 hexadecimal digits.
    """
    return hash_of_counts(SUMMED.stream(store))


def hash_of_counts(counts: Iterable[Summed]) -> str:
    """Hash counts that were read elsewhere, in the order of `SUMMED`; see `counts_hash`."""
    digest = hashlib.blake2b(digest_size=16)
    for row in counts:
        digest.update(f"{tuple(row)}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def uncounted(store: Store) -> int:
    """Number of events that no count includes, because their hour was closed when they came."""
    [(events,)] = store.rows("SELECT sum(uncounted) FROM hours FINAL")
    return int(events)
