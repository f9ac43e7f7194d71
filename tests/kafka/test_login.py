"""A broker with logins, certificates and rights: every refusal is an error of one line."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mainstem.errors import BrokerError
from mainstem.events import Tick, encode
from mainstem.kafka import TOPICS, Broker
from mainstem.kafka.reach import reach
from mainstem.streams.local import kafka as local_kafka
from mainstem.streams.topics import make_topics
from tests.join.shop import short
from tests.kafka.guarded import SECRET, Guarded, Rights, guarded, is_let_in, until_told
from tests.kafka.topic import commit, make, produce, read_all
from tests.services.deployed import Deployment, until
from tests.services.running import PROGRAMS, Running
from tests.services.servers import need, unique

ROOT = Path(__file__).parents[2]
WRONG = "wr0ng-of-the-tests"
TIME = 1_700_000_000_000
SETTINGS = {"MAINSTEM_JOIN__PARTITIONS": "1"}
ONE = short(partitions=1).join


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """One broker for all tests of this file."""
    need("kafka", local_kafka.missing())
    found = guarded(tmp_path_factory.mktemp("guarded"))
    found.broker.start()
    yield found
    found.broker.stop()


@pytest.fixture
def rights(broker: Guarded) -> Iterator[Rights]:
    """The rights of user `limited`, who has none at first."""
    found = Rights(broker.plain)
    found.take()
    yield found
    found.take()
    found.close()


@pytest.fixture(scope="module")
def shop(broker: Guarded) -> str:
    """The prefix of a deployment whose topics exist."""
    prefix = unique()
    plain = Broker.parse(f"kafka://{broker.plain}/{prefix}")
    make_topics(plain, ONE)
    # a new broker has no coordinator of groups until the first commit
    commit(plain, plain.group("first"), plain.topic("events"), 0)
    return prefix


def refusal(url: str, *needs: Any) -> str:
    """Return the error of a broker that refuses this login, one line without a password."""
    with pytest.raises(BrokerError) as caught:
        reach(Broker.parse(url), *needs)
    told = str(caught.value)
    assert "\n" not in told
    assert not [secret for secret in (SECRET, WRONG) if secret in told]
    return told


LOGINS = [
    ("TLS", {}),
    ("SASL", {"user": "owner"}),
    ("SASL", {"user": "owner", "mechanism": "SCRAM-SHA-256"}),
    ("BOTH", {"user": "owner"}),
    ("BOTH", {"user": "owner", "mechanism": "SCRAM-SHA-512"}),
]


@pytest.mark.parametrize(("listener", "given"), LOGINS, ids=str)
def test_whoever_may_comes_in(broker: Guarded, listener: str, given: dict[str, str]) -> None:
    """Every mechanism, with TLS or without, can write records and read them."""
    prefix = unique()
    found = Broker.parse(broker.url(listener, prefix, **given))
    topic = make(found, "events")
    reach(found, ["events"], ["events"], "join")
    produce(found, topic, [b"one", b"two"])
    assert {0: [b"one", b"two"]} == read_all(found, "events")


@pytest.mark.parametrize(
    ("listener", "given", "told"),
    [
        ("SASL", {"user": "owner", "password": WRONG}, "refuses the login of 'owner' by PLAIN"),
        ("SASL", {"user": "nobody"}, "refuses the login of 'nobody' by PLAIN"),
        (
            "SASL",
            {"user": "owner", "password": WRONG, "mechanism": "SCRAM-SHA-256"},
            "'owner' by SCRAM-SHA-256 (Authen",
        ),
        (
            "BOTH",
            {"user": "nobody", "mechanism": "SCRAM-SHA-512"},
            "refuses the login of 'nobody' by SCRAM-SHA-512",
        ),
        (
            "SASL",
            {"user": "owner", "mechanism": "SCRAM-SHA-512"},
            "but by PLAIN, SCRAM-SHA-256; say mechanism=PLAIN",
        ),
        (
            "SASL",
            {"security": "PLAINTEXT"},
            "wants a login (by PLAIN, SCRAM-SHA-256), but security is PLAINTEXT",
        ),
        (
            "BOTH",
            {"security": "SSL"},
            "wants a login (by PLAIN, SCRAM-SHA-256, SCRAM-SHA-512), but security is SSL",
        ),
        (
            "TLS",
            {"security": "PLAINTEXT", "ca": ""},
            "speaks TLS, but security is PLAINTEXT; say security=SSL",
        ),
        (
            "BOTH",
            {"security": "SASL_PLAINTEXT", "ca": "", "user": "owner"},
            "speaks TLS, but security is SASL_PLAINTEXT",
        ),
        (
            "SASL",
            {"security": "SASL_SSL", "user": "owner"},
            "speaks no TLS, but security is SASL_SSL; say security=SASL_P",
        ),
        (
            "TLS",
            {"security": "SASL_SSL", "user": "owner"},
            "accepts no login at all",
        ),
        ("TLS", {"ca": ""}, "that this system does not know; give the file of that authority"),
        (
            "BOTH",
            {"ca": "OTHER", "user": "owner"},
            "other.crt' does not know; give the file of that authority",
        ),
        ("TLS", {"ca": __file__}, "cannot be read as certificates in PEM form"),
        ("EXPIRED", {}, "shows a certificate that is out of date"),
        ("ELSEWHERE", {}, "not for 127.0.0.1"),
    ],
    ids=str,
)
def test_whoever_may_not_is_told_why(
    broker: Guarded, listener: str, given: dict[str, str], told: str
) -> None:
    """The error says why the broker refuses a login, and what to set instead."""
    if given.get("ca") == "OTHER":
        given = given | {"ca": str(broker.other_ca)}
    assert told in refusal(broker.url(listener, "shop", **given))


def test_a_right_that_lacks_is_told(broker: Guarded, rights: Rights, shop: str) -> None:
    """The error names the missing right to see, read or write a topic, or to read in a group."""
    url = broker.url("SASL", shop, user="limited")
    events = f"{shop}.events"
    assert f"user 'limited' may not see topic '{events}', '{shop}.samples'" in refusal(
        url, ["events"], ["samples"]
    )
    rights.allow("topic", events, "read")
    until_told(
        lambda: refusal(url, ["events"], ["events"]), f"may not write topic '{events}'; allow WRITE"
    )
    rights.allow("group", f"{shop}.mainstem-join", "describe")
    rights.allow("topic", events, "write")
    told = f"user 'limited' may not read in the consumer group '{shop}.mainstem-join'; allow READ"
    until_told(lambda: refusal(url, ["events"], ["events"], "join"), told)
    rights.allow("group", f"{shop}.mainstem-join", "read")
    until(lambda: is_let_in(url, ["events"], ["events"], "join"), 10)


def test_topics_that_this_user_may_not_make_or_check_are_told(
    broker: Guarded, rights: Rights, shop: str
) -> None:
    """Missing rights to make or to check topics are reported at once, each kind in one error."""
    there, notes = Broker.parse(broker.url("SASL", shop, user="limited")), list[str]()
    with pytest.raises(
        BrokerError,
        match=r"this user may not make topic '.*\.events', '.*\.items', .*; allow CREATE",
    ):
        make_topics(Broker.parse(broker.url("SASL", unique(), user="limited")), ONE)
    for name in TOPICS:
        rights.allow("topic", there.topic(name), "describe")
    until_told(lambda: of_topics(there, notes), "may not see how topic")
    for name in TOPICS:
        rights.allow("topic", there.topic(name), "describe_configs")
    until(lambda: of_topics(there, notes) == "", 10)
    assert any("make sure that auto.create.topics.enable is false" in note for note in notes)


def test_every_command_tells_a_wrong_password_in_one_line(
    broker: Guarded, shop: str, tmp_path: Path, small_log: Path
) -> None:
    """Every command reports a wrong password in one line that does not have it."""
    url = broker.url("BOTH", shop, user="owner", password=WRONG, mechanism="SCRAM-SHA-512")
    deployment = Deployment(url, f"chdb://{tmp_path}/history", tmp_path, SETTINGS)
    trusted = tmp_path / "trusted.jsonl"
    trusted.write_text('{"event_id":"e","item_id":"cup","label":1}\n')
    commands = [
        *([*words, "--http", "127.0.0.1:0"] for words in PROGRAMS.values()),
        ["topics"],
        ["audit"],
        ["stream", "replay", small_log],
        ["trust", "add", trusted, "--to", url],
    ]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda words: deployment.run(*words, check=False), commands))
    assert [1] * len(commands) == [one.returncode for one in done]
    for command, one in zip(commands, done, strict=True):
        assert "refuses the login of 'owner' by SCRAM-SHA-512" in one.stderr, command
        assert 1 == len(one.stderr.splitlines()), (command, one.stderr)
        assert WRONG not in one.stderr + one.stdout


def test_programs_run_until_a_right_is_taken_away(
    broker: Guarded, rights: Rights, shop: str, tmp_path: Path
) -> None:
    """Programs log in over TLS and work until a right is taken away, and end with one line."""
    for name in ("events", "items", "samples", "counts", "ledger", "rejected", "trusted"):
        rights.allow("topic", f"{shop}.{name}", "read", "write")
    for name in ("join", "sink"):
        rights.allow("group", f"{shop}.mainstem-{name}", "read")
    url = broker.url("BOTH", shop, user="limited", mechanism="SCRAM-SHA-512")
    until(lambda: is_let_in(url, ["events", "trusted"], ["samples"], "sink"), 10)
    plain = Broker.parse(f"kafka://{broker.plain}/{shop}")
    running = Running(
        Deployment(url, f"chdb://{tmp_path}/history", tmp_path, SETTINGS),
        {name: PROGRAMS[name] for name in ("join", "sink")},
    )
    try:
        until(running.ready, 60)
        produce(plain, plain.topic("events"), [encode(Tick(event_timestamp=TIME))])
        until(lambda: bool(read_all(plain, "ledger")[0]), 30)
        for name in ("join", "sink"):
            rights.take("group", f"{shop}.mainstem-{name}", "read")
        until(lambda: have_ended(running, plain), 30)
        ended = running.end()
    finally:
        running.kill()
    logs = {name: (tmp_path / f"{name}.log").read_text() for name in ("join", "sink")}
    assert {"join": (70, True), "sink": (1, True)} == ended
    assert dict.fromkeys(logs, 1) == {
        name: log.count("allow this user READ in that consumer group") for name, log in logs.items()
    }
    assert not [name for name, log in logs.items() if "Traceback" in log or SECRET in log]


def test_nobody_else_builds_a_login() -> None:
    """The names of the clients' login options are used in `login.py` only."""
    words = (
        "sasl_plain",
        "SASLCredentials",
        "SSLCredentials",
        "security_protocol",
        "ssl_cafile",
        "ssl_context=",
    )
    files = [
        path for folder in ("src", "streams", "trainer") for path in (ROOT / folder).rglob("*.py")
    ]
    assert ["login.py"] == [
        path.name for path in files if any(word in path.read_text() for word in words)
    ]


def have_ended(running: Running, plain: Broker) -> bool:
    """Whether both programs have ended; otherwise produce one more event for them to commit."""
    produce(plain, plain.topic("events"), [encode(Tick(event_timestamp=TIME))])
    return not any(process.alive for process in running.processes.values())


def of_topics(broker: Broker, notes: list[str]) -> str:
    """Return the error of a deployment's topics, or an empty text."""
    try:
        make_topics(broker, ONE, say=notes.append)
    except BrokerError as error:
        return str(error)
    return ""
