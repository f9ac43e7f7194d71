"""A direct read gives every offset that the broker has, and says which it no longer has."""

from collections.abc import Iterator
from typing import Any

import pytest

from mainstem.errors import BrokerError
from mainstem.kafka import Broker, DirectReader, Record
from tests.kafka.topic import (
    commit,
    delete_before,
    flip_a_byte,
    make,
    produce,
    produce_in_transactions,
)
from tests.services.processes import until

GROUP = "somebody"


@pytest.fixture
def broker(events_url: str) -> Broker:
    """A broker, with topics that no other test has."""
    return Broker.parse(events_url)


@pytest.fixture
def topic(broker: Broker) -> str:
    """An empty topic of two partitions."""
    return make(broker, "events", partitions=2)


@pytest.fixture
def reader(broker: Broker, topic: str) -> Iterator[DirectReader]:
    """A reader of the topic."""
    with DirectReader(broker, topic, GROUP) as made:
        yield made


def read_through(reader: DirectReader, first: int, end: int, most: int = 1000) -> list[Record]:
    """Read on until everything is there."""
    records: list[Record] = []
    while first < end:
        records += reader.read(0, first, end, most)
        first = records[-1].offset + 1
    return records


def test_a_topic_that_is_not_there_is_an_error(broker: Broker) -> None:
    """With the command that makes it."""
    with (
        DirectReader(broker, broker.topic("nowhere")) as reader,
        pytest.raises(BrokerError, match="`mainstem topics`"),
    ):
        reader.partitions()


def test_an_empty_partition_begins_and_ends_at_zero(reader: DirectReader) -> None:
    """Nothing to read, and no group stands anywhere."""
    assert [0, 1] == reader.partitions()
    assert (0, 0, None) == (reader.first(1), reader.end(1), reader.committed(1))
    assert [] == reader.read(1, 0, 0)


def test_first_end_and_committed(broker: Broker, topic: str, reader: DirectReader) -> None:
    """They move with what was deleted, written and committed."""
    produce(broker, topic, [b"%d" % number for number in range(9)])
    assert (0, 9, None) == (reader.first(0), reader.end(0), reader.committed(0))
    commit(broker, GROUP, topic, 5)
    commit(broker, "somebody else", topic, 7)
    delete_before(broker, topic, 4)
    assert (4, 9, 5) == (reader.first(0), reader.end(0), reader.committed(0))
    assert (0, 0, None) == (reader.first(1), reader.end(1), reader.committed(1))


def test_every_offset_is_read(broker: Broker, topic: str, reader: DirectReader) -> None:
    """From one offset to another, without the second; a record without a value is an empty one."""
    produce(broker, topic, [b"a", None, b"", b"d", b"e"])
    expected = [Record(0, b"a"), Record(1, b""), Record(2, b""), Record(3, b"d"), Record(4, b"e")]
    assert expected == reader.read(0, 0, 5)
    assert expected[1:4] == reader.read(0, 1, 4)


def test_markers_of_transactions_hold_no_record(
    broker: Broker, topic: str, reader: DirectReader
) -> None:
    """Each is None at its offset: within, at the end, and where nothing else is left to read."""
    produce_in_transactions(broker, topic, [([b"a", b"b"], True), ([b"c"], True)])
    produce(broker, topic, [b"d"])
    produce_in_transactions(broker, topic, [([b"e"], True)])
    values = [b"a", b"b", None, b"c", None, b"d", b"e", None]
    assert len(values) == reader.end(0)
    assert list(map(Record, range(8), values)) == reader.read(0, 0, 8)
    assert [Record(7, None)] == reader.read(0, 7, 8)
    assert [Record(2, None)] == reader.read(0, 2, 3)


def test_aborted_transactions_hold_no_record(
    broker: Broker, topic: str, reader: DirectReader
) -> None:
    """What was aborted is None at its offsets, also at the end and where nothing else is left to read."""
    produce_in_transactions(
        broker,
        topic,
        [([b"a"], True), ([b"never", b"mind"], False), ([b"b"], True), ([b"no"], False)],
    )
    values = [b"a", None, None, None, None, b"b", None, None, None]
    assert len(values) == reader.end(0)
    assert list(map(Record, range(9), values)) == reader.read(0, 0, 9)
    assert [Record(7, None), Record(8, None)] == reader.read(0, 7, 9)


