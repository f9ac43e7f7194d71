"""A history goes back to a checkpoint: what was written after it is forgotten, because it is done again."""

from collections.abc import Mapping
from typing import Final

from mainstem.errors import HomeError
from mainstem.store.reads import sample_ends
from mainstem.store.store import Store

__all__ = ["rewind"]

_BY_OFFSET: Final = ("samples", "responses", "sketches")
_BY_JUDGEMENT: Final = ("moves", "judgements", "standings")
_BY_VERSION: Final = ("draws", "rounds", "versions", "responses", "sketches")


def rewind(store: Store, ends: Mapping[int, int], rounds: int) -> None:
    """Forget what was written after a checkpoint; a log that grew may do it otherwise.

    Args:
        store: the history.
        ends: the next position of each partition at the checkpoint.
        rounds: how many rounds there were.

    Raises:
        HomeError: if the history lacks samples that were written before the checkpoint.
    """
    _refuse_missing(store, ends)
    for partition, end in ends.items():
        at = {"partition": partition, "end": end}
        for table in _BY_OFFSET:
            store.execute(
                f"DELETE FROM {table} WHERE partition = {{partition:UInt32}} AND offset >= {{end:UInt64}}",
                **at,
            )
        for table in _BY_JUDGEMENT:
            store.execute(
                f"DELETE FROM {table} WHERE partition = {{partition:UInt32}} AND judgement > {{end:UInt64}}",
                **at,
            )
    for table in _BY_VERSION:
        store.execute(f"DELETE FROM {table} WHERE version > {{rounds:UInt32}}", rounds=rounds)
    store.execute("DELETE FROM evaluations WHERE round > {rounds:UInt32}", rounds=rounds)
    store.execute("INSERT INTO standings SELECT * EXCEPT (before, event_time) FROM moves FINAL")


def _refuse_missing(store: Store, ends: Mapping[int, int]) -> None:
    there = sample_ends(store)
    for partition, end in ends.items():
        if there.get(partition, 0) < end:
            msg = (
                f"the history holds {there.get(partition, 0):,} samples of partition {partition}, and {end:,} were written; "
                "restore the whole home from a copy, or begin again: --from-start"
            )
            raise HomeError(msg)
