"""Faust's transport, changed to read committed records only and to end on batches it cannot decode.

Faust reads uncommitted records unless it writes in transactions itself, which a stream worker must
not do. And if its client cannot decode a batch, Faust prints a traceback for each service that
fails.
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
from mainstem.kafka.faults import one_line, passes, refusal, undecodable

__all__ = ["CANNOT_GO_ON", "CommittedTransport", "end_over", "transport_of"]

_LOG = logging.getLogger("mainstem.join")
CANNOT_GO_ON: Final = 70
"""Exit code of a stream worker that cannot go on."""


def end_over(error: BaseException) -> None:
    """End this process at once, before Faust can acknowledge unfinished work.

    The log gets one line for an error that we know, and a traceback for any other.
    """
    ours = isinstance(error, MainstemError)
    if ours or passes(error) or type(error).__module__.startswith(("kafka.", "aiokafka.")):
        reason = one_line(error) if ours else refusal(error)
        _LOG.error("cannot go on: %s; the supervisor starts this program again", reason)
    else:
        _LOG.error("cannot go on; the supervisor starts this program again", exc_info=error)
    logging.shutdown()
    os._exit(CANNOT_GO_ON)


def _or_end(commit: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Wrap a commit: errors about the ownership of partitions are raised, others end the process.

    Another error is, for example, that the broker has taken a right away from this user.
    """

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
        # subtle: Faust has no setting for this; the client reads the attribute when it starts
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - no public way
        # Faust prints tracebacks for any error of a commit
        consumer.commit = _or_end(consumer.commit)
        return consumer

    async def getmany(
        self,
        active_partitions: Any,
        timeout: float,  # noqa: ASYNC109 - Faust's signature
    ) -> Any:
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
        except Exception as error:  # each decompressor raises errors of its own
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
    """Faust's transport of aiokafka, with the consumer changed as above."""

    Consumer = _Consumer


def transport_of(app: faust.App, servers: tuple[str, ...]) -> CommittedTransport:
    """Make the transport of an app.

    Args:
        app: the app.
        servers: addresses of the broker, each as host:port.
    """
    return CommittedTransport([URL(f"aiokafka://{server}") for server in servers], app)
