"""Joins questions with their outcomes into samples: a deterministic fold over a partition."""

from mainstem.join.catalogue import Catalogue
from mainstem.join.closing import closing_time
from mainstem.join.facts import PARTS, Facts
from mainstem.join.joiner import Joiner, Output
from mainstem.join.ledger import BLOCK, LedgerRow, imbalance, new_counts, totals
from mainstem.join.placed import PlacedSample, examples_of
from mainstem.join.rejections import Rejection, pseudonym, rejection_of
from mainstem.join.sample import Sample, digest_0_1_of, digest_of, price_band, relabelled_sample
from mainstem.join.snapshot import Snapshot

__all__ = [
    "BLOCK",
    "PARTS",
    "Catalogue",
    "Facts",
    "Joiner",
    "LedgerRow",
    "Output",
    "PlacedSample",
    "Rejection",
    "Sample",
    "Snapshot",
    "closing_time",
    "digest_0_1_of",
    "digest_of",
    "examples_of",
    "imbalance",
    "new_counts",
    "price_band",
    "pseudonym",
    "rejection_of",
    "relabelled_sample",
    "totals",
]
