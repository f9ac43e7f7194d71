"""Topic `trusted`: somebody's own trusted samples, read whole by every program that must know them."""

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
        broker: where.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._reader = DirectReader(broker, broker.topic("trusted"))
        self._next = self._reader.first(0)

    def read(self) -> list[Confirmed]:
        """What has come since the last reading, up to the end of the topic."""
        end = self._reader.end(0)
        found: list[Confirmed] = []
        while self._next < end:
            for offset, value in self._reader.read(0, self._next, end):
                self._next = offset + 1
                one = (
                    read_message(value, decode_confirmed, f"trusted/0 at {offset}")
                    if value
                    else None
                )
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
        """Publish trusted samples, then the graded pairs among them as samples; returns once the broker has them.

        Args:
            confirmed: all of them.
            graded: the text pairs; a pair takes the event time of the newest sample of its partition, for it is one of the
                stream from now on.
            partitions: of topic `samples`.
            producer: of kafka-python.
        """
        topic, samples = self._broker.topic("trusted"), self._broker.topic("samples")
        for one in confirmed:
            producer.send(topic, encode(one), key=one.sample_id.bytes, partition=0)
        producer.flush(
            timeout=60
        )  # subtle: a pair that came before its record would be taken for one of the stream
        times = self._newest(partitions)
        for pair in graded:
            partition = partition_of_question(pair.question_id, partitions)
            placed = msgspec.structs.replace(pair, event_time=times.get(partition, pair.event_time))
            producer.send(
                samples, encode([placed]), key=pair.question_id.bytes, partition=partition
            )
        producer.flush(timeout=60)

    def close(self) -> None:
        """Let go of the connection."""
        self._reader.close()

    def _newest(self, partitions: int) -> dict[int, int]:
        """Event time of the last sample of each partition that has one."""
        found: dict[int, int] = {}
        with DirectReader(self._broker, self._broker.topic("samples")) as reader:
            for partition in range(partitions):
                end = reader.end(partition)
                first = max(reader.first(partition), end - 10)  # the last offset may hold no record
                values = (
                    [value for _, value in reader.read(partition, first, end) if value]
                    if first < end
                    else []
                )
                read = [
                    read_message(value, decode_samples, f"samples/{partition}") for value in values
                ]
                if times := [samples[-1].event_time for samples in read if samples]:
                    found[partition] = times[-1]
        return found
