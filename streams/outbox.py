"""Sending many records and waiting once: batch by batch, through a producer of aiokafka's own.

A record at a time costs as much as joining an event does, so records are put together here, by topic and partition.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, Final, NamedTuple, Protocol

from mainstem.kafka import Broker

__all__ = ["Message", "Outbox", "Send"]

_BATCH: Final = 256 << 10  # bytes of a batch
_SILENCE_MS: Final = 60_000  # a broker that does not answer for longer ends the process


class Message(NamedTuple):
    """A record for one of our topics."""

    topic: str
    partition: int
    key: bytes
    value: bytes


class Send(Protocol):
    """Sends messages; of one partition, in their order."""

    async def __call__(self, messages: Sequence[Message]) -> None:
        """Return once the broker has all of them; raise if it may lack one."""


class Outbox:
    """The `Send` of a stream worker.

    Args:
        broker: where.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._producer: Any = None

    async def __call__(self, messages: Sequence[Message]) -> None:
        """See `Send`."""
        producer = await self._started()
        waiting: list[Awaitable[Any]] = []
        for place in dict.fromkeys((message.topic, message.partition) for message in messages):
            mine = [message for message in messages if (message.topic, message.partition) == place]
            waiting += await self._queue(producer, *place, mine)
        await asyncio.gather(*waiting)

    async def stop(self) -> None:
        """Close the connection."""
        if self._producer is not None:
            await self._producer.stop()

    async def _queue(
        self, producer: Any, topic: str, partition: int, messages: Sequence[Message]
    ) -> list[Awaitable[Any]]:
        full, waiting = self._broker.topic(topic), list[Awaitable[Any]]()
        batch = producer.create_batch()
        for message in messages:
            if batch.append(key=message.key, value=message.value, timestamp=None) is None:  # full
                waiting.append(await producer.send_batch(batch, full, partition=partition))
                batch = producer.create_batch()
                batch.append(key=message.key, value=message.value, timestamp=None)
        waiting.append(await producer.send_batch(batch, full, partition=partition))
        return waiting

    async def _started(self) -> Any:
        if self._producer is None:
            from aiokafka import AIOKafkaProducer  # needs a running loop

            producer = AIOKafkaProducer(
                **self._broker.options,
                acks="all",
                max_batch_size=_BATCH,
                request_timeout_ms=_SILENCE_MS,
            )
            await producer.start()
            self._producer = producer
        return self._producer
