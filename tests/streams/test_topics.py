"""Topics are made once, and a topic with wrong settings is named together with its repair."""

from typing import Any

import pytest

from mainstem.errors import BrokerError
from mainstem.kafka import TOPICS, Broker
from mainstem.streams.topics import _creates_topics, make_topics, notes_on_codecs
from tests.join.shop import short
from tests.kafka.topic import make

SETTINGS = short(partitions=3)


@pytest.fixture
def broker(events_url: str) -> Broker:
    """Broker without our topics."""
    return Broker.parse(events_url)


def described(broker: Broker) -> dict[str, tuple[int, str, str]]:
    """Return partitions, cleanup policy and retention of each of our topics by short name."""
    from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

    admin = KafkaAdminClient(**broker.options)
    there = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}
    ours = {name: full for name in TOPICS if (full := broker.topic(name)) in there}
    resources = [ConfigResource(ConfigResourceType.TOPIC, full) for full in ours.values()]
    found = admin.describe_configs(resources, config_filter="all")["topic"] if ours else {}
    admin.close()
    return {
        name: (
            there[full],
            *(str(found[full][key]["value"]) for key in ("cleanup.policy", "retention.ms")),
        )
        for name, full in ours.items()
    }


def test_all_topics_are_made_as_they_must_be(broker: Broker) -> None:
    """Topics get their partitions and are compacted, kept for thirty days or kept for ever."""
    made = make_topics(broker, SETTINGS.join)
    assert [broker.topic(name) for name in TOPICS] == made
    found, month = described(broker), str(30 * 86_400_000)
    assert {"events": 3, "samples": 3, "counts": 3, "schedule": 3, "standings": 3} == {
        name: count for name, (count, *_) in found.items() if count > 1
    }
    assert {"schedule", "standings", "versions", "trusted"} == {
        name for name, (_, policy, _) in found.items() if policy == "compact"
    }
    kept = {name: retention for name, (_, policy, retention) in found.items() if policy == "delete"}
    assert {
        "events": month,
        "items": "-1",
        "samples": month,
        "counts": month,
        "ledger": month,
        "rejected": month,
    } == kept


def test_a_second_time_nothing_is_made(broker: Broker) -> None:
    """A second run makes no topics and finds no fault."""
    make_topics(broker, SETTINGS.join)
    before = described(broker)
    assert [] == make_topics(broker, SETTINGS.join)
    assert before == described(broker)


def test_what_is_missing_is_made(broker: Broker) -> None:
    """Missing topics are made, and existing topics are left alone."""
    make(broker, "ledger", **{"retention.ms": "-1"})
    assert broker.topic("ledger") not in make_topics(broker, SETTINGS.join)
    assert ("-1", len(TOPICS)) == (described(broker)["ledger"][2], len(described(broker)))


@pytest.mark.parametrize(
    ("name", "partitions", "configs", "told"),
    [
        (
            "events",
            2,
            {},
            "has 2 partitions, but the setting says 3; set MAINSTEM_JOIN__PARTITIONS, or delete",
        ),
        ("items", 2, {"retention.ms": "-1"}, "has 2 partitions, but the setting says 1"),
        (
            "versions",
            1,
            {"cleanup.policy": "delete"},
            "cleanup.policy=delete; it must be compact: {alter} cleanup.policy=compact",
        ),
        (
            "events",
            3,
            {"cleanup.policy": "compact"},
            "cleanup.policy=compact; it must be delete: {alter} cleanup.policy=delete",
        ),
        (
            "ledger",
            1,
            {"cleanup.policy": "compact,delete"},
            "it must be delete: {alter} cleanup.policy=delete",
        ),
        (
            "items",
            1,
            {"retention.ms": "604800000"},
            (
                "deletes records after 604800000 ms, but every worker reads it whole: "
                "{alter} retention.ms=-1"
            ),
        ),
        (
            "events",
            3,
            {"retention.ms": "60000"},
            (
                "deletes records after 60000 ms; keep them for a day at least: "
                "{alter} retention.ms=2592000000"
            ),
        ),
        (
            "rejected",
            1,
            {"retention.ms": "86399999"},
            "deletes records after 86399999 ms; keep them for a day at least",
        ),
    ],
)
def test_a_topic_that_is_not_as_it_must_be_is_named(
    broker: Broker, name: str, partitions: int, configs: dict[str, str], told: str
) -> None:
    """A topic with a wrong setting is named with its repair, and the other topics are made."""
    full = make(broker, name, partitions, **configs)
    alter = f"kafka-configs.sh --alter --entity-type topics --entity-name {full} --add-config"
    for _ in range(2):
        with pytest.raises(BrokerError) as caught:
            make_topics(broker, SETTINGS.join)
        assert str(caught.value).startswith(f"topic {full!r} ")
        assert told.format(alter=alter) in str(caught.value)
    assert len(TOPICS) == len(described(broker))


