"""Makes the topics, and checks partitions, retention, compaction and codecs of all of them.

It also checks that the broker makes no topics on its own, so that no typo in a name becomes one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from mainstem.errors import BrokerError
from mainstem.kafka import TOPICS, Broker, DirectReader, Topic
from mainstem.kafka.faults import lacking_codecs, one_line, together
from mainstem.settings import Join

__all__ = ["make_topics", "notes_on_codecs"]

_DAY_MS: Final = 86_400_000
_RETENTION_MS: Final = 30 * _DAY_MS
# a worker that is down for longer than a topic keeps its records loses events
_SHORTEST_MS: Final = _DAY_MS
_REFUSED: Final = 29  # Kafka's error code for a topic that this user may not see or make
_UNSEEN: Final = "this user may not see topic {}; if the prefix is right, allow DESCRIBE"
_HIDDEN: Final = "this user may not see how topic {} is configured; allow DESCRIBE_CONFIGS"
_UNREAD: Final = (
    "this user may not read topic {}, so it is unknown whether its records can be decoded"
)


def make_topics(
    broker: Broker,
    join: Join,
    *,
    replication: int = -1,
    auto_create: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Make the topics that are missing and check all of them.

    Args:
        broker: broker of the topics.
        join: settings of the join; `partitions` is used.
        replication: copies of each record; -1 takes the broker's default.
        auto_create: whether to accept a broker that makes unknown topics on its own.
        say: called with each thing that this user has no right to check.

    Returns:
        Full names of the topics that were made.

    Raises:
        BrokerError: if the broker or a topic is configured wrongly. The message names each fault
            and how to mend it.
    """
    from kafka.admin import KafkaAdminClient  # a second to import

    admin: Any = KafkaAdminClient(**broker.options)
    try:
        there = set(admin.list_topics())
        missing = [name for name in TOPICS if broker.topic(name) not in there]
        if missing:
            _make(admin, broker, join, missing, replication)
        notes = list[str]()
        faults = list(_faults(admin, broker, join)) or list(_unreadable(broker, notes))
        if not auto_create and _creates_topics(admin, notes):
            faults.append(
                "the broker makes unknown topics on its own (auto.create.topics.enable), so a typo "
                "would become a topic; set it to false, or pass --allow-auto-create"
            )
    finally:
        admin.close()
    if faults:
        raise BrokerError("; ".join(faults))
    for note in notes:
        say(note)
    return [broker.topic(name) for name in missing]


def _make(admin: Any, broker: Broker, join: Join, names: Sequence[str], replication: int) -> None:
    new = {
        broker.topic(name): {
            "num_partitions": _partitions(TOPICS[name], join),
            "replication_factor": replication,
            "configs": _configs(TOPICS[name]),
        }
        for name in names
    }
    answered = admin.create_topics(new, raise_errors=False)["topics"]
    faults = [(fault, topic["name"]) for topic in answered if (fault := _refusal(topic))]
    if not faults:
        seen = admin.describe_topics(list(new))
        faults = [(_UNSEEN, topic["name"]) for topic in seen if topic["error_code"] == _REFUSED]
    if faults:
        raise BrokerError("; ".join(together(sorted(faults))))
    admin.wait_for_topics(list(new))


def _refusal(topic: Mapping[str, Any]) -> str:
    """Why a topic was not made; empty if it was, or if another program was faster."""
    import kafka.errors as known

    code = topic["error_code"]
    if code in (0, known.TopicAlreadyExistsError.errno):
        return ""
    if code in (_REFUSED, known.ClusterAuthorizationFailedError.errno):
        return (
            "this user may not make topic {}; allow CREATE on it or on the cluster, "
            "or let another user make it"
        )
    reason = one_line(known.for_code(code)(topic.get("error_message") or ""))
    return f"the broker does not make topic {{}} ({reason}); mend that, or make it by hand"


def _partitions(topic: Topic, join: Join) -> int:
    return join.partitions if topic.many else 1


def _configs(topic: Topic) -> dict[str, str]:
    if topic.compacted:
        return {"cleanup.policy": "compact"}
    return {
        "cleanup.policy": "delete",
        "retention.ms": "-1" if topic.forever else str(_RETENTION_MS),
    }


