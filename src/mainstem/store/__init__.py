"""The history: one class that writes and reads it, its migrations, and all SQL as named queries."""

from mainstem.store.connecting import DATABASE, has_history
from mainstem.store.reads import (
    drawn_samples,
    sample_ends,
    samples_between,
    samples_since,
    trusted_samples,
)
from mainstem.store.representations import Representations, representations_of
from mainstem.store.store import Columns, Store
from mainstem.store.trusted import TrustedLabel, trusted_labels
from mainstem.store.visits import StoredVisits, stored_visits

__all__ = [
    "DATABASE",
    "Columns",
    "Representations",
    "Store",
    "StoredVisits",
    "TrustedLabel",
    "drawn_samples",
    "has_history",
    "representations_of",
    "sample_ends",
    "samples_between",
    "samples_since",
    "stored_visits",
    "trusted_labels",
    "trusted_samples",
]