def test_all_that_is_wrong_is_told_at_once(broker: Broker) -> None:
    """Three faults of two topics are reported in one message."""
    make(broker, "events", 2, **{"retention.ms": "60000"})
    make(broker, "trusted", **{"cleanup.policy": "delete"})
    with pytest.raises(BrokerError) as caught:
        make_topics(broker, SETTINGS.join)
    assert 3 == str(caught.value).count("topic '")


@pytest.mark.parametrize("retention", ["86400000", "-1"])
def test_a_day_is_enough(broker: Broker, retention: str) -> None:
    """A retention of a day is accepted, and so is an unlimited one."""
    make(broker, "events", 3, **{"retention.ms": retention})
    assert make_topics(broker, SETTINGS.join)


class FakeAdmin:
    """An admin client that knows one broker's setting of `auto.create.topics.enable`."""

    def __init__(self, enabled: str | None, id_name: str = "broker_id") -> None:
        self._enabled, self._id_name = enabled, id_name

    def describe_cluster(self) -> dict[str, Any]:
        """Describe a cluster of one broker."""
        return {"brokers": [{self._id_name: 7}]}

    def describe_configs(self, resources: list[Any], **_: Any) -> dict[str, Any]:
        """Describe the settings of the broker."""
        [resource] = resources
        assert "7" == resource.name
        config = (
            {} if self._enabled is None else {"auto.create.topics.enable": {"value": self._enabled}}
        )
        return {"broker": {"7": config}}


@pytest.mark.parametrize(("enabled", "expected"), [("true", True), ("false", False), (None, False)])
@pytest.mark.parametrize("id_name", ["broker_id", "node_id"])
def test_a_broker_that_makes_topics_is_known(
    id_name: str, enabled: str | None, expected: bool
) -> None:
    """A broker makes topics on its own only if its setting says so, under either field name."""
    assert expected == _creates_topics(FakeAdmin(enabled, id_name), [])


def test_a_broker_that_makes_topics_is_refused(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that makes unknown topics on its own is refused unless the user allows it."""
    monkeypatch.setattr(
        "mainstem.streams.topics._creates_topics",
        lambda admin, notes: True,  # noqa: ARG005
    )
    with pytest.raises(
        BrokerError, match=r"^the broker makes unknown topics on its own .* --allow-auto-create$"
    ):
        make_topics(broker, SETTINGS.join)
    assert [] == make_topics(broker, SETTINGS.join, auto_create=True)


def test_a_codec_that_cannot_be_decoded_is_told(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A topic with a codec that cannot be decoded is refused, and other use of it is noted."""
    monkeypatch.setattr(
        "mainstem.streams.topics.lacking_codecs", lambda: {"zstd": "pip install zstandard"}
    )
    full = make(broker, "items", **{"compression.type": "zstd", "retention.ms": "-1"})
    make(broker, "events", 3, **{"compression.type": "lz4"})
    with pytest.raises(BrokerError) as caught:
        make_topics(broker, SETTINGS.join)
    assert (
        f"topic {full!r} is compressed by zstd, which cannot be decoded here; pip install zstandard"
        == str(caught.value)
    )
    assert [
        "a record that is compressed by zstd would end the programs; pip install zstandard"
    ] == notes_on_codecs()
