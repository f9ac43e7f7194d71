"""A join worker sends what a plain joiner gives, whatever is delivered to whichever owner."""

import asyncio
import random
from pathlib import Path

import pytest

from mainstem.behaviour import HOUR
from mainstem.events import Item
from mainstem.join import imbalance
from mainstem.join.route import partition_of_question
from mainstem.kafka import Record
from mainstem.kafka.messages import decode_samples
from tests.join.shop import view
from tests.streams.driving import PARTITIONS, SETTINGS, bench, check_all, finish, run_whole
from tests.streams.fakes import Bench, Log, as_stored, plainly, shop_log


def test_what_is_sent_is_what_a_plain_joiner_gives(tmp_path: Path) -> None:
    """A log delivered in full gives the samples of a plain joiner once and in order."""
    at = bench(tmp_path, shop_log(random.Random(1), PARTITIONS, 150))
    asyncio.run(run_whole(at))
    sent = at.send.samples()
    for partition in at.log.values:
        expected = plainly(at.log, partition).samples
        known = as_stored(expected)
        assert len(expected) > 50
        assert expected == [sample for sample in sent if as_stored([sample]) <= known]
    check_all(at)
    assert sum(map(len, at.log.values.values())) == at.worker.events


def test_samples_go_to_the_partition_of_their_question(tmp_path: Path) -> None:
    """A record of `samples` holds one question's samples, keyed and partitioned by its id."""
    at = bench(tmp_path, shop_log(random.Random(2), PARTITIONS, 60))
    asyncio.run(run_whole(at))
    records = [record for record in at.send.records if record[0] == "samples"]
    assert records
    for _, key, value, partition in records:
        [question] = {sample.question_id for sample in decode_samples(value)}
        assert (question.bytes, partition_of_question(question, PARTITIONS)) == (key, partition)


class Owners:
    """Drives a worker as Faust may: loses and repeats batches and moves partitions at any time."""

    def __init__(self, at: Bench, chance: random.Random) -> None:
        self._at, self._chance = at, chance
        self._next: dict[int, int] = {}
        at.send.interrupt = self._interrupt
        self.taken_away = 0

    def _interrupt(self, _: int) -> None:
        if self._chance.random() < 0.05:
            self.taken_away += 1
            self.settle_anew()

    def settle_anew(self) -> None:
        """Assign any partitions to the worker, maybe none, and resume at the committed offsets."""
        log, worker = self._at.log, self._at.worker
        if self._chance.random() < 0.3:
            worker.disown()
        else:
            worker.own(partition for partition in log.values if self._chance.random() < 0.7)
        self._next = {
            partition: log.stands.get(partition, log.first(partition)) for partition in log.values
        }

    async def one(self) -> None:
        """Move partitions, catch up with one of them, or deliver a batch."""
        what, log, worker = self._chance.random(), self._at.log, self._at.worker
        if what < 0.1:
            self.settle_anew()
        elif what < 0.2:
            await worker.catch_up(self._chance.choice(list(log.values)))
        else:
            batch = {
                partition: self._deliver(partition)
                for partition in log.values
                if self._chance.random() < 0.7
            }
            for partition in await worker.take(
                {partition: records for partition, records in batch.items() if records}
            ):
                done = batch[partition][-1].offset + 1
                log.stands[partition] = max(done, log.stands.get(partition, 0))

    def _deliver(self, partition: int) -> list[Record]:
        log, chance = self._at.log, self._chance
        begin = self._next.get(partition, log.first(partition))
        if chance.random() < 0.2:  # deliver records again
            begin = chance.randint(log.first(partition), begin)
        if chance.random() < 0.2:  # lose records
            begin = min(begin + chance.randrange(20), log.end(partition))
        end = min(begin + chance.randrange(1, 40), log.end(partition))
        self._next[partition] = end
        records = log.delivered(partition, begin, end)
        return [record for record in records if chance.random() < 0.95]


@pytest.mark.parametrize("seed", range(12))
def test_partitions_may_change_hands_at_any_time(tmp_path: Path, seed: int) -> None:
    """Partitions that change hands between or within batches leave the results unchanged."""
    chance = random.Random(seed)
    at = bench(tmp_path, shop_log(chance, PARTITIONS, 120, jump=HOUR if seed % 2 else 0))
    owners = Owners(at, chance)

    async def run() -> None:
        at.worker.own(at.log.values)
        for _ in range(25):
            await owners.one()
        at.send.interrupt = lambda sent: None  # noqa: ARG005
        await finish(at)

    asyncio.run(run())
    check_all(at)
    assert owners.taken_away
    assert at.worker.filled


