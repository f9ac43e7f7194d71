"""Faust's transport as a stream worker needs it: it reads what was committed, and ends over what cannot be decoded.

Faust reads uncommitted records unless it writes in transactions itself, which it must not here. And it answers a batch that
its client cannot decode with a traceback for each service that falls.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any, Final

import faust
from aiokafka.errors import (
    CommitFailedError,
    CorruptRecordException,
    IllegalStateError,
    KafkaError,
    UnsupportedCodecError,
)
from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers import aiokafka as driver
from yarl import URL

from mainstem.errors import MainstemError
from mainstem.kafka.faults import passes, refusal, told_of, undecodable

__all__ = ["CANNOT_GO_ON", "CommittedTransport", "end_over", "transport_of"]

_LOG = logging.getLogger("mainstem.join")
CANNOT_GO_ON: Final = 70
"""What a stream worker exits with where it cannot go on."""


def end_over(error: BaseException) -> None:
    """End this process at once, before Faust can acknowledge what was not done; one line where we know the error."""
    if (
        isinstance(error, MainstemError)
        or passes(error)
        or type(error).__module__.startswith(("kafka.", "aiokafka."))
    ):
        told = told_of(error) if isinstance(error, MainstemError) else refusal(error)
        _LOG.error("cannot go on: %s; the supervisor starts this program again", told)
    else:
        _LOG.error("cannot go on; the supervisor starts this program again", exc_info=error)
    logging.shutdown()
    os._exit(CANNOT_GO_ON)


def _or_end(commit: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """A commit that ends this process over what is no matter of whose the partitions are: a right that was taken away."""

    async def committed(offsets: Any) -> None:
        try:
            await commit(offsets)
        except (CommitFailedError, IllegalStateError):
            raise
        except KafkaError as error:
            end_over(error)

    return committed


class _Thread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]  # Faust has no types
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # subtle: Faust has no setting for it; the client reads this when it starts
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        consumer.commit = _or_end(
            consumer.commit
        )  # Faust answers whatever goes wrong in it with tracebacks
        return consumer

    async def getmany(self, active_partitions: Any, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's signature
        try:
            return await super().getmany(active_partitions, timeout)
        except (driver.ConsumerStoppedError, ConsumerNotStarted, asyncio.CancelledError):
            raise
        except (CorruptRecordException, UnsupportedCodecError) as error:
            self._end_over_batch(error)
            raise
        except KafkaError as error:
            end_over(error)
            raise
        except Exception as error:  # whatever a decompressor raises, each its own
            if not self.should_stop:
                self._end_over_batch(error)
            raise

    def _end_over_batch(self, error: Exception) -> None:
        topics = sorted({place.topic for place in self._ensure_consumer().assignment()})
        end_over(undecodable(error, f"topic {', '.join(topics)!r}"))


class _Consumer(driver.Consumer):  # type: ignore[misc]
    def _new_consumer_thread(self) -> Any:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class CommittedTransport(driver.Transport):  # type: ignore[misc]
    """The transport of aiokafka, with that."""

    Consumer = _Consumer


def transport_of(app: faust.App, servers: tuple[str, ...]) -> CommittedTransport:
    """A transport to a broker."""
    return CommittedTransport([URL(f"aiokafka://{server}") for server in servers], app)
