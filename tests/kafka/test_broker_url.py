"""One URL says where the broker is and how to log in, and no message has its password."""

import pytest

from mainstem.errors import SettingError
from mainstem.kafka import Broker


@pytest.mark.parametrize(
    ("url", "servers", "prefix"),
    [
        ("kafka://localhost", ("localhost:9092",), ""),
        ("kafka://localhost/", ("localhost:9092",), ""),
        ("kafka://one:19092,two,three:9093/shop", ("one:19092", "two:9092", "three:9093"), "shop"),
        ("kafka://127.0.0.1:1/shop/", ("127.0.0.1:1",), "shop"),
        ("kafka://[::1]:9093,[::1]/a.b_c-D", ("[::1]:9093", "[::1]:9092"), "a.b_c-D"),
    ],
)
def test_servers_and_prefix_are_read(url: str, servers: tuple[str, ...], prefix: str) -> None:
    """A server without a port has port 9092, and a slash at the end changes nothing."""
    broker = Broker.parse(url)
    assert (servers, prefix) == (broker.servers, broker.prefix)


def test_a_prefix_is_put_before_topics_and_groups() -> None:
    """A prefix is put before topics and groups, and group names have `mainstem` without it too."""
    with_prefix, without = Broker.parse("kafka://one/shop"), Broker.parse("kafka://one")
    assert ("shop.samples", "shop.mainstem-join") == (
        with_prefix.topic("samples"),
        with_prefix.group("join"),
    )
    assert ("samples", "mainstem-join") == (without.topic("samples"), without.group("join"))


def test_a_plain_broker_needs_no_login() -> None:
    """Without a user the options are the servers and a protocol."""
    expected = {"bootstrap_servers": ["one:9092"], "security_protocol": "PLAINTEXT"}
    assert expected == Broker.parse("kafka://one").options


def test_a_user_means_sasl_over_tls() -> None:
    """With a user and no security protocol, password and data are encrypted."""
    options = Broker.parse("kafka://me:secret@one?mechanism=scram-sha-256").options
    assert ("SASL_SSL", "SCRAM-SHA-256") == (
        options["security_protocol"],
        options["sasl_mechanism"],
    )
    assert ("me", "secret") == (options["sasl_plain_username"], options["sasl_plain_password"])
    assert ["one:9092"] == options["bootstrap_servers"]


def test_odd_characters_in_a_login_are_quoted() -> None:
    """`%40`, `%3A` and `%2F` stand for `@`, `:` and `/` in a login."""
    broker = Broker.parse("kafka://a%40b:p%3Aq%2Fr@one/shop")
    assert ("a@b", "p:q/r", "shop") == (broker.login.user, broker.login.password, broker.prefix)


def test_certificates_are_named() -> None:
    """`ca` is the file for checking servers' certificates, also without a login."""
    login = Broker.parse("kafka://one?security=ssl&ca=/etc/ca.pem").login
    assert ("SSL", "/etc/ca.pem", False) == (login.security, login.ca_file, login.by_password)


@pytest.mark.parametrize(
    "url",
    [
        "kafka://me:12/secret@one/shop",
        "kafka://me:12#secret@one",
        "kafka://me:12?secret@one",
        "kafka://one?password=secret",
    ],
)
def test_a_password_in_a_wrong_place_is_not_told(url: str) -> None:
    """Neither an error nor the repr of a broker has the password."""
    with pytest.raises(SettingError) as caught:
        Broker.parse(url)
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(Broker.parse("kafka://me:secret@one"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:9092",
        "http://one",
        "kafka://",
        "kafka:///shop",
        "kafka://me:secret@",
        "kafka://one?tls=1",
    ],
)
def test_another_url_is_refused(url: str) -> None:
    """A URL of no broker is refused with an example and without the password."""
    with pytest.raises(SettingError, match="a broker is kafka://host:port/prefix") as caught:
        Broker.parse(url)
    assert "secret" not in str(caught.value)


def test_an_unknown_security_is_refused() -> None:
    """A protocol that Kafka does not have is refused with the list of protocols."""
    with pytest.raises(SettingError, match="PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL; got 'TLS'"):
        Broker.parse("kafka://me:secret@one?security=tls")


@pytest.mark.parametrize(
    "prefix",
    ["shop/prod", "/", "/shop", "sh op", "sh%20op", "shöp", ".", "..", "a#b", "x" * 201, "a,b"],
)
def test_a_prefix_that_no_topic_may_have_is_refused(prefix: str) -> None:
    """A prefix that Kafka would refuse in every topic's name is refused at once."""
    with pytest.raises(SettingError, match=r"a prefix .* must be a name|a broker is kafka://"):
        Broker.parse(f"kafka://one/{prefix}")


@pytest.mark.parametrize(
    "host", ["one:", "one:x", "one:0", "one:70000", "one,,two", "[::1", "::1:9092", "a b"]
)
def test_a_server_that_is_none_is_refused(host: str) -> None:
    """An invalid server is refused before any connection is tried."""
    with pytest.raises(SettingError, match="a broker is kafka://host:port/prefix"):
        Broker.parse(f"kafka://{host}/shop")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("kafka://me@one", "needs a login"),
        ("kafka://one?security=SASL_SSL", "needs a login"),
        ("kafka://me:secret@one?security=PLAINTEXT", "sends no login, but one is given"),
        ("kafka://one?mechanism=PLAIN", "sends no login, but one is given"),
        (
            "kafka://me:secret@one?mechanism=SCRAM-SHA-1",
            "mechanism must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512",
        ),
        ("kafka://one?ca=/etc/ca.pem", "checks no certificates"),
    ],
)
def test_a_login_that_does_not_go_together_is_refused(url: str, told: str) -> None:
    """A login that conflicts with the security is refused, without the password."""
    with pytest.raises(SettingError, match=told) as caught:
        Broker.parse(url)
    assert "secret" not in str(caught.value)
