"""Features in the history: the counts that they are made of, and the table that keeps them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.behaviour import FEATURE_NAMES, Asked, Counted
from mainstem.join import PlacedSample
from mainstem.store.named import Query
from mainstem.store.parameters import Texts
from mainstem.store.store import Store

__all__ = ["FEATURE_LIST", "counted", "features_before", "stored_features", "write_features"]

FEATURE_LIST: Final = ",".join(FEATURE_NAMES)
"""The names of the features in order, as rows of table `features` keep them."""
_IDS: Final = 2000  # sample ids of one query; a server takes parameters of 131,072 bytes
_FEWEST_SHOPPERS: Final = 5  # that ask a query on a day before readers may use the day


class _Stored(NamedTuple):
    sample_id: UUID
    values: list[float]


_SUMS: Final = "sum(shown), sum(clicked), sum(carted), sum(purchased), sum(returned)"
_WINDOW: Final = "hour >= {low:UInt32} AND hour < {high:UInt32}"
_RUN: Final = "roundDown(hour, {edges:Array(UInt32)}) AS since"
_AT: Final = "toUInt32(least(position, {last:UInt32}))"
_OPEN: Final = "(key, intDiv(hour, 24)) IN (SELECT key, day FROM days)"
_DAYS: Final = f"""
    days AS (
        SELECT key, intDiv(hour, 24) AS day FROM counts FINAL
        PREWHERE kind = 'query' AND key IN {{queries:Array(String)}}
          AND hour >= intDiv({{low:UInt32}}, 24) * 24 AND hour < {{high:UInt32}}
        GROUP BY key, day HAVING sum(shoppers) >= {_FEWEST_SHOPPERS})"""


def _pairs(key: str, other: str) -> str:
    """Compare keys of two parts by a hash, which takes a third of the time that tuples take."""
    return f"""cityHash64(key, other) IN (
        SELECT cityHash64(one.1, one.2) FROM (SELECT 1)
        ARRAY JOIN arrayZip({{{key}:Array(String)}}, {{{other}:Array(String)}}) AS one)"""


def _counts_of(kind: str, keys: str, position: str = "0") -> str:
    # subtle: the engine applies a PREWHERE before it looks for rows that were written twice, which
    # is right because all columns in it belong to the sorting key
    return f"""
        SELECT kind, key, other, {position} AS at, {_RUN}, {_SUMS} FROM counts FINAL
        PREWHERE kind = '{kind}' AND {_WINDOW} AND {keys}
        GROUP BY kind, key, other, at, since"""


_COUNTS: Final = {
    "items": _counts_of(
        "item", "key IN {items:Array(String)}", f"if(key IN {{own:Array(String)}}, {_AT}, 0)"
    ),
    "categories": _counts_of("category", "key IN {categories:Array(String)}", _AT),
    "queries": _counts_of("query_item", f"{_pairs('asked', 'answered')} AND {_OPEN}", _AT),
    "smaller": _counts_of("pair", _pairs("smaller", "larger")),
}
"""The parts of the query for counts, each by the parameter without which it has no rows."""
_SHOP: Final = f"""
        SELECT '' AS all, '' AS key, '' AS other, {_AT} AS at, {_RUN}, {_SUMS} FROM counts FINAL
        PREWHERE kind = 'category' AND {_WINDOW} GROUP BY at, since"""
_ALONE: Final = " SETTINGS max_threads = 1"  # more threads cost a fifth more processor time
_BEFORE: Final = """
    SELECT UUIDStringToNum(toString(sample_id)), values, source, category FROM features
    WHERE partition = {partition:UInt32} AND offset < {end:UInt64} AND names = {names:String}
    LIMIT 1 BY sample_id"""
_COUNTED: Final[Callable[[tuple[Any, ...]], Counted]] = partial(tuple.__new__, Counted)
_FEATURES: Final = Query(
    _Stored,
    """
    SELECT sample_id, values FROM features
    WHERE sample_id IN {ids:Array(UUID)} AND names = {names:String}
    LIMIT 1 BY sample_id""",
)


def counted(store: Store, asked: Asked, last_position: int) -> list[Counted]:
    """Read the counts that a batch of samples asks for.

    The counts of items under a query are read only for days on which at least five shoppers asked
    the query. A day counts once it is over, which the windows
    of queries in `asked` see to.

    Args:
        store: the history, which must have the counts of every hour before the ends of `asked`.
        asked: keys and windows of the batch.
        last_position: position that stands for itself and for all positions after it.

    Returns:
        Counts of every key in runs of hours that no window divides, and the counts of all items
        together by position.
    """
    if not len(asked.ends):
        return []
    edges = asked.edges
    keys = {
        "items": asked.items,
        "categories": asked.categories,
        "queries": asked.queries,
        "smaller": [one for one, _ in asked.pairs],
    }
    parts = [sql for name, sql in _COUNTS.items() if keys[name]] + [_SHOP]
    days = f"WITH {_DAYS}" if asked.queries else ""
    lists = {
        **keys,
        "own": asked.items[: asked.own],
        "asked": [query for query, _ in asked.query_items],
        "answered": [item for _, item in asked.query_items],
        "larger": [other for _, other in asked.pairs],
    }
    rows = store.rows(
        days + " UNION ALL ".join(parts) + _ALONE,
        **{name: Texts(one) for name, one in lists.items()},
        edges=edges,
        low=edges[0],
        high=edges[-1],
        last=last_position,
    )
    return list(map(_COUNTED, rows))


def stored_features(store: Store, sample_ids: Iterable[UUID]) -> dict[UUID, tuple[float, ...]]:
    """The features that samples have in the history, by id; samples without any are left out."""
    ids, found = list(dict.fromkeys(sample_ids)), dict[UUID, tuple[float, ...]]()
    for first in range(0, len(ids), _IDS):
        some = ids[first : first + _IDS]
        for one in _FEATURES.of(store, ids=some, names=FEATURE_LIST):
            found[one.sample_id] = tuple(one.values)
    return found


def features_before(
    store: Store, partition: int, end: int
) -> Iterator[tuple[bytes, Sequence[float], str, str]]:
    """The features of the samples of a partition, and where each sample comes from.

    Args:
        store: the history.
        partition: partition of the samples.
        end: position up to which (exclusive) samples count.

    Yields:
        The id of a sample, 16 bytes, its features in the order of `FEATURES`, its source and its
        category; the last two are empty for samples from before they were kept.
    """
    return store.stream(_BEFORE, partition=partition, end=end, names=FEATURE_LIST)


def write_features(
    store: Store,
    samples: Sequence[PlacedSample],
    values: NDArray[np.float32],
    origins: Sequence[tuple[str, str]],
) -> None:
    """Write the features of samples.

    Args:
        store: the history.
        samples: N samples at their places.
        values: their features in the order of `FEATURES`, shape (N, F).
        origins: source and category of each sample.
    """
    store.write(
        "features",
        {
            "sample_id": [one.sample_id for one in samples],
            "event_time": [one.event_time for one in samples],
            "partition": [one.partition for one in samples],
            "offset": [one.offset for one in samples],
            "names": [FEATURE_LIST] * len(samples),
            "values": values.tolist(),
            "source": [source for source, _ in origins],
            "category": [category for _, category in origins],
        },
    )
