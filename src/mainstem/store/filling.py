"""Fill tables with made-up rows and empty them, for benches with their own history."""

from typing import Final
from uuid import UUID

from mainstem.store.store import Store

__all__ = [
    "empty_counts",
    "empty_responses",
    "fill_counts",
    "fill_responses",
    "has_rows",
    "some_filled",
]

_VISITS: Final = 10  # per sample


def has_rows(store: Store) -> bool:
    """Whether the history holds any response or count."""
    return any(store.rows(f"SELECT 1 FROM {table} LIMIT 1") for table in ("responses", "counts"))


def empty_responses(store: Store) -> None:
    """Delete all responses."""
    store.execute("TRUNCATE TABLE responses")


def fill_responses(store: Store, rows: int, event_time: int) -> int:
    """Make responses, ten for each sample.

    Args:
        store: the history.
        rows: how many responses to make.
        event_time: event time of the first sample, in milliseconds.

    Returns:
        The number of responses in the history.
    """
    sql = f"""
        INSERT INTO responses (sample_id, label_version, version, partition, offset, event_time,
                               label, part, norm, scale, loss, margin, alignment)
        WITH intDiv(number, {_VISITS}) AS sample
        SELECT reinterpretAsUUID(concat(
                   reinterpretAsFixedString(sipHash64(sample)), reinterpretAsFixedString(sample))),
               0, number % {_VISITS}, 0, sample,
               fromUnixTimestamp64Milli(toInt64({event_time} + sample)), 1, 'stream',
               rand32() / 4294967296, 1, 0.5, 0.1, NULL
        FROM numbers({{rows:UInt64}})"""
    store.execute(sql, rows=rows)
    [(count,)] = store.rows("SELECT count() FROM responses")
    return int(count)


def some_filled(store: Store, rows: int, most: int) -> list[UUID]:
    """Ids of samples that are spread over the filled table.

    Args:
        store: the history.
        rows: responses that the table was filled with.
        most: the largest number of ids to return.
    """
    step = max(rows // 500, 1)
    sql = f"SELECT sample_id FROM responses WHERE offset % {step} = {7 % step} LIMIT {most}"
    return [sample_id for (sample_id,) in store.rows(sql)]


def empty_counts(store: Store) -> None:
    """Delete all counts."""
    store.execute("TRUNCATE TABLE counts")


def fill_counts(store: Store, rows: int, items: int, end: int) -> int:
    """Make counts of the 90 days before an hour, five of pairs of items for each of an item.

    Args:
        store: the history.
        rows: how many counts to make, at most; some may be of the same key and hour.
        items: number of different items, whose ids are `item-0`, `item-1` and so on. A pair is of
            an item and one of the 50 after it.
        end: the hour.

    Returns:
        The number of counts in the history.
    """
    sql = """
        INSERT INTO counts (hour, kind, key, other, clicked, purchased)
        WITH sipHash64(number) AS chance, number % 6 > 0 AS paired,
             chance % {items:UInt32} AS item, (item + 1 + chance % 50) % {items:UInt32} AS beside,
             concat('item-', toString(item)) AS one, concat('item-', toString(beside)) AS two
        SELECT {end:UInt32} - 1 - intDiv(chance, 65536) % 2160, if(paired, 'pair', 'item'),
               if(paired, least(one, two), one), if(paired, greatest(one, two), ''), 1, chance % 2
        FROM numbers({rows:UInt64})"""
    store.execute(sql, rows=rows, items=items, end=end)
    [(count,)] = store.rows("SELECT count() FROM counts FINAL")
    return int(count)
