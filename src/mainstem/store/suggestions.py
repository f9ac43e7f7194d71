"""Queries that messages and screens suggest to the user."""

from typing import Final

__all__ = ["IMPORTANT_ITEMS", "IMPORTANT_TEXTS", "SAMPLE_IDS", "SOME_SAMPLES"]

IMPORTANT_ITEMS: Final = (
    "SELECT item_id, importance FROM importance_of_item ORDER BY importance DESC LIMIT 5"
)
IMPORTANT_TEXTS: Final = (
    "SELECT context_text, label, importance FROM samples_now JOIN standings_now USING sample_id "
    "ORDER BY importance DESC LIMIT 5"
)
SOME_SAMPLES: Final = "SELECT sample_id, context_text, item_text FROM samples_now LIMIT 9"
SAMPLE_IDS: Final = "SELECT sample_id FROM samples LIMIT 9"
