"""What samples are about: their texts, and which question and part of the shop they come from."""

from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query

__all__ = ["DESCRIBED", "Described"]


class Described(NamedTuple):
    """A sample without its label: its question, its source, its category and its two texts."""

    sample_id: UUID
    question_id: UUID
    source: str
    category: str
    context_text: str
    item_text: str


DESCRIBED: Final = Query(
    Described,
    """
    SELECT sample_id, question_id, source, category, context_text, item_text FROM samples_now""",
)
"""All samples, each at its newest label version."""
