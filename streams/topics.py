"""Makes the topics, and checks all: partitions, retention, compaction, codecs, and that no typo makes a topic."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mainstem.errors import BrokerError
from mainstem.kafka import TOPICS, Broker, DirectReader, Topic
from mainstem.kafka.faults import lacking_codecs
from mainstem.settings import Settings

__all__ = ["make_topics", "notes_on_codecs"]

_DAY_MS: Final = 86_400_000
_RETENTION_MS: Final = 30 * _DAY_MS
_SHORTEST_MS: Final = _DAY_MS  # a worker that is down for longer than a topic remembers loses events


def make_topics(broker: Broker, settings: Settings, *, replication: int = -1, auto_create: bool = False) -> list[str]:
    """Make the topics that are missing and check all of them.

    Args:
        broker: where.
        settings: `partitions` is used.
        replication: copies of each record; -1 is what the broker does by default.
        auto_create: whether a broker that makes topics on its own is put up with.

    Returns:
        Full names of the topics that were made.

    Raises:
        BrokerError: if a topic, or the broker, is not as it must be: which, and how to mend it.
    """
    from kafka.admin import KafkaAdminClient  # noqa: PLC0415 - a second to import

    admin: Any = KafkaAdminClient(**broker.options)
    try:
        there = set(admin.list_topics())
        missing = [name for name in TOPICS if broker.topic(name) not in there]
        if missing:
            new = {
                broker.topic(name): {
                    "num_partitions": _partitions(TOPICS[name], settings),
                    "replication_factor": replication,
                    "configs": _configs(TOPICS[name]),
                }
                for name in missing
            }
            admin.create_topics(new, raise_errors=False, wait_for_metadata=True)  # another may be faster: all are checked
        faults = list(_faults(admin, broker, settings)) or list(_unreadable(broker))
        if not auto_create and _creates_topics(admin):
            faults.append(
                "the broker makes topics on its own (auto.create.topics.enable), so a typo would become one; "
                "set it to false, or say --allow-auto-create"
            )
    finally:
        admin.close()
    if faults:
        raise BrokerError("; ".join(faults))
    return [broker.topic(name) for name in missing]


def _partitions(topic: Topic, settings: Settings) -> int:
    return settings.join.partitions if topic.many else 1


def _configs(topic: Topic) -> dict[str, str]:
    if topic.compacted:
        return {"cleanup.policy": "compact"}
    return {"cleanup.policy": "delete", "retention.ms": "-1" if topic.forever else str(_RETENTION_MS)}


def _faults(admin: Any, broker: Broker, settings: Settings) -> Iterator[str]:
    from kafka.admin import ConfigResource, ConfigResourceType  # noqa: PLC0415

    names = {broker.topic(name): topic for name, topic in TOPICS.items()}
    described = {topic["name"]: topic for topic in admin.describe_topics(list(names))}
    found = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names], config_filter="all")
    lacking = lacking_codecs()
    for name, topic in names.items():
        there, want = len(described[name]["partitions"]), _partitions(topic, settings)
        if there != want:
            yield (
                f"topic {name!r} has {there} partitions, the setting says {want}; set MAINSTEM_JOIN__PARTITIONS, "
                "or make it anew"
            )
        config = _config_of(found, "topic", name)
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


def _codec_faults(name: str, config: Mapping[str, str], lacking: Mapping[str, str]) -> Iterator[str]:
    codec = config.get("compression.type", "producer")
    if codec in lacking:
        yield f"topic {name!r} is compressed by {codec}, which cannot be decoded here: {lacking[codec]}"


def notes_on_codecs() -> list[str]:
    """What cannot be decoded here, should a producer use it."""
    return [
        f"a producer that compresses by {codec} would end the programs: {mend}"
        for codec, mend in sorted(lacking_codecs().items())
    ]


def _unreadable(broker: Broker) -> Iterator[str]:
    """Topics whose newest or oldest batch cannot be read."""
    for name in TOPICS:
        with DirectReader(broker, broker.topic(name)) as reader:
            try:
                for partition in reader.partitions():
                    first, end = reader.first(partition), reader.end(partition)
                    for offset in sorted({first, end - 1}) if first < end else ():
                        reader.read(partition, offset, offset + 1)
            except BrokerError as error:
                yield str(error)


def _config_of(found: Any, kind: str, name: str) -> dict[str, str]:
    return {key: str(config["value"]) for key, config in found[kind][name].items()}


def _creates_topics(admin: Any) -> bool:
    from kafka.admin import ConfigResource, ConfigResourceType  # noqa: PLC0415

    node = next(iter(admin.describe_cluster()["brokers"]))
    broker = str(node["broker_id"] if "broker_id" in node else node["node_id"])
    found = admin.describe_configs([ConfigResource(ConfigResourceType.BROKER, broker)], config_filter="all")
    return _config_of(found, "broker", broker).get("auto.create.topics.enable") == "true"
