"""Checks that a program makes before it starts: broker and history answer, and topics may be used.

A client of Kafka without an answer tries for half a minute and then says little. The checks here
listen to its errors while it tries, and report them within seconds. Once a program runs, it waits
for a broker that is away (`outages.py`).
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
from mainstem.kafka.faults import one_line, together
from mainstem.kafka.knock import knock, mechanisms

__all__ = ["reach", "reach_store"]

_BOOTSTRAP_MS: Final = 3000
_LONGEST: Final = 6.0  # time limit for all checks of the broker, in seconds
_STORE_SECONDS: Final = 5.0
# Kafka's error codes for a topic that does not exist, and for one that this user may not see
_MISSING, _REFUSED = 3, 29


def reach(
    broker: Broker, read: Iterable[str] = (), write: Iterable[str] = (), group: str | None = None
) -> None:
    """Return once the broker has answered and all topics are known to exist.

    Args:
        broker: the broker.
        read: short names of the topics that the program reads.
        write: short names of the topics that the program writes.
        group: short name of the consumer group that reads; None if there is none.

    Raises:
        BrokerError: if the broker does not answer, refuses the login or lacks a topic, or if this
            user lacks a right.
    """
    outcome: list[Exception | None] = []
    known = list[str]()  # servers that accept this login

    def run() -> None:
        try:
            known.append(_knock(broker))
            _look(broker, set(read), set(write), group)
        except Exception as error:  # noqa: BLE001 - the thread that waits raises it
            outcome.append(error)
        else:
            outcome.append(None)

    # subtle: a thread, because resolving a name may block for minutes
    thread = threading.Thread(target=run, name="reach", daemon=True)
    thread.start()
    thread.join(_LONGEST)
    if not outcome:
        raise BrokerError(_silent(broker, known, "no answer"))
    if outcome[0] is not None:
        raise outcome[0]


def reach_store(url: str) -> None:
    """Return once the ClickHouse server of a history has answered; an embedded history has none.

    Args:
        url: URL of the history.

    Raises:
        StoreError: if the server does not answer.
    """
    parts = urlsplit(url)
    if parts.scheme != "clickhouse" or not parts.hostname:
        return
    said = parse_qs(parts.query).get("secure", [""])[-1].lower()
    secure = said in {"1", "true"} or parts.port in {443, 8443}
    port = parts.port or (8443 if secure else 8123)
    kind = HTTPSConnection if secure else HTTPConnection
    connection = kind(parts.hostname, port, timeout=_STORE_SECONDS)
    try:
        connection.request("GET", "/ping")
        connection.getresponse().read()
    except (OSError, HTTPException) as error:
        at = f"{parts.hostname}:{port}"
        msg = (
            f"ClickHouse at {at} does not answer ({one_line(error)}); "
            "check that it is up and that MAINSTEM_STORE is right"
        )
        raise StoreError(msg) from error
    finally:
        connection.close()


def _knock(broker: Broker) -> str:
    """The first server that accepts the login; raise an error if there is none."""
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
            found = admin.describe_topics(list(topics)) if topics else []
            found = sorted(found, key=lambda topic: str(topic["name"]))
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
        advice = "if the prefix is right, allow DESCRIBE and READ or WRITE"
        yield f"{who} may not see topic {{}}; {advice}", full
    elif (rights := topic.get("authorized_operations")) is not None:
        for right, names in (("READ", read), ("WRITE", write)):
            if name in names and right not in rights:
                yield f"{who} may not {right.lower()} topic {{}}; allow {right}", full


def _group_faults(who: str, admin: Any, group: str) -> Iterator[str]:
    from kafka.admin import MemberToRemove
    from kafka.errors import GroupAuthorizationFailedError, KafkaError

    try:
        # subtle: Kafka shows no rights of a group without members. Removing a member needs the
        # right to read in the group, and this member does not exist, so nothing is removed.
        admin.remove_group_members(group, [MemberToRemove(member_id="mainstem-looks")])
    except GroupAuthorizationFailedError:
        yield f"{who} may not read in the consumer group {group!r}; allow READ"
    except KafkaError:  # a new broker has no coordinator yet; the program waits for one later
        return


def _unreachable(broker: Broker, heard: list[BaseException]) -> str:
    """Say what to check after a broker accepted the login but then did not answer."""
    if not broker.login.by_password:
        for server in broker.servers:
            if names := mechanisms(server, broker.login):
                wanted = "SASL_SSL" if broker.login.is_encrypted else "SASL_PLAINTEXT"
                return (
                    f"the broker {server} wants a login (by {names}), but security is "
                    f"{broker.login.security}; say "
                    f"kafka://user:password@host:port/prefix?security={wanted}&mechanism=..."
                )
    texts = list(dict.fromkeys(one_line(error) for error in heard)) or ["no answer"]
    # an error about bootstrapping says least, so it is shown only if there is no other
    reason = next((text for text in texts if "bootstrap" not in text.lower()), texts[-1])
    return _silent(broker, broker.servers, reason)


def _silent(broker: Broker, known: Sequence[str], reason: str) -> str:
    if known:
        return (
            f"the broker {known[0]} answers, but not at the addresses that it gives for itself "
            f"({reason}); check that its advertised.listeners are right and reachable from here"
        )
    return (
        f"the broker {','.join(broker.servers)} does not answer; "
        "check that it is up and that MAINSTEM_EVENTS is right"
    )


@contextmanager
def _listening() -> Iterator[list[BaseException]]:
    """Collect the errors that the client only logs, and keep them out of the log."""
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
        """Collect the errors among the arguments of a log record."""
        for argument in record.args if isinstance(record.args, tuple) else ():
            if isinstance(argument, BaseException):
                self._hear(argument)
