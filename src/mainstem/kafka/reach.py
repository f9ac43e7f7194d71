"""Before a program begins: whether broker and history answer, and whether the topics it needs are there and are its to use.

A client that is not answered goes on trying for half a minute and then tells little; here what went wrong is heard while it
tries, and told within seconds. What is lost later is waited for (`outages.py`).
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from mainstem.errors import BrokerError, StoreError
from mainstem.kafka.broker import Broker
from mainstem.kafka.faults import together, told_of
from mainstem.kafka.knock import knock, mechanisms

__all__ = ["reach", "reach_store"]

_BOOTSTRAP_MS: Final = 3000
_LONGEST: Final = 6.0  # seconds for all of it, names that nobody resolves among them
_STORE_SECONDS: Final = 5.0
_MISSING, _REFUSED = (
    3,
    29,
)  # Kafka's codes of a topic that is not there, and of one that this user may not see


def reach(
    broker: Broker, read: Iterable[str] = (), write: Iterable[str] = (), group: str | None = None
) -> None:
    """Return once the broker has answered, and has the topics that are needed.

    Args:
        broker: where.
        read, write: short names of the topics that will be read, and written.
        group: short name of the consumer group that reads.

    Raises:
        BrokerError: if it does not answer, refuses the login or lacks a topic; or if this user lacks a right.
    """
    outcome: list[Exception | None] = []
    known = list[str]()  # servers that let this login in

    def run() -> None:
        try:
            known.append(_knock(broker))
            _look(broker, set(read), set(write), group)
        except Exception as error:  # noqa: BLE001 - handed over to the thread that waits, which raises it
            outcome.append(error)
        else:
            outcome.append(None)

    thread = threading.Thread(
        target=run, name="reach", daemon=True
    )  # subtle: a name server may be silent for minutes
    thread.start()
    thread.join(_LONGEST)
    if not outcome:
        raise BrokerError(_silent(broker, known, "no answer"))
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
    secure = parse_qs(parts.query).get("secure", [""])[-1].lower() in {
        "1",
        "true",
    } or parts.port in {443, 8443}
    port = parts.port or (8443 if secure else 8123)
    connection = (HTTPSConnection if secure else HTTPConnection)(
        parts.hostname, port, timeout=_STORE_SECONDS
    )
    try:
        connection.request("GET", "/ping")
        connection.getresponse().read()
    except (OSError, HTTPException) as error:
        at = f"{parts.hostname}:{port}"
        msg = f"ClickHouse at {at} does not answer ({told_of(error)}); is it up, and is MAINSTEM_STORE right?"
        raise StoreError(msg) from error
    finally:
        connection.close()


def _knock(broker: Broker) -> str:
    """The first server that lets this login in."""
    faults = []
    for server in broker.servers:
        fault = knock(server, broker.login)
        if not fault:
            return server
        faults.append(f"the broker {server} {fault}")
    telling = [fault for fault in faults if "cannot be reached" not in fault]
    raise BrokerError((telling or faults)[0])


def _look(broker: Broker, read: set[str], write: set[str], group: str | None) -> None:
    from kafka.admin import KafkaAdminClient  # a second to import
    from kafka.errors import KafkaError

    with _listening() as heard:
        try:
            admin: Any = KafkaAdminClient(**broker.options, bootstrap_timeout_ms=_BOOTSTRAP_MS)
        except (KafkaError, OSError, ValueError) as error:
            raise BrokerError(_unreachable(broker, [*heard, error])) from error
        try:
            topics = {broker.topic(name): name for name in read | write}
            found = (
                sorted(admin.describe_topics(list(topics)), key=lambda topic: str(topic["name"]))
                if topics
                else []
            )
            who = f"user {broker.login.user!r}" if broker.login.user else "a client without a login"
            faults = together(
                fault
                for topic in found
                for fault in _faults(who, topic, topics[topic["name"]], read, write)
            )
            if group:
                faults += _group_faults(who, admin, broker.group(group))
        except (KafkaError, OSError) as error:
            raise BrokerError(_unreachable(broker, [*heard, error])) from error
        finally:
            admin.close()
    if faults:
        raise BrokerError("; ".join(faults))


def _faults(
    who: str, topic: dict[str, Any], name: str, read: set[str], write: set[str]
) -> Iterator[tuple[str, str]]:
    full, code = topic["name"], topic["error_code"]
    if code == _MISSING:
        yield "there is no topic {}; `mainstem topics` makes it", full
    elif code == _REFUSED:
        yield (
            f"{who} may not see topic {{}}; allow DESCRIBE and READ or WRITE, if the prefix is right",
            full,
        )
    elif (rights := topic.get("authorized_operations")) is not None:
        for right, names in (("READ", read), ("WRITE", write)):
            if name in names and right not in rights:
                yield f"{who} may not {right.lower()} topic {{}}; allow {right}", full


def _group_faults(who: str, admin: Any, group: str) -> Iterator[str]:
    from kafka.admin import MemberToRemove
    from kafka.errors import GroupAuthorizationFailedError, KafkaError

    try:
        # subtle: a group that never met tells nothing of rights; who may not read in it may not ask for this either, and a
        # member that is not there is not missed
        admin.remove_group_members(group, [MemberToRemove(member_id="mainstem-looks")])
    except GroupAuthorizationFailedError:
        yield f"{who} may not read in the consumer group {group!r}; allow READ"
    except KafkaError:  # a new broker has no coordinator yet; the group waits for one
        return


def _unreachable(broker: Broker, heard: list[BaseException]) -> str:
    """What to look at, once a broker that let the login in answers no more."""
    if not broker.login.by_password:
        for server in broker.servers:
            if names := mechanisms(server, broker.login):
                wanted = "SASL_SSL" if broker.login.is_encrypted else "SASL_PLAINTEXT"
                return (
                    f"the broker {server} wants a login (by {names}), and security is {broker.login.security}; say "
                    f"kafka://user:password@host:port/prefix?security={wanted}&mechanism=..."
                )
    told = list(dict.fromkeys(told_of(error) for error in heard))
    reason = next(
        (text for text in told if "bootstrap" not in text.lower()),
        told[-1] if told else "no answer",
    )
    return _silent(broker, broker.servers, reason)


def _silent(broker: Broker, known: Sequence[str], reason: str) -> str:
    if known:
        return (
            f"the broker {known[0]} answers, but not at the addresses that it gives for itself ({reason}); are its "
            "advertised.listeners right, and can they be reached from here?"
        )
    return f"the broker {','.join(broker.servers)} does not answer; is it up, and is MAINSTEM_EVENTS right?"


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
