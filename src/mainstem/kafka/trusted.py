"""Topic `trusted`: the user's own trusted samples, which programs read from the beginning."""

from collections.abc import Iterable
from typing import Any

import msgspec

from mainstem.join import Sample
from mainstem.join.route import partition_of_question
from mainstem.kafka.broker import Broker
from mainstem.kafka.direct import DirectReader
from mainstem.kafka.messages import decode_confirmed, decode_samples, encode, read_message
from mainstem.trusted import Confirmed

__all__ = ["TrustedTopic"]


class TrustedTopic:
    """Reads and writes trusted samples.

    Args:
        broker: broker of the topic.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._reader = DirectReader(broker, broker.topic("trusted"))
        self._next = self._reader.first(0)

    def read(self) -> list[Confirmed]:
        """Read the trusted samples that have arrived since the last call."""
        end = self._reader.end(0)
        found: list[Confirmed] = []
        while self._next < end:
            for offset, value in self._reader.read(0, self._next, end):
                self._next = offset + 1
                if not value:
                    continue
                one = read_message(value, decode_confirmed, f"trusted/0 at {offset}")
                if one is not None:
                    found.append(one)
        return found

    def write(
        self,
        confirmed: Iterable[Confirmed],
        graded: Iterable[Sample],
        partitions: int,
        producer: Any,
    ) -> None:
        """Publish trusted samples, and those of them that are graded pairs also as samples.

        It returns once the broker has them.

        Args:
            confirmed: all trusted samples.
            graded: samples of the graded pairs of texts. A pair becomes part of the stream, and so
                it gets the event time of the newest sample of its partition.
            partitions: number of partitions of topic `samples`.
            producer: producer of kafka-python.
        """
        topic, samples = self._broker.topic("trusted"), self._broker.topic("samples")
        for one in confirmed:
            producer.send(topic, encode(one), key=one.sample_id.bytes, partition=0)
        # subtle: a pair that arrives before its record would count as an ordinary sample
        producer.flush(timeout=60)
        times = self._newest(partitions)
        for pair in graded:
            partition = partition_of_question(pair.question_id, partitions)
            placed = msgspec.structs.replace(pair, event_time=times.get(partition, pair.event_time))
            producer.send(
                samples, encode([placed]), key=pair.question_id.bytes, partition=partition
            )
        producer.flush(timeout=60)

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()

    def _newest(self, partitions: int) -> dict[int, int]:
        """Event time of the last sample of each partition that has one."""
        found: dict[int, int] = {}
        with DirectReader(self._broker, self._broker.topic("samples")) as reader:
            for partition in range(partitions):
                end = reader.end(partition)
                first = max(reader.first(partition), end - 10)  # the last offset may hold no record
                records = reader.read(partition, first, end) if first < end else []
                values = [value for _, value in records if value]
                place = f"samples/{partition}"
                read = [read_message(value, decode_samples, place) for value in values]
                if times := [samples[-1].event_time for samples in read if samples]:
                    found[partition] = times[-1]
        return found
