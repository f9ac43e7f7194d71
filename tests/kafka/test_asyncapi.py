"""The AsyncAPI document is valid by its specification and describes the topics and records."""

import gzip
import json
import random
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
from msgspec import Struct

from mainstem.behaviour import Count, Hour
from mainstem.events import Tick
from mainstem.events import encode as encode_event
from mainstem.events.schema import KINDS, schemas_of
from mainstem.kafka import TOPICS
from mainstem.kafka.asyncapi import document
from mainstem.kafka.hours import encode_hour
from mainstem.kafka.messages import Announcement, PublishedStanding, encode
from tests.events.test_decode import KINDS as EXAMPLES
from tests.streams.fakes import plainly, shop_log

DOCUMENT = document()
with gzip.open(Path(__file__).with_name("asyncapi-3.0.0.json.gz")) as file:
    SPECIFICATION = Draft7Validator(json.load(file))
STANDING = {
    "sample_id": UUID(int=7),
    "label_version": 0,
    "judgement": 500,
    "version": 2,
    "standing": "core",
    "reason": "",
    "p_value": None,
    "evidence": 0.5,
    "importance": 1.0,
    "importance_of_mean": None,
    "alignment": None,
}


def resolved(reference: dict[str, str]) -> Any:
    """Return the target of a reference within the document."""
    found = DOCUMENT
    for name in reference["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def references(value: Any) -> list[dict[str, str]]:
    """Return every reference in a part of the document."""
    parts = value if isinstance(value, list) else []
    parts = list(value.values()) if isinstance(value, dict) else parts
    own = [value] if isinstance(value, dict) and "$ref" in value else []
    return own + [one for part in parts for one in references(part)]


def faults(topic: str, record: bytes) -> list[str]:
    """Return the errors of a record by the payloads of its topic; none if one accepts it."""
    payloads = [
        resolved(message)["payload"] for message in DOCUMENT["channels"][topic]["messages"].values()
    ]
    schema = {"components": DOCUMENT["components"], "oneOf": payloads}
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    return [error.message for error in validator.iter_errors(json.loads(record))]


def test_the_document_is_one_by_the_specification() -> None:
    """The official JSON schema of AsyncAPI 3.0 accepts the document."""
    assert [] == [
        f"{error.json_path}: {error.message}" for error in SPECIFICATION.iter_errors(DOCUMENT)
    ]


@pytest.mark.parametrize(
    "change",
    [{"asyncapi": "2.6.0"}, {"chanels": {}}, {"channels": {"events": {"adress": "events"}}}],
)
def test_the_specification_finds_faults(change: dict[str, Any]) -> None:
    """A wrong version, name or field is refused, so that the test above can fail."""
    assert not SPECIFICATION.is_valid({**DOCUMENT, **change})


def test_every_reference_leads_somewhere() -> None:
    """Every reference in the document has a target."""
    found = references(DOCUMENT)
    assert len(found) > 20
    assert [] == [one for one in found if not resolved(one)]


def test_every_topic_is_a_channel_that_is_kept_as_the_broker_must() -> None:
    """Each topic is a channel with its cleanup, retention and partitions, and has one operation."""
    channels = DOCUMENT["channels"]
    assert list(TOPICS) == list(channels)
    for name, topic in TOPICS.items():
        binding = channels[name]["bindings"]["kafka"]
        kept = binding["topicConfiguration"]
        assert ["compact" if topic.compacted else "delete"] == kept["cleanup.policy"]
        assert topic.forever == ("retention.ms" in kept)
        assert topic.many == ("partitions" not in binding)
        assert channels[name]["messages"]
    used = [one["channel"]["$ref"] for one in DOCUMENT["operations"].values()]
    assert [f"#/channels/{name}" for name in TOPICS] == used


def test_every_kind_of_event_is_a_message_of_one_topic() -> None:
    """Items belong to topic `items`, and all other events to `events`."""
    names = {kind.__name__ for kind in KINDS.values()}
    assert (names - {"Item"}, {"Item"}) == tuple(
        set(DOCUMENT["channels"][name]["messages"]) for name in ("events", "items")
    )


@pytest.mark.parametrize(
    ("message", "key"),
    [
        ("Click", {"type": "string", "description": "user_id, as text"}),
        (
            "Samples",
            {
                "type": "string",
                "format": "binary",
                "description": "question_id, the 16 bytes of the UUID",
            },
        ),
        ("LedgerRow", {"type": "string", "description": "topic and partition, as text"}),
        ("Tick", None),
    ],
)
def test_a_message_says_what_its_record_is_keyed_by(
    message: str, key: dict[str, str] | None
) -> None:
    """A key is a text or the bytes of a UUID, and a tick has none."""
    assert key == DOCUMENT["components"]["messages"][message]["bindings"]["kafka"].get("key")


def test_what_is_written_into_the_topics_is_valid() -> None:
    """Records of every topic are valid by its payloads as they are written."""
    joined = plainly(shop_log(random.Random(0), 1, 300), 0)
    assert joined.samples
    assert joined.rejections
    count = Count("item", "cup", "", 1, 1, 0, 0, 0, 0, 0)
    hour = Hour(partition=0, first=7, hour=8, counts=[count])
    written = {
        "events": [
            json.dumps(fields).encode() for fields, _ in EXAMPLES if fields["type"] != "item"
        ],
        "items": [
            json.dumps(fields).encode() for fields, _ in EXAMPLES if fields["type"] == "item"
        ],
        "samples": [encode(joined.samples)],
        "counts": encode_hour(hour),
        "ledger": [encode(joined.row)],
        "rejected": [encode(one) for one in joined.rejections],
        "standings": [encode(PublishedStanding.of(STANDING))],
        "versions": [encode(Announcement(version=3, generation=1))],
    }
    assert {} == {
        topic: found
        for topic, records in written.items()
        for one in records
        if (found := faults(topic, one))
    }


def test_what_belongs_to_another_topic_is_not_valid() -> None:
    """A record of one topic is invalid by the payloads of the others."""
    tick = encode_event(Tick(event_timestamp=5))
    assert [] == faults("events", tick)
    assert all(faults(topic, tick) for topic in TOPICS if topic != "events")
    assert faults("samples", encode(plainly(shop_log(random.Random(0), 1, 100), 0).samples[0]))


class Pair(Struct):
    """A pair.

    Attributes:
        one, two: one of the pair.
    """

    one: int
    two: int


def test_what_a_docstring_says_of_a_field_describes_the_property() -> None:
    """Attributes in a docstring describe their properties, and a shared entry describes both."""
    sample = DOCUMENT["components"]["schemas"]["Sample"]
    assert "Attributes" not in sample["description"]
    assert "pseudonym of the shopper." == sample["properties"]["user"]["description"]
    _, schemas = schemas_of([Pair], "#/")
    both = [schemas["Pair"]["properties"][name]["description"] for name in ("one", "two")]
    assert ["one of the pair."] * 2 == both
