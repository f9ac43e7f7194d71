"""Compare what a history had at an earlier place of its log with a replay up to that place.

The comparison goes table by table, and all that follows from a log prefix must be equal. Numbers of
responses may differ by as much as another order of summation makes. A sample may have another
standing only where its figures differ by that little; such samples are listed.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from mainstem.store.then import BY_THEN, StandingThen, Then

__all__ = ["Ask", "Held", "compare"]

Ask: TypeAlias = Callable[..., list[tuple[tuple[str, ...], list[tuple[Any, ...]]]]]
"""Asks a history: questions in SQL and their parameters in, column names and rows of each out."""
# relative difference up to which two numbers agree
_AGREE: Final = 1e-4
# relative difference up to which figures excuse another standing
_NEAR: Final = 1e-3
# differences that are put into words
_FIRST: Final = 3
# columns, from the left, that identify a row
_KEYS: Final = {
    "samples": 2,
    "labels": 2,
    "features": 1,
    "ledger": 2,
    "rejected": 2,
    "hours": 1,
    "counts": 5,
    "responses": 3,
    "judgements": 1,
    "standings": 1,
}
_FIGURES: Final = ("p_value", "evidence", "importance", "margin")
_Row: TypeAlias = tuple[Any, ...]


@dataclass
class Held:
    """The comparison of one table with its replay.

    Attributes:
        table: name of the table.
        rows: rows that the replay has of it.
        differ: rows that differ or that only one side has.
        first: the first few of those, in words.
        near: samples with another standing whose figures differ by little, in words.
        worst: largest relative difference of two numbers that count as equal.
    """

    table: str
    rows: int
    differ: int
    first: list[str]
    near: list[str]
    worst: float


def compare(there: Ask, replayed: Ask, places: Iterable[Then]) -> list[Held]:
    """Compare a history with a replay.

    Args:
        there: asks the history.
        replayed: asks the history of the replay.
        places: how far each partition had come.

    Returns:
        One comparison for each table of `BY_THEN`, over all partitions.
    """
    held = {table: Held(table, 0, 0, [], [], 0.0) for table in BY_THEN}
    for place in places:
        questions, bounds = [query.sql for query in BY_THEN.values()], place._asdict()
        ours, theirs = replayed(questions, **bounds), there(questions, **bounds)
        for (table, query), (_, mine), (_, other) in zip(
            BY_THEN.items(), ours, theirs, strict=True
        ):
            _hold(held[table], place.partition, query.typed(mine), query.typed(other))
    return list(held.values())


def _hold(held: Held, partition: int, ours: Sequence[Any], theirs: Sequence[Any]) -> None:
    size = _KEYS[held.table]
    mine, other = _by_key(ours, size), _by_key(theirs, size)
    held.rows += len(mine)
    for key in sorted(mine.keys() | other.keys()):
        one, two = mine.get(key), other.get(key)
        difference = "not there" if two is None else "there, and not replayed"
        if one and two:
            difference = "; ".join(_differences(held, one, two))
        if not difference:
            continue
        names = BY_THEN[held.table].row._fields
        where = ", ".join(f"{name} {value}" for name, value in zip(names, key, strict=False))
        line = f"partition {partition}, {where}: {difference}"
        if one and two and _is_near(held.table, one, two):
            held.near.append(line)
            continue
        held.differ += 1
        held.first += [line] if len(held.first) < _FIRST else []


def _by_key(rows: Iterable[_Row], size: int) -> Mapping[_Row, Any]:
    return {row[:size]: row for row in rows}


def _differences(held: Held, one: Any, two: Any) -> Iterator[str]:
    """Each field that differs, in words; updates the largest difference of numbers that agree."""
    # subtle: a log that grew was judged at its former end too; a sample that moved there keeps that
    # move, while the replay moves it to the same standing at a later judgement, with other figures
    same = not isinstance(one, StandingThen) or one.judgement == two.judgement
    for name, mine, other in zip(one._fields, one, two, strict=True):
        if name in (*_FIGURES, "judgement") and not same:
            continue
        apart = _apart(mine, other)
        if apart > _AGREE:
            yield f"{name} {_shown(other)} there, {_shown(mine)} replayed"
        else:
            held.worst = max(held.worst, apart)


def _shown(value: Any) -> str:
    return "[" + ", ".join(f"{one:.4g}" for one in value) + "]" if _is_list(value) else repr(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _apart(one: Any, two: Any) -> float:
    """Relative difference of two floats; of other values 0 if they are equal, else infinity.

    Lists are as far apart as their values that are furthest apart.
    """
    if _is_list(one) and _is_list(two) and len(one) == len(two):
        return max((_apart(*pair) for pair in zip(one, two, strict=True)), default=0.0)
    if not (isinstance(one, float) and isinstance(two, float)):
        return 0.0 if one == two else math.inf
    if not math.isfinite(one - two):
        return math.inf
    return abs(one - two) / max(abs(one), abs(two), 1.0)


def _is_near(table: str, one: Any, two: Any) -> bool:
    """Whether rounding explains another standing: the figures of the sample differ by little."""
    if table != "standings":
        return False
    if (one.label_version, one.judgement) != (two.label_version, two.judgement):
        return False
    apart = [_apart(getattr(one, name), getattr(two, name)) for name in _FIGURES]
    return 0 < max(apart) <= _NEAR