def _faults(admin: Any, broker: Broker, join: Join) -> Iterator[str]:
    from kafka.admin import ConfigResource, ConfigResourceType

    names = {broker.topic(name): topic for name, topic in TOPICS.items()}
    described = {topic["name"]: topic for topic in admin.describe_topics(list(names))}
    found = admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in names], config_filter="all"
    )
    lacking = lacking_codecs()
    hidden = [
        (_HIDDEN, name)
        for name in names
        if described[name]["error_code"] != _REFUSED and not found["topic"].get(name)
    ]
    yield from together(hidden)
    for name, topic in names.items():
        if described[name]["error_code"] == _REFUSED:
            yield _UNSEEN.format(repr(name))
            continue
        there, want = len(described[name]["partitions"]), _partitions(topic, join)
        if there != want:
            yield (
                f"topic {name!r} has {there} partitions, but the setting says {want}; "
                "set MAINSTEM_JOIN__PARTITIONS, or delete the topic and make it again"
            )
        config = _config_of(found, "topic", name)
        if not config:
            continue
        yield from _config_faults(name, topic, config)
        yield from _codec_faults(name, config, lacking)


def _config_faults(name: str, topic: Topic, config: Mapping[str, str]) -> Iterator[str]:
    want = "compact" if topic.compacted else "delete"
    mend = f"kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config"
    if (has := config["cleanup.policy"]) != want:
        yield (
            f"topic {name!r} has cleanup.policy={has}; it must be {want}: "
            f"{mend} cleanup.policy={want}"
        )
    retention = int(config["retention.ms"])
    deletes = f"topic {name!r} deletes records after {retention} ms"
    if topic.forever and retention != -1:
        yield f"{deletes}, but every worker reads it whole: {mend} retention.ms=-1"
    elif not topic.compacted and 0 <= retention < _SHORTEST_MS:
        yield f"{deletes}; keep them for a day at least: {mend} retention.ms={_RETENTION_MS}"


def _codec_faults(
    name: str, config: Mapping[str, str], lacking: Mapping[str, str]
) -> Iterator[str]:
    codec = config.get("compression.type", "producer")
    if codec in lacking:
        yield (
            f"topic {name!r} is compressed by {codec}, which cannot be decoded here; "
            f"{lacking[codec]}"
        )


def notes_on_codecs() -> list[str]:
    """A warning for each codec that cannot be decoded here, in case a producer uses it."""
    return [
        f"a record that is compressed by {codec} would end the programs; {mend}"
        for codec, mend in sorted(lacking_codecs().items())
    ]


def _unreadable(broker: Broker, notes: list[str]) -> Iterator[str]:
    """Yield a fault for each topic whose oldest or newest batch cannot be read.

    Topics that this user may not read are added to `notes`.
    """
    from kafka.errors import TopicAuthorizationFailedError

    unknown: list[tuple[str, str]] = []
    for name in TOPICS:
        with DirectReader(broker, broker.topic(name)) as reader:
            try:
                for partition in reader.partitions():
                    first, end = reader.first(partition), reader.end(partition)
                    for offset in sorted({first, end - 1}) if first < end else ():
                        reader.read(partition, offset, offset + 1)
            except BrokerError as error:
                yield str(error)
            except TopicAuthorizationFailedError:
                unknown.append((_UNREAD, broker.topic(name)))
    notes += together(unknown)


def _config_of(found: Any, kind: str, name: str) -> dict[str, str]:
    """Configuration of a topic or a broker; empty if this user may not see it.

    The client raises no error then.
    """
    return {key: str(config["value"]) for key, config in found[kind].get(name, {}).items()}


def _creates_topics(admin: Any, notes: list[str]) -> bool:
    from kafka.admin import ConfigResource, ConfigResourceType

    node = next(iter(admin.describe_cluster()["brokers"]))
    broker = str(node["broker_id"] if "broker_id" in node else node["node_id"])
    found = admin.describe_configs(
        [ConfigResource(ConfigResourceType.BROKER, broker)], config_filter="all"
    )
    config = _config_of(found, "broker", broker)
    if not config:
        notes.append(
            "this user may not see how the broker is configured; "
            "make sure that auto.create.topics.enable is false"
        )
    return config.get("auto.create.topics.enable") == "true"
