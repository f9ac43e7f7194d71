"""Sends the records of a scoring worker: new standings, and its part of the schedule."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mainstem.join import PlacedSample
from mainstem.kafka import Broker
from mainstem.kafka.messages import PublishedStanding, encode
from mainstem.kafka.schedule import ScheduleWriter
from mainstem.store.recorded import AcceptedAt
from mainstem.store.schedule_records import ScaleRecord, accepted_blocks, turn_blocks
from mainstem.store.standings import KeptStanding
from mainstem.store.turns import Turn

__all__ = ["Outgoing"]


class Outgoing:
    """Sends records, and waits for the broker before a worker commits or goes on.

    Args:
        broker: broker of the topics.
        producer: producer of kafka-python.
    """

    def __init__(self, broker: Broker, producer: Any) -> None:
        self._topic, self._producer = broker.topic("standings"), producer
        self._schedule = ScheduleWriter(broker, producer)
        self._sent: list[Any] = []  # standings that are not known to be delivered
        self._scaled: set[int] = set()  # versions whose scale was sent

    def standings(self, standings: Sequence[KeptStanding]) -> None:
        """Send new standings, each to the partition of its sample."""
        for one in standings:
            to = {"key": one.sample_id.bytes, "partition": one.partition}
            value = encode(PublishedStanding.of(one._asdict()))
            self._sent.append(self._producer.send(self._topic, value, **to))

    def accepted(self, samples: Sequence[PlacedSample]) -> None:
        """Send the positions of samples that were accepted for the first time."""
        placed = (
            AcceptedAt(one.partition, one.offset, one.sample_id, one.label_version)
            for one in samples
        )
        self._schedule.write(accepted_blocks(placed))

    def turns(self, turns: Sequence[Turn]) -> None:
        """Send turns, and return once the broker has them; the worker then does what they say."""
        for turn in turns:
            self._schedule.write(turn_blocks(turn))
        self._schedule.delivered()

    def scale(self, version: int, scale: float) -> None:
        """Send the scale of a version once."""
        if version not in self._scaled:
            self._scaled.add(version)
            # subtle: the history keeps 32 bits of it, and both must say the same
            kept = float(np.float32(scale))
            self._schedule.write([ScaleRecord(version=version, scale=kept)])

    def delivered(self) -> None:
        """Return once the broker has all records, or raise the error of a send."""
        self._producer.flush()
        for sent in self._sent:
            sent.get(timeout=60)
        self._sent = []
        self._schedule.delivered()
