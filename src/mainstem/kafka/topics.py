"""The topics: their keys, and how the broker must keep them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

__all__ = ["TOPICS", "Topic"]


class Topic(Struct, frozen=True, kw_only=True):
    """How the broker must keep a topic.

    Attributes:
        key: what the key of a record is, in words or as the name of a field.
        many: whether the setting `partitions` says how many partitions there are; otherwise there
            is one.
        compacted: whether the broker keeps the newest record of each key; otherwise it keeps all
            records for some time.
        forever: whether the broker never deletes a record.
    """

    key: str
    many: bool = False
    compacted: bool = False
    forever: bool = False


TOPICS: Final[Mapping[str, Topic]] = MappingProxyType(
    {
        "events": Topic(key="user_id", many=True),
        "items": Topic(key="item_id", forever=True),
        "samples": Topic(key="question_id", many=True),
        "counts": Topic(key="partition", many=True),
        "ledger": Topic(key="topic and partition"),
        "rejected": Topic(key="topic and partition"),
        "standings": Topic(key="sample_id", many=True, compacted=True),
        "versions": Topic(key="version", compacted=True),
        "trusted": Topic(key="sample_id", compacted=True),
        "schedule": Topic(key="record and its numbers", many=True, compacted=True),
    }
)
"""All topics by name.

One record of `samples` holds the samples of one question. A partition of `counts` holds the hours
of the partition of `events` with the same number.
"""
