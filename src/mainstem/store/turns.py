"""Turns: what scoring workers did that the schedule does not determine."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.judged import last_judgement
from mainstem.store.named import Query
from mainstem.store.store import Store
from mainstem.store.writes import columns_of_tuples

__all__ = [
    "AGAIN",
    "JUDGE",
    "TAKE_OVER",
    "TAKE_UP",
    "TURNS",
    "Turn",
    "last_turn",
    "newest_turns",
    "write_turns",
]

TAKE_OVER, TAKE_UP, AGAIN, JUDGE = "take over", "take up", "again", "judge"


class Turn(NamedTuple):
    """One turn of one partition.

    Attributes:
        partition: partition that the turn belongs to.
        number: number of the turn in its partition; turns are ordered by it.
        position: position of the next sample when the turn happens.
        version: version in use from the turn on.
        kind: `take over` (another worker goes on from here), `take up` (a version comes into use),
            `again` (samples are scored once more) or `judge` (a judgement at a position that the
            schedule does not name).
        samples: ids of the samples that the version scores again.
    """

    partition: int
    number: int
    position: int
    version: int
    kind: str
    samples: list[UUID]


_TURNS: Final = (
    "SELECT partition, number, position, version, toString(kind), samples FROM turns FINAL"
)
TURNS: Final = Query(Turn, f"{_TURNS} ORDER BY partition, number")
"""All turns, in order, partition by partition."""
_LAST: Final = Query(
    Turn, f"{_TURNS} WHERE partition = {{partition:UInt32}} ORDER BY number DESC LIMIT 1"
)
_NEWEST: Final = Query(
    Turn,
    f"""
    {_TURNS} WHERE partition = {{partition:UInt32}} AND number >= (
        SELECT max(number) FROM turns FINAL
        WHERE partition = {{partition:UInt32}} AND kind != 'take over')
    ORDER BY number""",
)
_SCORED: Final = """
    SELECT DISTINCT sample_id FROM responses
    WHERE partition = {partition:UInt32} AND version = {version:UInt32}
      AND sample_id IN {ids:Array(UUID)}"""


def write_turns(store: Store, turns: Sequence[Turn]) -> None:
    """Write turns; a turn replaces an earlier one with the same number."""
    store.write("turns", columns_of_tuples(turns))


def newest_turns(store: Store, partition: int) -> list[Turn]:
    """The last turn of a partition that is no take-over, and the take-overs after it, in order."""
    return _NEWEST.of(store, partition=partition)


def last_turn(store: Store, partition: int) -> Turn | None:
    """The last turn of a partition, cut down to the work that was done.

    A worker writes a turn before it does the work, and may have died in between.

    Returns:
        The turn, with only the samples that were scored. A turn `judge` whose judgement was not
        made comes back as a turn `again`. None before the first turn.
    """
    found = next(iter(_LAST.of(store, partition=partition)), None)
    if found is None:
        return None
    if found.kind == JUDGE:
        judged = last_judgement(store, partition, found.position)
        done = (
            judged is not None
            and judged.position == found.position
            and judged.version >= found.version
        )
        return found if done else found._replace(kind=AGAIN)
    rows = (
        store.rows(_SCORED, partition=partition, version=found.version, ids=found.samples)
        if found.samples
        else []
    )
    scored = {sample_id for (sample_id,) in rows}
    return found._replace(samples=[one for one in found.samples if one in scored])
