"""Features in the history: the counts that they are made of, and the table that keeps them."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.behaviour import FEATURE_NAMES, Asked, Counted
from mainstem.join import PlacedSample
from mainstem.store.named import Query
from mainstem.store.store import Store

__all__ = ["FEATURE_LIST", "counted", "stored_features", "write_features"]

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
# subtle: an array of tuples to the right of IN takes seconds, a subquery of its elements does not
_IN: Final = """(key, other) IN (
    SELECT one.1, one.2 FROM (SELECT 1)
    ARRAY JOIN arrayZip({{{key}:Array(String)}}, {{{other}:Array(String)}}) AS one)"""
_OPEN: Final = "(key, intDiv(hour, 24)) IN (SELECT key, day FROM days)"


def _counts_of(kind: str, keys: str, position: str = "0") -> str:
    return f"""
        SELECT kind, key, other, {position} AS at, {_RUN}, {_SUMS} FROM counts FINAL
        WHERE kind = '{kind}' AND {keys} AND {_WINDOW}
        GROUP BY kind, key, other, at, since"""


_ANY_KEY: Final = "key IN {{{0}:Array(String)}}".format
_AT: Final = "toUInt32(least(position, {last:UInt32}))"
_COUNTS: Final = Query(
    Counted,
    f"""
    WITH days AS (
        SELECT key, intDiv(hour, 24) AS day FROM counts FINAL
        WHERE kind = 'query' AND {_ANY_KEY("queries")}
          AND hour >= intDiv({{low:UInt32}}, 24) * 24 AND hour < {{high:UInt32}}
        GROUP BY key, day HAVING sum(shoppers) >= {_FEWEST_SHOPPERS})
    """
    + " UNION ALL ".join(
        [
            _counts_of(
                "item",
                _ANY_KEY("items"),
                f"if(key IN {{own:Array(String)}}, {_AT}, 0)",
            ),
            _counts_of("category", _ANY_KEY("categories"), _AT),
            _counts_of(
                "query_item", f"{_IN.format(key='asked', other='answered')} AND {_OPEN}", _AT
            ),
            _counts_of("pair", _IN.format(key="smaller", other="larger")),
            f"""
        SELECT '' AS all, '' AS key, '' AS other, {_AT} AS at, {_RUN}, {_SUMS} FROM counts FINAL
        WHERE kind = 'category' AND {_WINDOW} GROUP BY at, since""",
        ]
    ),
)
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
    return _COUNTS.of(
        store,
        items=asked.items,
        own=asked.items[: asked.own],
        categories=asked.categories,
        queries=asked.queries,
        asked=[query for query, _ in asked.query_items],
        answered=[item for _, item in asked.query_items],
        smaller=[one for one, _ in asked.pairs],
        larger=[other for _, other in asked.pairs],
        edges=edges,
        low=edges[0],
        high=edges[-1],
        last=last_position,
    )


def stored_features(store: Store, sample_ids: Iterable[UUID]) -> dict[UUID, tuple[float, ...]]:
    """The features that samples have in the history, by id; samples without any are left out."""
    ids, found = list(dict.fromkeys(sample_ids)), dict[UUID, tuple[float, ...]]()
    for first in range(0, len(ids), _IDS):
        some = ids[first : first + _IDS]
        for one in _FEATURES.of(store, ids=some, names=FEATURE_LIST):
            found[one.sample_id] = tuple(one.values)
    return found


def write_features(
    store: Store, samples: Sequence[PlacedSample], values: NDArray[np.float32]
) -> None:
    """Write the features of samples.

    Args:
        store: the history.
        samples: N samples at their places.
        values: their features in the order of `FEATURES`, shape (N, F).
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
        },
    )
