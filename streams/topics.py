"""Makes the topics, and checks all: partitions, retention, compaction, codecs, and that no typo makes a topic."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from mainstem.errors import BrokerError
from mainstem.kafka import TOPICS, Broker, DirectReader, Topic
from mainstem.kafka.faults import lacking_codecs, together, told_of
from mainstem.settings import Join

__all__ = ["make_topics", "notes_on_codecs"]

_DAY_MS: Final = 86_400_000
_RETENTION_MS: Final = 30 * _DAY_MS
_REFUSED: Final = 29  # Kafka's code of a topic that this user may not see, or make
_UNSEEN: Final = "this user may not see topic {}; allow DESCRIBE, if the prefix is right"
_HIDDEN: Final = "this user may not see how topic {} is configured; allow DESCRIBE_CONFIGS"
_UNREAD: Final = (
    "this user may not read topic {}: whether what lies there can be decoded is not known"
)
_SHORTEST_MS: Final = (
    _DAY_MS  # a worker that is down for longer than a topic remembers loses events
)


def make_topics(
    broker: Broker,
    join: Join,
    *,
    replication: int = -1,
    auto_create: bool = False,
    say: Callable[[str], None] = lambda text: None,  # noqa: ARG005
) -> list[str]:
    """Make the topics that are missing and check all of them.

    Args:
        broker: where.
        join: `partitions` is used.
        replication: copies of each record; -1 is what the broker does by default.
        auto_create: whether a broker that makes topics on its own is put up with.
        say: told what this user has no right to check.

    Returns:
        Full names of the topics that were made.

    Raises:
        BrokerError: if a topic, or the broker, is not as it must be: which, and how to mend it.
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
                "the broker makes topics on its own (auto.create.topics.enable), so a typo would become one; "
                "set it to false, or say --allow-auto-create"
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
    """Why a topic was not made; nothing where it was, or where another was faster: all are checked."""
    import kafka.errors as known

    code = topic["error_code"]
    if code in (0, known.TopicAlreadyExistsError.errno):
        return ""
    if code in (_REFUSED, known.ClusterAuthorizationFailedError.errno):
        return "this user may not make topic {}; allow CREATE, on it or on the cluster, or let somebody else make it"
    reason = told_of(known.for_code(code)(topic.get("error_message") or ""))
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
                f"topic {name!r} has {there} partitions, the setting says {want}; set MAINSTEM_JOIN__PARTITIONS, "
                "or make it anew"
            )
        config = _config_of(found, "topic", name)
        if not config:
            continue
        yield from _config_faults(name, topic, config)
        yield from _codec_faults(name, config, lacking)


def _config_faults(name: str, topic: Topic, config: Mapping[str, str]) -> Iterator[str]:
    want = "compact" if topic.compacted else "delete"
    mend = f"kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config"
    if config["cleanup.policy"] != want:
        has = config["cleanup.policy"]
        yield f"topic {name!r} has cleanup.policy={has}; it must be {want}: {mend} cleanup.policy={want}"
    retention = int(config["retention.ms"])
    if topic.forever and retention != -1:
        yield f"topic {name!r} forgets after {retention} ms; every worker reads it whole: {mend} retention.ms=-1"
    elif not topic.compacted and 0 <= retention < _SHORTEST_MS:
        yield f"topic {name!r} forgets after {retention} ms; give it a day at least: {mend} retention.ms={_RETENTION_MS}"


def _codec_faults(
    name: str, config: Mapping[str, str], lacking: Mapping[str, str]
) -> Iterator[str]:
    codec = config.get("compression.type", "producer")
    if codec in lacking:
        yield f"topic {name!r} is compressed by {codec}, which cannot be decoded here: {lacking[codec]}"


def notes_on_codecs() -> list[str]:
    """What cannot be decoded here, should a producer use it."""
    return [
        f"a producer that compresses by {codec} would end the programs: {mend}"
        for codec, mend in sorted(lacking_codecs().items())
    ]


def _unreadable(broker: Broker, notes: list[str]) -> Iterator[str]:
    """Topics whose newest or oldest batch cannot be read; those that this user may not read are noted."""
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
    """Configuration of a topic or a broker; nothing where this user may not see it, for which the client has no error."""
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
            "this user may not see how the broker is configured: auto.create.topics.enable must be false there"
        )
    return config.get("auto.create.topics.enable") == "true"
