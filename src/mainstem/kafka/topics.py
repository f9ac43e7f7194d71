"""The topics: what each holds, by what it is keyed, and how the broker must keep it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

__all__ = ["TOPICS", "Topic"]


class Topic(Struct, frozen=True, kw_only=True):
    """One topic.

    Attributes:
        key: what its records are keyed by.
        many: whether it has as many partitions as the setting `partitions` says, else one.
        compacted: whether the broker keeps the newest record of each key, else all of them for a time.
        forever: whether nothing is ever deleted from it.
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
        "ledger": Topic(key="topic and partition"),
        "rejected": Topic(key="topic and partition"),
        "standings": Topic(key="sample_id", many=True, compacted=True),
        "versions": Topic(key="version", compacted=True),
        "trusted": Topic(key="sample_id", compacted=True),
        "schedule": Topic(key="record and its numbers", many=True, compacted=True),
    }
)
"""All topics by name. One record of `samples` holds the samples of one question."""
