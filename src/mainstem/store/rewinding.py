"""Take a history back to a checkpoint: delete what was written later, because it is done again."""

from collections.abc import Mapping
from typing import Final

from mainstem.errors import HomeError
from mainstem.store.costs import PLACED_KINDS
from mainstem.store.reads import sample_ends
from mainstem.store.store import Store

__all__ = ["rewind"]

_BY_OFFSET: Final = (
    "samples",
    "features",
    "responses",
    "sketches",
    "representations",
    "estimates",
)
_BY_JUDGEMENT: Final = ("moves", "judgements", "standings")
_BY_VERSION: Final = (
    "draws",
    "rounds",
    "versions",
    "responses",
    "sketches",
    "representations",
    "estimates",
    "costs",
)
_BY_HOUR: Final = ("counts", "hours")
_LATER_IN: Final = """
    DELETE FROM {table} WHERE partition = {{partition:UInt32}} AND {beyond} {{end:UInt64}}"""


def rewind(store: Store, ends: Mapping[int, int], rounds: int, hours: Mapping[int, int]) -> None:
    """Delete what was written after a checkpoint.

    Doing it again would not overwrite all of it: if the log has grown since, other rows may result.

    Args:
        store: the history.
        ends: next position of each partition at the checkpoint.
        rounds: number of rounds at the checkpoint.
        hours: first hour of each partition that was not closed at the checkpoint. Provisional hours
            are always later.

    Raises:
        HomeError: if the history lacks samples that were written before the checkpoint.
    """
    _refuse_missing(store, ends)
    for partition, end in ends.items():
        at = {"partition": partition, "end": end}
        for table in _BY_OFFSET:
            store.execute(_LATER_IN.format(table=table, beyond="offset >="), **at)
        # subtle: those of rounds have no position
        placed = f"kind IN {PLACED_KINDS} AND offset >="
        store.execute(_LATER_IN.format(table="costs", beyond=placed), **at)
        for table in _BY_JUDGEMENT:
            store.execute(_LATER_IN.format(table=table, beyond="judgement >"), **at)
    for partition, hour in hours.items():
        at = {"partition": partition, "end": hour}
        for table in _BY_HOUR:
            store.execute(_LATER_IN.format(table=table, beyond="hour >="), **at)
    for table in _BY_VERSION:
        store.execute(f"DELETE FROM {table} WHERE version > {{rounds:UInt32}}", rounds=rounds)
    store.execute("DELETE FROM evaluations WHERE round > {rounds:UInt32}", rounds=rounds)
    store.execute("INSERT INTO standings SELECT * EXCEPT (before, event_time) FROM moves FINAL")


def _refuse_missing(store: Store, ends: Mapping[int, int]) -> None:
    there = sample_ends(store)
    for partition, end in ends.items():
        if there.get(partition, 0) < end:
            msg = (
                f"the history holds {there.get(partition, 0):,} samples of partition {partition}, "
                f"and {end:,} were written; "
                "restore the whole home from a copy, or begin again: --from-start"
            )
            raise HomeError(msg)
