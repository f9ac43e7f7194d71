"""The history in SQL: schema, migrations, views, and one class that writes and reads it."""

from mainstem.store.reads import StoredSample, drawn_samples, samples_between, samples_since, trusted_samples
from mainstem.store.store import DATABASE, Columns, Store

__all__ = [
    "DATABASE",
    "Columns",
    "Store",
    "StoredSample",
    "drawn_samples",
    "samples_between",
    "samples_since",
    "trusted_samples",
]
