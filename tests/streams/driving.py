"""How tests of joining drive a worker, and what must have come of it."""

from pathlib import Path

from mainstem.join import imbalance
from tests.join.shop import short
from tests.streams.fakes import Bench, Log, plainly, told_of

PARTITIONS = 3
SETTINGS = short(partitions=PARTITIONS, snapshot_every=23)


def bench(folder: Path, log: Log) -> Bench:
    """A new worker over the snapshots in a folder."""
    return Bench(SETTINGS, log, folder)


async def run_whole(at: Bench, *, size: int = 20) -> None:
    """Deliver everything, batch by batch, to a worker that owns all."""
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
    await at.worker.saved()  # otherwise the end of the loop drops those on their way


async def read_on(at: Bench) -> None:
    """Read directly what is left."""
    for partition in at.log.values:
        await at.worker.catch_up(partition, at.log.end(partition))


async def finish(at: Bench) -> None:
    """Own everything anew, and read what is left."""
    at.worker.own(at.log.values)
    await read_on(at)


def check_all(at: Bench) -> None:
    """Samples, refused events and last ledger rows are those of plain joiners; no ledger row is another one's."""
    expected = [plainly(at.log, partition) for partition in at.log.values]
    assert set().union(*(told_of(joined.samples) for joined in expected)) == told_of(
        at.send.samples()
    )
    assert {row for joined in expected for row in map(repr, joined.rejections)} == set(
        map(repr, at.send.rejections())
    )
    for joined in expected:
        rows = [row for row in at.send.rows() if row.partition == joined.row.partition]
        assert joined.row == max(rows, key=lambda row: row.next_offset)
        assert [] == [row for row in rows if imbalance(row)]
