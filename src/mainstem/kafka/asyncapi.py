"""The AsyncAPI document of all topics, generated from the table of topics and the structs that their records hold."""

from collections.abc import Iterator
from typing import Any, Final, get_args, get_origin

import mainstem
from mainstem.events.schema import BEYOND, KINDS, schemas_of
from mainstem.join import LedgerRow, Rejection, Sample
from mainstem.kafka.messages import Announcement, PublishedStanding
from mainstem.kafka.topics import TOPICS, Topic
from mainstem.store.schedule_records import ScheduleRecord
from mainstem.trusted.trust import Confirmed

__all__ = ["document"]

_HELD: Final[dict[str, tuple[Any, ...]]] = {
    "events": tuple(kind for name, kind in KINDS.items() if name != "item"),
    "items": (KINDS["item"],),
    "samples": (list[Sample],),
    "ledger": (LedgerRow,),
    "rejected": (Rejection,),
    "standings": (PublishedStanding,),
    "versions": (Announcement,),
    "trusted": (Confirmed,),
    "schedule": get_args(ScheduleRecord),
}
"""What the records of each topic hold."""
_FROM_OUTSIDE: Final = {
    "events",
    "items",
    "trusted",
}  # a shop writes these; the others mainstem writes itself
_BINDING: Final = "0.5.0"
_ABOUT: Final = (
    "What mainstem reads from Kafka and writes to it. Where the broker's URL has a prefix, kafka://host:9092/PREFIX, each "
    f"topic is called PREFIX.NAME. Of events: {BEYOND}"
)


def document() -> dict[str, Any]:
    """The AsyncAPI 3.0 document: every topic with its key, and the schema of what its records hold.

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
    binding = {
        "topic": name,
        "topicConfiguration": kept | ({"retention.ms": -1} if topic.forever else {}),
    }
    partitions = {} if topic.many else {"partitions": 1}
    return {
        "address": name,
        "messages": {
            _name(kind): {"$ref": f"#/components/messages/{_name(kind)}"} for kind in _HELD[name]
        },
        "bindings": {"kafka": {**binding, **partitions, "bindingVersion": _BINDING}},
    }


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """As mainstem itself sees it: it receives what a shop sends."""
    for name in TOPICS:
        action = "receive" if name in _FROM_OUTSIDE else "send"
        yield (
            f"{action}{name.title()}",
            {"action": action, "channel": {"$ref": f"#/channels/{name}"}},
        )


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
    if topic.key.isidentifier() and field is None:  # a tick is nobody's: it goes to every partition
        return {}
    if field and field.get("format") == "uuid":
        return {
            "key": {
                "type": "string",
                "format": "binary",
                "description": f"{topic.key}, the 16 bytes of the UUID",
            }
        }
    return {"key": {"type": "string", "description": f"{topic.key}, as text"}}


def _struct_of(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is list else kind


def _name(kind: Any) -> str:
    return f"{_struct_of(kind).__name__}s" if get_origin(kind) is list else str(kind.__name__)
