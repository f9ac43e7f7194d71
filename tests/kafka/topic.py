"""Helpers for tests with a real broker: topics and the records in them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mainstem.kafka import Broker, DirectReader
from tests.services.processes import until


def make(broker: Broker, name: str, partitions: int = 1, **configs: str) -> str:
    """Make a topic and return its full name."""
    from kafka.admin import KafkaAdminClient

    admin = KafkaAdminClient(**broker.options)
    topic = {"num_partitions": partitions, "replication_factor": 1, "configs": configs}
    admin.create_topics({broker.topic(name): topic}, wait_for_metadata=True)
    admin.close()
    return broker.topic(name)


def produce(
    broker: Broker, topic: str, values: Iterable[bytes | None], partition: int = 0, **more: Any
) -> None:
    """Write records, and wait until the broker has them."""
    from kafka import KafkaProducer

    producer = KafkaProducer(**broker.options, **more)
    sent = [producer.send(topic, value, key=b"key", partition=partition) for value in values]
    for future in sent:
        future.get(30)
    producer.close()


def produce_in_transactions(
    broker: Broker, topic: str, transactions: Sequence[tuple[Sequence[bytes], bool]]
) -> None:
    """Write the records of each transaction, and commit or abort it with one marker."""
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition

    place = TopicPartition(topic, 0)
    consumer = KafkaConsumer(**broker.options, isolation_level="read_committed")
    end = consumer.end_offsets([place])[place] + sum(len(values) + 1 for values, _ in transactions)
    producer = KafkaProducer(**broker.options, transactional_id=topic)
    producer.init_transactions()
    for values, committed in transactions:
        producer.begin_transaction()
        for value in values:
            producer.send(topic, value, partition=0)
        producer.flush()
        if committed:
            producer.commit_transaction()
        else:
            producer.abort_transaction()
    producer.close()
    # the broker writes the last marker shortly after it has answered
    until(lambda: consumer.end_offsets([place])[place] == end)
    consumer.close()


def delete_before(broker: Broker, topic: str, offset: int) -> None:
    """Delete the beginning of partition 0, as retention does."""
    from kafka import TopicPartition
    from kafka.admin import KafkaAdminClient

    admin = KafkaAdminClient(**broker.options)
    admin.delete_records({TopicPartition(topic, 0): offset})
    admin.close()


def commit(broker: Broker, group: str, topic: str, offset: int, partition: int = 0) -> None:
    """Commit an offset for a group."""
    from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition

    consumer = KafkaConsumer(**broker.options, group_id=group, enable_auto_commit=False)
    at = TopicPartition(topic, partition)
    consumer.assign([at])
    consumer.commit({at: OffsetAndMetadata(offset, "", -1)})
    consumer.close(autocommit=False)


def read_all(broker: Broker, name: str) -> dict[int, list[bytes | None]]:
    """Return all values in a topic by partition."""
    with DirectReader(broker, broker.topic(name)) as reader:
        found: dict[int, list[bytes | None]] = {}
        for partition in reader.partitions():
            at, end = reader.first(partition), reader.end(partition)
            found[partition] = []
            while at < end:
                records = reader.read(partition, at, end)
                found[partition] += [record.value for record in records]
                at = records[-1].offset + 1
    return found


def flip_a_byte(folder: Path, topic: str, at: int = -4) -> None:
    """Damage partition 0 on the disk of a local broker."""
    log = folder / "kafka-data" / f"{topic}-0" / ("0" * 20 + ".log")
    with log.open("r+b") as file:
        file.seek(at, 2 if at < 0 else 0)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 0xFF]))