def test_partitions_of_others_are_neither_joined_nor_acknowledged(tmp_path: Path) -> None:
    """A worker sends, reads, loads and acknowledges nothing of partitions that it does not own."""
    at = bench(tmp_path, shop_log(random.Random(3), PARTITIONS, 40))

    async def run() -> set[int]:
        at.worker.own([1])
        await at.worker.catch_up(2, 10)
        return await at.worker.take(
            {partition: at.log.delivered(partition, 0, 30) for partition in at.log.values}
        )

    assert {1} == asyncio.run(run())
    assert {1} == {row.partition for row in at.send.rows()}
    assert {1} == set(at.worker.loaded)


def test_nothing_is_acknowledged_while_the_group_settles(tmp_path: Path) -> None:
    """A worker acknowledges nothing between the revocation and the assignment of partitions."""
    at = bench(tmp_path, shop_log(random.Random(3), 1, 40))

    async def run() -> list[set[int]]:
        at.worker.own([0])
        at.worker.disown()
        refused = await at.worker.take({0: at.log.delivered(0, 0, 10)})
        at.worker.own([0])
        return [refused, await at.worker.take({0: at.log.delivered(0, 0, 10)})]

    assert [set(), {0}] == asyncio.run(run())


def test_a_new_deployment_begins_at_what_the_broker_still_has(tmp_path: Path) -> None:
    """A deployment begins at the oldest offset of the broker, and its ledger balances."""
    log = shop_log(random.Random(4), 1, 100)
    log.firsts[0] = 7
    at = bench(tmp_path, log)
    asyncio.run(run_whole(at))
    check_all(at)
    last = at.send.rows()[-1]
    assert (7, log.end(0), 0) == (last.first_offset, last.next_offset, imbalance(last))


def test_offsets_without_a_record_are_control(tmp_path: Path) -> None:
    """Every offset without a record is counted as control, at either end or within the log."""
    log = shop_log(random.Random(6), 1, 50, tick=False)
    log.values[0] = [None, None, *log.values[0], None]
    at = bench(tmp_path, log)
    asyncio.run(run_whole(at))
    assert log.values[0].count(None) == at.send.rows()[-1].counts["control"]
    check_all(at)


def test_the_catalogue_is_read_before_each_batch(tmp_path: Path) -> None:
    """The catalogue is read before each batch, so an item sent between two batches is known."""
    from mainstem.events import Tick, encode

    lines = [
        encode(view("e1", 1, "new")),
        encode(view("e2", 2, "new")),
        encode(Tick(event_timestamp=5000)),
    ]
    at = Bench(SETTINGS, Log({0: lines}), tmp_path)

    async def run() -> None:
        at.worker.own([0])
        await at.worker.take({0: at.log.delivered(0, 0, 2)})
        at.items.coming.append(
            Item(event_id="i", event_timestamp=0, item_id="new", title="brand new")
        )
        await at.worker.take({0: at.log.delivered(0, 2, 3)})
        at.items.coming.append(
            Item(event_id="j", event_timestamp=0, item_id="newer", title="newer")
        )
        await at.worker.catch_up(0, 3)

    asyncio.run(run())
    assert [("items",), ("sent", "ledger"), ("items",)] == at.told[:3]
    assert ("items",) == at.told[-1]
    assert ["brand new"] * 2 == [sample.item_text for sample in at.send.samples()]


def test_what_is_behind_is_counted_from_where_a_joiner_stands(tmp_path: Path) -> None:
    """The lag counts from the joiner in loaded partitions and from the beginning in others."""
    at = bench(tmp_path, Log({0: [b"bad"] * 10, 1: [b"bad"] * 4, 2: [b"bad"]}))

    async def run() -> dict[int, int]:
        at.worker.own([0, 1])
        await at.worker.take({0: at.log.delivered(0, 0, 7)})
        return await at.worker.lag()

    assert {0: 3, 1: 4} == asyncio.run(run())


def test_a_caught_up_partition_stands_where_the_group_does(tmp_path: Path) -> None:
    """A partition is caught up to the committed offset by default, or not at all without one."""
    at = bench(tmp_path, Log({0: [b"bad"] * 10, 1: [b"bad"] * 4}, stands={0: 6}))

    async def run() -> dict[int, int]:
        at.worker.own([0, 1])
        await at.worker.catch_up(0)
        await at.worker.catch_up(1)
        return {
            partition: loaded.joiner.next_offset for partition, loaded in at.worker.loaded.items()
        }

    assert {0: 6, 1: 0} == asyncio.run(run())


def test_counts_of_doors_outlive_their_partitions(tmp_path: Path) -> None:
    """The counts of filled and dropped records add up over all owners of a partition."""
    at = bench(tmp_path, Log({0: [b"bad"] * 10}))

    async def run() -> None:
        at.worker.own([0])
        await at.worker.take({0: [*at.log.delivered(0, 4, 6), *at.log.delivered(0, 4, 6)]})
        at.worker.own([0])
        await at.worker.take({0: at.log.delivered(0, 9, 10)})

    asyncio.run(run())
    assert (4 + 9, 2, 2) == (at.worker.filled, at.worker.dropped, at.worker.rebalances)
