"""Checks of broker and history before a program starts: errors take seconds and one line."""

import socket
from collections.abc import Iterator

import pytest

from mainstem.errors import BrokerError, StoreError
from mainstem.kafka import Broker
from mainstem.kafka.reach import reach, reach_store
from tests.kafka.topic import make


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the timeouts of the clients."""
    monkeypatch.setattr("mainstem.kafka.reach._BOOTSTRAP_MS", 700)
    monkeypatch.setattr("mainstem.kafka.reach._LONGEST", 3.0)
    monkeypatch.setattr("mainstem.kafka.knock._SECONDS", 0.7)
    monkeypatch.setattr("mainstem.kafka.reach._STORE_SECONDS", 0.5)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that accepts connections and sends nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def refusal(url: str) -> str:
    """Return the error for a broker that cannot be reached."""
    with pytest.raises(BrokerError) as caught:
        reach(Broker.parse(url))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_absent_broker_is_told() -> None:
    """The error for an absent broker has its address, the protocol and the cause."""
    told = refusal("kafka://127.0.0.1:1/shop")
    assert "the broker 127.0.0.1:1 cannot be reached with PLAINTEXT" in told
    assert "refused" in told


def test_an_unknown_host_and_a_silent_one_are_told(silent: str) -> None:
    """An unknown host and a silent server are errors after a short time."""
    assert "the broker nowhere.invalid:9092 cannot be reached" in refusal(
        "kafka://nowhere.invalid/shop"
    )
    assert f"the broker {silent}" in refusal(f"kafka://{silent}/shop")


def test_another_protocol_than_the_brokers_is_told(events_url: str) -> None:
    """TLS or a login that the listener does not know is an error without the password."""
    server = events_url.removeprefix("kafka://")
    assert "speaks no TLS, but security is SSL; say security=PLAINTEXT" in refusal(
        f"kafka://{server}?security=SSL"
    )
    told = refusal(f"kafka://me:secret@{server}?security=SASL_PLAINTEXT")
    advice = "leave out user and password, and say security=PLAINTEXT"
    assert f"accepts no login at all; {advice}" in told
    assert "secret" not in told


def test_missing_certificates_are_told() -> None:
    """The error names the missing file, before any connection."""
    assert "the file '/no/ca.pem'" in refusal("kafka://one?security=SSL&ca=/no/ca.pem")


def test_topics_that_are_there_are_enough(events_url: str) -> None:
    """Existing topics suffice without a group, and a missing topic is an error with the command."""
    broker = Broker.parse(events_url)
    make(broker, "events")
    reach(broker, ["events"], ["events"], "join")
    with pytest.raises(
        BrokerError,
        match=rf"there is no topic '{broker.topic('items')}'; `mainstem topics` makes it",
    ):
        reach(broker, ["events", "items"])


def test_an_absent_and_a_silent_history_are_told(silent: str) -> None:
    """The error for a history has its address, and a history in a folder is not asked."""
    for address in ("127.0.0.1:1", silent):
        with pytest.raises(StoreError, match=f"ClickHouse at {address} does not answer"):
            reach_store(f"clickhouse://me:secret@{address}/shop")
    reach_store("chdb:///somewhere")
