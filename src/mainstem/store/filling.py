"""Fill table `responses` with made-up rows and empty it, for benches with their own history."""

from typing import Final
from uuid import UUID

from mainstem.store.store import Store

__all__ = ["empty_responses", "fill_responses", "has_responses", "some_filled"]

_VISITS: Final = 10  # per sample


def has_responses(store: Store) -> bool:
    """Whether the history holds any response."""
    return bool(store.rows("SELECT 1 FROM responses LIMIT 1"))


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
        INSERT INTO responses WITH intDiv(number, {_VISITS}) AS sample
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
