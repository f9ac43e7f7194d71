"""Sends many records in batches and waits for the broker once.

Sending records one by one costs as much time as joining events does. So the outbox builds batches
by topic and partition itself, and gives them to a producer of aiokafka.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, Final, NamedTuple, Protocol

from mainstem.kafka import Broker

__all__ = ["Message", "Outbox", "Send"]

_BATCH: Final = 256 << 10  # largest size of a batch in bytes
_SILENCE_MS: Final = 60_000  # if the broker answers nothing for as long, the process ends


class Message(NamedTuple):
    """A record to send; `topic` is the short name, without the deployment's prefix."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes


class Send(Protocol):
    """Sends messages, and keeps the order of those of one partition."""

    async def __call__(self, messages: Sequence[Message]) -> None:
        """Return once the broker has all messages; raise an error if it may lack one."""


class Outbox:
    """The `Send` of a stream worker.

    Args:
        broker: broker that gets the messages.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._producer: Any = None

    async def __call__(self, messages: Sequence[Message]) -> None:
        """Send messages as `Send` promises."""
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
            # None means that the batch is full
            if batch.append(key=message.key, value=message.value, timestamp=None) is None:
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
