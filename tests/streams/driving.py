"""Drive a join worker and check its outputs against plain joiners."""

from pathlib import Path

from mainstem.join import imbalance
from tests.join.shop import short
from tests.streams.fakes import Bench, Log, as_stored, plainly

PARTITIONS = 3
SETTINGS = short(partitions=PARTITIONS, snapshot_every=23)


def bench(folder: Path, log: Log) -> Bench:
    """Return a new worker over the snapshots in a folder."""
    return Bench(SETTINGS, log, folder)


async def run_whole(at: Bench, *, size: int = 20) -> None:
    """Deliver the whole log in batches to a worker that owns every partition."""
    at.worker.own(at.log.values)
    position = {partition: at.log.first(partition) for partition in at.log.values}
    while any(position[partition] < at.log.end(partition) for partition in position):
        batch = {}
        for partition, begin in position.items():
            position[partition] = min(begin + size, at.log.end(partition))
            batch[partition] = at.log.delivered(partition, begin, position[partition])
        await at.worker.take(
            {partition: records for partition, records in batch.items() if records}
        )
    await read_on(at)
    # Without this wait, closing the event loop drops snapshots that are still being written.
    await at.worker.saved()


async def read_on(at: Bench) -> None:
    """Read the rest of the log directly."""
    for partition in at.log.values:
        await at.worker.catch_up(partition, at.log.end(partition))


async def finish(at: Bench) -> None:
    """Assign every partition to the worker and read the rest of the log."""
    at.worker.own(at.log.values)
    await read_on(at)


def check_all(at: Bench) -> None:
    """Assert that the outputs equal those of plain joiners and that every ledger row balances."""
    expected = [plainly(at.log, partition) for partition in at.log.values]
    assert set().union(*(as_stored(joined.samples) for joined in expected)) == as_stored(
        at.send.samples()
    )
    assert {row for joined in expected for row in map(repr, joined.rejections)} == set(
        map(repr, at.send.rejections())
    )
    for joined in expected:
        rows = [row for row in at.send.rows() if row.partition == joined.row.partition]
        assert joined.row == max(rows, key=lambda row: row.next_offset)
        assert [] == [row for row in rows if imbalance(row)]
        assert joined.hours == at.send.hours(joined.row.partition)