def test_an_open_transaction_holds_the_end_back(
    broker: Broker, topic: str, reader: DirectReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end is where it began; how much waits is told; who reads beyond is told so, and does not wait for ever."""
    from kafka import KafkaProducer

    monkeypatch.setattr("mainstem.kafka.direct._SILENT_POLLS", 2)
    produce(broker, topic, [b"a"])
    producer = KafkaProducer(**broker.options, transactional_id=topic)
    producer.init_transactions()
    producer.begin_transaction()
    producer.send(topic, b"open", partition=0).get(30)
    produce(broker, topic, [b"b"])
    assert (1, 2) == (reader.end(0), reader.held_back(0))
    assert [Record(0, b"a")] == reader.read(0, 0, reader.end(0))
    with pytest.raises(
        BrokerError, match=r"a transaction that began there is still open; `kafka-transactions.sh"
    ):
        reader.read(0, 1, 3)
    producer.commit_transaction()
    producer.close()
    until(lambda: reader.end(0) == 4)  # the broker writes its marker a moment after it has answered
    assert 0 == reader.held_back(0)
    assert [b"open", b"b", None] == [record.value for record in reader.read(0, 1, 4)]


@pytest.mark.parametrize("codec", ["gzip", "lz4", "snappy", "zstd"])
def test_compressed_topics_are_read(broker: Broker, codec: str) -> None:
    """Whether the broker compresses or a producer does; batches of more than a megabyte too."""
    topic = make(broker, "items", **{"compression.type": codec})
    values = [b"%d" % number for number in range(20)] + [b"x" * 700_000, b"y" * 700_000]
    produce(broker, topic, values, linger_ms=50)
    produce(broker, topic, values, linger_ms=50, compression_type=codec, batch_size=2 << 20)
    with DirectReader(broker, topic) as reader:
        assert [*values, *values] == [record.value for record in read_through(reader, 0, 44)]


def test_a_batch_that_is_damaged_is_an_error(
    broker: Broker, topic: str, reader: DirectReader, kafka: Any
) -> None:
    """A byte that fell over on the broker's disk: topic, partition and offset are named, nobody goes round in a circle."""
    if not hasattr(kafka, "folder"):
        pytest.skip("the broker's disk is not ours")
    produce(broker, topic, [b"sound"])
    produce(broker, topic, [b"damaged"])
    flip_a_byte(kafka.folder, topic)
    assert [Record(0, b"sound")] == reader.read(0, 0, 1)
    with pytest.raises(
        BrokerError,
        match=rf"'{topic}' partition 0 at offset 1 holds a batch that cannot be decoded",
    ):
        reader.read(0, 1, 2)


def test_a_damaged_length_is_an_error(
    broker: Broker, topic: str, reader: DirectReader, kafka: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker then gives nothing at all and says nothing; whoever waits is told after half a minute."""
    if not hasattr(kafka, "folder"):
        pytest.skip("the broker's disk is not ours")
    monkeypatch.setattr("mainstem.kafka.direct._SILENT_POLLS", 2)
    produce(broker, topic, [b"damaged"])
    flip_a_byte(kafka.folder, topic, at=11)
    with pytest.raises(
        BrokerError, match="goes up to offset 1, but the broker gives no records from 0 on"
    ):
        reader.read(0, 0, 1)


def test_no_more_than_asked_for_come_at_once(
    broker: Broker, topic: str, reader: DirectReader
) -> None:
    """About `most` come; reading on from the last one gives the rest, and none twice."""
    produce(broker, topic, [b"%d" % number for number in range(250)], linger_ms=20)
    assert 100 == len(reader.read(0, 0, 250, most=100))
    assert list(range(250)) == [record.offset for record in read_through(reader, 0, 250, most=100)]
    assert [b"%d" % number for number in range(30, 60)] == [
        record.value for record in read_through(reader, 30, 60, most=7)
    ]


def test_records_larger_than_a_fetch_are_read(
    broker: Broker, topic: str, reader: DirectReader
) -> None:
    """Many megabytes come in several fetches, none left out."""
    values = [bytes([number]) * 900_000 for number in range(14)]
    produce(broker, topic, values)
    assert values == [record.value for record in read_through(reader, 0, 14)]


def test_reading_jumps_between_places(broker: Broker, topic: str, reader: DirectReader) -> None:
    """One reader serves partitions and offsets in any order."""
    produce(broker, topic, [b"a0", b"a1", b"a2"])
    produce(broker, topic, [b"b0", b"b1"], partition=1)
    assert [Record(2, b"a2")] == reader.read(0, 2, 3)
    assert [Record(0, b"b0"), Record(1, b"b1")] == reader.read(1, 0, 2)
    assert [Record(0, b"a0")] == reader.read(0, 0, 1)


def test_what_was_deleted_is_named(broker: Broker, topic: str, reader: DirectReader) -> None:
    """Which offsets are gone, of what, and what to do; what is left can be read."""
    produce(broker, topic, [b"%d" % number for number in range(9)])
    delete_before(broker, topic, 4)
    with pytest.raises(
        BrokerError, match=rf"offsets 2 to 3 of '{topic}' partition 0 are gone: .* longer retention"
    ):
        reader.read(0, 2, 9)
    assert [4, 5, 6, 7, 8] == [record.offset for record in reader.read(0, 4, 9)]


def test_what_compaction_took_holds_no_record(broker: Broker) -> None:
    """Offsets of keys that were written again are None; the newest of each key is there."""
    import time

    from kafka import KafkaProducer

    fast = {
        "min.cleanable.dirty.ratio": "0.01",
        "segment.ms": "100",
        "max.compaction.lag.ms": "200",
    }
    topic = make(broker, "versions", **{"cleanup.policy": "compact", **fast})
    producer = KafkaProducer(**broker.options)
    for number in range(6):
        producer.send(topic, b"%d" % number, key=b"key", partition=0).get(30)
    with DirectReader(broker, topic) as reader:
        for _ in range(60):
            time.sleep(0.5)
            producer.send(topic, b"last", key=b"other", partition=0).get(30)  # closes a segment
            records = read_through(reader, 0, reader.end(0))
            if all(record.value is None for record in records[:5]):
                break
        producer.close()
        assert list(range(len(records))) == [record.offset for record in records]
        assert [None] * 5 + [b"5"] == [record.value for record in records[:6]]
        assert b"last" == records[-1].value
