"""Before a program begins: whether broker and history answer, and whether the topics it needs are there and are its to use.

A client that is not answered goes on trying for half a minute and then tells little; here what went wrong is heard while it
tries, and told within seconds. What is lost later is waited for (`patience.py`).
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from mainstem.errors import BrokerError, StoreError
from mainstem.kafka.broker import Broker
from mainstem.kafka.faults import told_of

__all__ = ["reach", "reach_store"]

_BOOTSTRAP_MS: Final = 3000
_LONGEST: Final = 6.0  # seconds for all of it, names that nobody resolves among them
_STORE_SECONDS: Final = 5.0
_MISSING, _REFUSED = 3, 29  # Kafka's codes of a topic that is not there, and of one that this user may not see


def reach(broker: Broker, read: Iterable[str] = (), write: Iterable[str] = (), group: str | None = None) -> None:
    """Return once the broker has answered, and has the topics that are needed.

    Args:
        broker: where.
        read, write: short names of the topics that will be read, and written.
        group: short name of the consumer group that reads.

    Raises:
        BrokerError: if it does not answer, refuses the login or lacks a topic; or if this user lacks a right.
    """
    if broker.ca_file and not Path(broker.ca_file).is_file():
        msg = f"there is no file {broker.ca_file!r}, which ca= in MAINSTEM_EVENTS names"
        raise BrokerError(msg)
    outcome: list[Exception | None] = []

    def run() -> None:
        try:
            _look(broker, set(read), set(write), group)
        except Exception as error:  # noqa: BLE001 - handed over to the thread that waits, which raises it
            outcome.append(error)
        else:
            outcome.append(None)

    thread = threading.Thread(target=run, name="reach", daemon=True)  # subtle: a name server may be silent for minutes
    thread.start()
    thread.join(_LONGEST)
    if not outcome:
        msg = f"the broker {_at(broker)} does not answer; is it up, and is MAINSTEM_EVENTS right?"
        raise BrokerError(msg)
    if outcome[0] is not None:
        raise outcome[0]


def reach_store(url: str) -> None:
    """Return once the ClickHouse server of a history has answered; an embedded history needs no answer.

    Raises:
        StoreError: if it does not.
    """
    parts = urlsplit(url)
    if parts.scheme != "clickhouse" or not parts.hostname:
        return
    secure = parse_qs(parts.query).get("secure", [""])[-1].lower() in {"1", "true"} or parts.port in {443, 8443}
    port = parts.port or (8443 if secure else 8123)
    connection = (HTTPSConnection if secure else HTTPConnection)(parts.hostname, port, timeout=_STORE_SECONDS)
    try:
        connection.request("GET", "/ping")
        connection.getresponse().read()
    except (OSError, HTTPException) as error:
        at = f"{parts.hostname}:{port}"
        msg = f"ClickHouse at {at} does not answer ({told_of(error)}); is it up, and is MAINSTEM_STORE right?"
        raise StoreError(msg) from error
    finally:
        connection.close()


def _look(broker: Broker, read: set[str], write: set[str], group: str | None) -> None:
    from kafka.admin import KafkaAdminClient  # noqa: PLC0415 - a second to import
    from kafka.errors import GroupAuthorizationFailedError, KafkaError  # noqa: PLC0415

    with _listening() as heard:
        try:
            admin: Any = KafkaAdminClient(**broker.options, bootstrap_timeout_ms=_BOOTSTRAP_MS)
        except (KafkaError, OSError, ValueError) as error:
            raise BrokerError(_unreachable(broker, [*heard, error])) from error
        try:
            topics = {broker.topic(name): name for name in read | write}
            found = admin.describe_topics(sorted(topics)) if topics else []
            faults = [fault for topic in found for fault in _faults(topic, topics[topic["name"]], read, write)]
            if group and not faults:
                _try_group(admin, broker.group(group))
        except GroupAuthorizationFailedError as error:
            msg = f"this user may not read in the consumer group {broker.group(group or '')!r}; allow it READ"
            raise BrokerError(msg) from error
        except (KafkaError, OSError) as error:
            raise BrokerError(_unreachable(broker, [*heard, error])) from error
        finally:
            admin.close()
    if faults:
        raise BrokerError("; ".join(faults))


def _faults(topic: dict[str, Any], name: str, read: set[str], write: set[str]) -> Iterator[str]:
    full, code = topic["name"], topic["error_code"]
    if code == _MISSING:
        yield f"there is no topic {full!r}; `mainstem topics` makes it"
    elif code == _REFUSED:
        yield f"this user may not see topic {full!r}; allow it DESCRIBE, and READ or WRITE"
    elif (rights := topic.get("authorized_operations")) is not None:
        for right, names in (("READ", read), ("WRITE", write)):
            if name in names and right not in rights:
                yield f"this user may not {right.lower()} topic {full!r}; allow it {right}"


def _try_group(admin: Any, group: str) -> None:
    from kafka.errors import GroupAuthorizationFailedError, KafkaError  # noqa: PLC0415

    try:
        admin.describe_groups([group])
    except GroupAuthorizationFailedError:
        raise
    except KafkaError:  # a new broker has no coordinator yet; the group waits for one
        return


def _unreachable(broker: Broker, heard: list[BaseException]) -> str:
    """The most telling of all that went wrong, and what to look at."""
    from kafka.errors import (  # noqa: PLC0415
        AuthorizationError,
        IllegalSaslStateError,
        SaslAuthenticationFailedError,
        UnsupportedSaslMechanismError,
    )

    for error in heard:
        if isinstance(error, SaslAuthenticationFailedError | AuthorizationError):
            return f"the broker {_at(broker)} refuses the login of {broker.user!r} ({told_of(error)})"
        if isinstance(error, UnsupportedSaslMechanismError | IllegalSaslStateError):
            return f"the broker {_at(broker)} does not take a login by {broker.mechanism} ({told_of(error)})"
    told = list(dict.fromkeys(told_of(error) for error in heard))
    reason = next((text for text in told if "bootstrap" not in text.lower()), told[-1] if told else "no answer")
    return (
        f"the broker {_at(broker)} cannot be reached with {broker.security} ({reason}); is it up, is MAINSTEM_EVENTS "
        "right, and does it want another ?security= than that?"
    )


def _at(broker: Broker) -> str:
    return ",".join(broker.servers)


@contextmanager
def _listening() -> Iterator[list[BaseException]]:
    """Hear the errors that the client only logs, and let nobody else hear them."""
    logger, heard = logging.getLogger("kafka"), list[BaseException]()
    before = logger.level, logger.propagate
    listener = _Listener(heard.append)
    logger.addHandler(listener)
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    try:
        yield heard
    finally:
        logger.removeHandler(listener)
        logger.level, logger.propagate = before
        logger.setLevel(before[0])


class _Listener(logging.Handler):
    def __init__(self, hear: Callable[[BaseException], None]) -> None:
        super().__init__()
        self._hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the errors among what is logged."""
        for argument in record.args if isinstance(record.args, tuple) else ():
            if isinstance(argument, BaseException):
                self._hear(argument)
