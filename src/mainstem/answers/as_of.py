"""What a history had at an earlier place of its log, held against a replay up to that place, table by table.

Everything that a log prefix gives must be equal. Responses may be apart by what another order of sums makes; a sample may
stand elsewhere only where its figures are apart by as little, and is listed then.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from mainstem.store.then import BY_THEN, StandingThen, Then

__all__ = ["Ask", "Held", "compare"]

Ask: TypeAlias = Callable[..., list[tuple[tuple[str, ...], list[tuple[Any, ...]]]]]
"""Column names and rows for each of some questions in SQL, given with their parameters."""
_AGREE: Final = 1e-4
_NEAR: Final = 1e-3
_FIRST: Final = 3  # differences that are told
_KEYS: Final = {
    "samples": 2,
    "labels": 2,
    "ledger": 2,
    "rejected": 2,
    "responses": 3,
    "judgements": 1,
    "standings": 1,
}
_FIGURES: Final = ("p_value", "evidence", "importance", "margin")
_Row: TypeAlias = tuple[Any, ...]


@dataclass
class Held:
    """One table, held against its replay.

    Attributes:
        table: its name.
        rows: how many were compared.
        differ: how many differ, or are on one side only.
        first: the first of those, in words.
        near: samples that stand elsewhere where their figures are a little apart, in words.
        worst: the largest relative difference of two numbers that agree.
    """

    table: str
    rows: int
    differ: int
    first: list[str]
    near: list[str]
    worst: float


def compare(there: Ask, replayed: Ask, places: Iterable[Then]) -> list[Held]:
    """Hold a history against a replay.

    Args:
        there: asks the history.
        replayed: asks the replay.
        places: how far each partition had come.
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
        told = "not there" if two is None else "there, and not replayed" if one is None else ""
        if one and two:
            told = "; ".join(_differences(held, one, two))
        if not told:
            continue
        where = ", ".join(
            f"{name} {value}"
            for name, value in zip(BY_THEN[held.table].row._fields, key, strict=False)
        )
        line = f"partition {partition}, {where}: {told}"
        if one and two and _is_near(held.table, one, two):
            held.near.append(line)
            continue
        held.differ += 1
        held.first += [line] if len(held.first) < _FIRST else []


def _by_key(rows: Iterable[_Row], size: int) -> Mapping[_Row, Any]:
    return {row[:size]: row for row in rows}


def _differences(held: Held, one: Any, two: Any) -> Iterator[str]:
    """Each field that differs; notes how far numbers are apart that agree."""
    # subtle: a log that grew was judged where it had ended, so of two equal standings the older one may be there
    same = not isinstance(one, StandingThen) or one.judgement == two.judgement
    for name, mine, other in zip(one._fields, one, two, strict=True):
        if name in (*_FIGURES, "judgement") and not same:
            continue
        apart = _apart(mine, other)
        if apart > _AGREE:
            yield f"{name} {other!r} there, {mine!r} replayed"
        else:
            held.worst = max(held.worst, apart)


def _apart(one: Any, two: Any) -> float:
    """How far two values are apart: numbers that were computed relatively, all else wholly or not at all."""
    if isinstance(one, float) and isinstance(two, float):
        return (
            abs(one - two) / max(abs(one), abs(two), 1.0) if math.isfinite(one - two) else math.inf
        )
    return 0.0 if one == two else math.inf


def _is_near(table: str, one: Any, two: Any) -> bool:
    """Whether a sample stands elsewhere because of how numbers are rounded: its own are apart too, by little."""
    if (
        table != "standings"
        or one.label_version != two.label_version
        or one.judgement != two.judgement
    ):
        return False
    apart = [_apart(getattr(one, name), getattr(two, name)) for name in _FIGURES]
    return 0 < max(apart) <= _NEAR
