"""A direct read gives every offset that the broker has, and names those that are gone."""

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
    """A broker with topics of this test alone."""
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
    """Read until the end, several times if needed."""
    records: list[Record] = []
    while first < end:
        records += reader.read(0, first, end, most)
        first = records[-1].offset + 1
    return records


def test_a_topic_that_is_not_there_is_an_error(broker: Broker) -> None:
    """The error for a missing topic has the command that makes it."""
    with (
        DirectReader(broker, broker.topic("nowhere")) as reader,
        pytest.raises(BrokerError, match="`mainstem topics`"),
    ):
        reader.partitions()


def test_an_empty_partition_begins_and_ends_at_zero(reader: DirectReader) -> None:
    """An empty partition has no records and no committed offset."""
    assert [0, 1] == reader.partitions()
    assert (0, 0, None) == (reader.first(1), reader.end(1), reader.committed(1))
    assert [] == reader.read(1, 0, 0)


def test_first_end_and_committed(broker: Broker, topic: str, reader: DirectReader) -> None:
    """First, end and committed offsets follow deletes, writes and commits."""
    produce(broker, topic, [b"%d" % number for number in range(9)])
    assert (0, 9, None) == (reader.first(0), reader.end(0), reader.committed(0))
    commit(broker, GROUP, topic, 5)
    commit(broker, "somebody else", topic, 7)
    delete_before(broker, topic, 4)
    assert (4, 9, 5) == (reader.first(0), reader.end(0), reader.committed(0))
    assert (0, 0, None) == (reader.first(1), reader.end(1), reader.committed(1))


def test_every_offset_is_read(broker: Broker, topic: str, reader: DirectReader) -> None:
    """All offsets but the end are read, and a record without a value is empty."""
    produce(broker, topic, [b"a", None, b"", b"d", b"e"])
    expected = [Record(0, b"a"), Record(1, b""), Record(2, b""), Record(3, b"d"), Record(4, b"e")]
    assert expected == reader.read(0, 0, 5)
    assert expected[1:4] == reader.read(0, 1, 4)


def test_markers_of_transactions_hold_no_record(
    broker: Broker, topic: str, reader: DirectReader
) -> None:
    """The marker of a transaction is None at its offset, wherever it is."""
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
    """Records of aborted transactions are None at their offsets, wherever they are."""
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
    """The end is where the open transaction begins, and reading beyond it is an error."""
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
    # the broker writes the marker shortly after it has answered
    until(lambda: reader.end(0) == 4)
    assert 0 == reader.held_back(0)
    assert [b"open", b"b", None] == [record.value for record in reader.read(0, 1, 4)]


@pytest.mark.parametrize("codec", ["gzip", "lz4", "snappy", "zstd"])
def test_compressed_topics_are_read(broker: Broker, codec: str) -> None:
    """Large and small batches are read, whether broker or producer compresses them."""
    topic = make(broker, "items", **{"compression.type": codec})
    values = [b"%d" % number for number in range(20)] + [b"x" * 700_000, b"y" * 700_000]
    produce(broker, topic, values, linger_ms=50)
    produce(broker, topic, values, linger_ms=50, compression_type=codec, batch_size=2 << 20)
    with DirectReader(broker, topic) as reader:
        assert [*values, *values] == [record.value for record in read_through(reader, 0, 44)]


def test_a_batch_that_is_damaged_is_an_error(
    broker: Broker, topic: str, reader: DirectReader, kafka: Any
) -> None:
    """The error for a damaged batch on disk names topic, partition and offset."""
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
    """A damaged length, for which the broker sends nothing, becomes an error after a time."""
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
    """A read gives about `most` records, and reading on gives the rest, none twice."""
    produce(broker, topic, [b"%d" % number for number in range(250)], linger_ms=20)
    assert 100 == len(reader.read(0, 0, 250, most=100))
    assert list(range(250)) == [record.offset for record in read_through(reader, 0, 250, most=100)]
    assert [b"%d" % number for number in range(30, 60)] == [
        record.value for record in read_through(reader, 30, 60, most=7)
    ]


def test_records_larger_than_a_fetch_are_read(
    broker: Broker, topic: str, reader: DirectReader
) -> None:
    """Records of many megabytes in all are read completely in several fetches."""
    values = [bytes([number]) * 900_000 for number in range(14)]
    produce(broker, topic, values)
    assert values == [record.value for record in read_through(reader, 0, 14)]


def test_reading_jumps_between_places(broker: Broker, topic: str, reader: DirectReader) -> None:
    """One reader reads partitions and offsets in any order."""
    produce(broker, topic, [b"a0", b"a1", b"a2"])
    produce(broker, topic, [b"b0", b"b1"], partition=1)
    assert [Record(2, b"a2")] == reader.read(0, 2, 3)
    assert [Record(0, b"b0"), Record(1, b"b1")] == reader.read(1, 0, 2)
    assert [Record(0, b"a0")] == reader.read(0, 0, 1)


def test_what_was_deleted_is_named(broker: Broker, topic: str, reader: DirectReader) -> None:
    """The error names the deleted offsets and what to do, and later offsets can be read."""
    produce(broker, topic, [b"%d" % number for number in range(9)])
    delete_before(broker, topic, 4)
    with pytest.raises(
        BrokerError, match=rf"offsets 2 to 3 of '{topic}' partition 0 are gone: .* longer retention"
    ):
        reader.read(0, 2, 9)
    assert [4, 5, 6, 7, 8] == [record.offset for record in reader.read(0, 4, 9)]


def test_what_compaction_took_holds_no_record(broker: Broker) -> None:
    """Offsets that compaction removed are None, and the newest record of each key is read."""
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
            # another record closes the segment
            producer.send(topic, b"last", key=b"other", partition=0).get(30)
            records = read_through(reader, 0, reader.end(0))
            if all(record.value is None for record in records[:5]):
                break
        producer.close()
        assert list(range(len(records))) == [record.offset for record in records]
        assert [None] * 5 + [b"5"] == [record.value for record in records[:6]]
        assert b"last" == records[-1].value
