"""The AsyncAPI document of all topics, generated from the topics and their structs."""

from collections.abc import Iterator
from typing import Any, Final, get_args, get_origin

import mainstem
from mainstem.events.schema import BEYOND, KINDS, schemas_of
from mainstem.join import LedgerRow, Rejection, Sample
from mainstem.kafka.hours import CountsPart, HourClosed
from mainstem.kafka.messages import Announcement, PublishedStanding
from mainstem.kafka.topics import TOPICS, Topic
from mainstem.store.schedule_records import ScheduleRecord
from mainstem.trusted.trust import Confirmed

__all__ = ["document"]

_HELD: Final[dict[str, tuple[Any, ...]]] = {
    "events": tuple(kind for name, kind in KINDS.items() if name != "item"),
    "items": (KINDS["item"],),
    "samples": (list[Sample],),
    "counts": (CountsPart, HourClosed),
    "ledger": (LedgerRow,),
    "rejected": (Rejection,),
    "standings": (PublishedStanding,),
    "versions": (Announcement,),
    "trusted": (Confirmed,),
    "schedule": get_args(ScheduleRecord),
}
"""Types of the records of each topic."""
# a shop writes these topics; mainstem itself writes the others
_FROM_OUTSIDE: Final = {"events", "items", "trusted"}
_BINDING: Final = "0.5.0"  # version of AsyncAPI's bindings for Kafka
_ABOUT: Final = (
    "The topics that mainstem reads and writes in Kafka. If the broker's URL has a prefix, "
    f"kafka://host:9092/PREFIX, each topic is called PREFIX.NAME. About events: {BEYOND}"
)


def document() -> dict[str, Any]:
    """Make the AsyncAPI 3.0 document: every topic with its key, and the schemas of its records.

    Example:
        >>> found = document()
        >>> found["channels"]["samples"]["messages"]
        {'Samples': {'$ref': '#/components/messages/Samples'}}
        >>> found["components"]["messages"]["Samples"]["payload"]
        {'type': 'array', 'items': {'$ref': '#/components/schemas/Sample'}}
    """
    held = [kind for name in TOPICS for kind in _HELD[name]]
    refs, schemas = schemas_of(held, "#/components/schemas/")
    payloads = dict(zip((_name(kind) for kind in held), refs, strict=True))
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "mainstem",
            "version": mainstem.__version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(name, topic) for name, topic in TOPICS.items()},
        "operations": dict(_operations()),
        "components": {
            "messages": {
                _name(kind): _message(kind, topic, payloads[_name(kind)], schemas)
                for name, topic in TOPICS.items()
                for kind in _HELD[name]
            },
            "schemas": schemas,
        },
    }


def _channel(name: str, topic: Topic) -> dict[str, Any]:
    kept: dict[str, Any] = {"cleanup.policy": ["compact" if topic.compacted else "delete"]}
    if topic.forever:
        kept["retention.ms"] = -1
    binding = {"topic": name, "topicConfiguration": kept}
    partitions = {} if topic.many else {"partitions": 1}
    return {
        "address": name,
        "messages": {
            _name(kind): {"$ref": f"#/components/messages/{_name(kind)}"} for kind in _HELD[name]
        },
        "bindings": {"kafka": {**binding, **partitions, "bindingVersion": _BINDING}},
    }


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """The operations of mainstem, which receives what a shop writes and sends the rest."""
    for name in TOPICS:
        action = "receive" if name in _FROM_OUTSIDE else "send"
        channel = {"$ref": f"#/channels/{name}"}
        yield f"{action}{name.title()}", {"action": action, "channel": channel}


def _message(
    kind: Any, topic: Topic, payload: dict[str, Any], schemas: dict[str, Any]
) -> dict[str, Any]:
    struct = schemas[_struct_of(kind).__name__]
    return {
        "name": _name(kind),
        "summary": struct["description"],
        "payload": payload,
        "bindings": {"kafka": {**_key(topic, struct), "bindingVersion": _BINDING}},
    }


def _key(topic: Topic, struct: dict[str, Any]) -> dict[str, Any]:
    field = struct["properties"].get(topic.key)
    if topic.key.isidentifier() and field is None:  # a tick has no key; every partition gets one
        return {}
    if field and field.get("format") == "uuid":
        meaning = f"{topic.key}, the 16 bytes of the UUID"
        return {"key": {"type": "string", "format": "binary", "description": meaning}}
    return {"key": {"type": "string", "description": f"{topic.key}, as text"}}


def _struct_of(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is list else kind


def _name(kind: Any) -> str:
    return f"{_struct_of(kind).__name__}s" if get_origin(kind) is list else str(kind.__name__)
