"""A new join worker resumes from a snapshot, which is saved after its outputs were delivered."""

import asyncio
import random
from pathlib import Path

import pytest

from mainstem.behaviour import HOUR
from mainstem.errors import BrokerError, SettingError
from mainstem.events import decode
from mainstem.join import Joiner
from mainstem.kafka import Record
from mainstem.kafka.messages import decode_samples
from tests.join.shop import KEY, NAMES, shelf
from tests.streams.driving import PARTITIONS, SETTINGS, bench, check_all, finish, run_whole
from tests.streams.fakes import Log, as_stored, plainly, shop_log


class DeadError(Exception):
    """Stands for the death of the program."""


@pytest.mark.parametrize("seed", range(4))
def test_a_snapshot_is_saved_after_its_outputs_were_delivered(tmp_path: Path, seed: int) -> None:
    """A snapshot is saved only after all outputs up to its offset were delivered."""
    at = bench(tmp_path, shop_log(random.Random(seed), 1, 200))
    asyncio.run(run_whole(at))
    saved = [event[1:] for event in at.told if event[0] == "saved"]
    assert list(range(23, at.log.end(0), 23)) == [snapshot.next_offset for snapshot, _ in saved]
    for snapshot, delivered in saved:
        before = at.send.records[:delivered]
        known = [
            sample
            for topic, _, value, _ in before
            if topic == "samples"
            for sample in decode_samples(value)
        ]
        prefix = Log({0: at.log.values[0][: snapshot.next_offset]})
        expected = plainly(prefix, 0).samples
        assert expected == known[: len(expected)]


def test_the_state_of_a_snapshot_is_that_of_its_prefix(tmp_path: Path) -> None:
    """A snapshot equals that of a plain joiner that read up to its offset."""
    at = bench(tmp_path, shop_log(random.Random(5), 1, 80))
    asyncio.run(run_whole(at))
    kept = at.snapshots.newest(0)
    joiner = Joiner(0, SETTINGS, shelf(*NAMES), KEY)
    for offset, value in enumerate(at.log.values[0][: kept.next_offset]):
        list(joiner.step(offset, None if value is None else decode(value)))
    assert joiner.snapshot() == kept


@pytest.mark.parametrize("seed", range(6))
def test_after_a_crash_nothing_is_missing(tmp_path: Path, seed: int) -> None:
    """After a crash a new worker sends again what no snapshot covers, and the results agree."""
    chance = random.Random(seed)
    at = bench(tmp_path, shop_log(chance, PARTITIONS, 150, jump=HOUR if seed % 2 else 0))
    last = chance.randrange(3, 150)

    def die(sent: int) -> None:
        if sent == last:
            raise DeadError

    at.send.interrupt = die
    with pytest.raises(DeadError):
        asyncio.run(run_whole(at, size=15))
    # A snapshot may still be being written.
    at.worker._files.shutdown()
    covered = {partition: at.snapshots.newest(partition) for partition in at.log.values}
    after = bench(tmp_path, at.log)
    asyncio.run(finish(after))
    for partition, snapshot in covered.items():
        done = snapshot.next_offset if snapshot else 0
        prefix = Log({partition: at.log.values[partition][:done]})
        again = as_stored(plainly(at.log, partition).samples) - as_stored(
            plainly(prefix, partition).samples
        )
        of_it = {
            told
            for told in as_stored(after.send.samples())
            if told in as_stored(plainly(at.log, partition).samples)
        }
        assert again == of_it
    at.send.records[:] = [*at.send.records[: last - 1], *after.send.records]
    check_all(at)


def test_what_was_deleted_after_a_snapshot_is_an_error(tmp_path: Path) -> None:
    """A worker stops when the records after its snapshot were deleted."""
    log = shop_log(random.Random(4), 1, 100)
    asyncio.run(run_whole(bench(tmp_path, Log({0: log.values[0][:30]}))))

    class Gone(Log):
        def read(self, partition: int, first: int, end: int, most: int = 1000) -> list[Record]:
            if first < 50:
                msg = "gone"
                raise BrokerError(msg)
            return super().read(partition, first, end, most)

    at = bench(tmp_path, Gone(log.values))

    async def run() -> None:
        at.worker.own([0])
        await at.worker.take({0: log.delivered(0, 50, 60)})

    with pytest.raises(BrokerError, match="gone"):
        asyncio.run(run())
    assert [] == at.send.records


def test_a_snapshot_ahead_of_its_topic_is_refused(tmp_path: Path) -> None:
    """A snapshot ahead of its topic is refused, as after topics were made anew."""
    asyncio.run(run_whole(bench(tmp_path, shop_log(random.Random(5), 1, 80))))
    with pytest.raises(
        SettingError,
        match=r"stands at offset .* ends at 5: the snapshot belongs to another cluster",
    ):
        asyncio.run(run_whole(bench(tmp_path, shop_log(random.Random(5), 1, 4))))
