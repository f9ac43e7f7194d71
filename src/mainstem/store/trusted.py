"""Trusted samples in the history: how many there are, and their labels, given and confirmed."""

from collections.abc import Mapping
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query
from mainstem.store.positions import of_partition
from mainstem.store.store import Store

__all__ = [
    "GIVEN_COUNTS",
    "TRUSTED_COUNTS",
    "GivenCount",
    "TrustedCount",
    "TrustedLabel",
    "graded_pairs",
    "questions_of_confirmed",
    "trusted_labels",
]


class TrustedCount(NamedTuple):
    """How many trusted samples with this part, label, partition and origin the history holds.

    `label` is the number of a class; `there` is the count.
    """

    part: str
    label: int
    partition: int
    origin: str
    there: int


class GivenCount(NamedTuple):
    """How many confirmed samples of a part have this label in the log.

    `given` is the number of the class in the log; `wrong` says for how many of the `there` samples
    another label was confirmed.
    """

    part: str
    given: int
    there: int
    wrong: int


class TrustedLabel(NamedTuple):
    """The labels of a sample that somebody vouched for.

    Attributes:
        sample_id: id of the sample.
        part: `direction`, `canary` or `gate`. The first two may teach; the gate only measures.
        partition: partition of the sample.
        given: number of the class that the log gave it; None for a graded pair, which says what is
            true and nothing about the labels of the log.
        confirmed: number of the class that was vouched for.
    """

    sample_id: UUID
    part: str
    partition: int
    given: int | None
    confirmed: int


TRUSTED_COUNTS: Final = Query(
    TrustedCount,
    """
    SELECT t.part AS part, ifNull(t.label, s.label) AS class, s.partition AS partition,
           t.origin AS origin, count() AS there
    FROM (SELECT * FROM trusted_now) AS t
    INNER JOIN (SELECT sample_id, label, partition FROM samples_now) AS s
    ON t.sample_id = s.sample_id GROUP BY part, class, partition, origin""",
)
"""Trusted samples whose sample has arrived, counted by kind."""
# subtle: not by view `trusted_labels`, which a server's history may lack that is only asked
GIVEN_COUNTS: Final = Query(
    GivenCount,
    """
    SELECT t.part AS part, s.label AS given, count() AS there,
           countIf(s.label != t.label) AS wrong
    FROM (SELECT * FROM trusted FINAL WHERE label IS NOT NULL AND origin != 'graded') AS t
    INNER JOIN (SELECT sample_id, label FROM samples_now) AS s
    ON t.sample_id = s.sample_id GROUP BY part, given ORDER BY part, given""",
)
"""Confirmed samples that have arrived, counted by the label that the log gave them."""
_GRADED: Final = """
    SELECT UUIDStringToNum(toString(sample_id)) FROM trusted FINAL WHERE origin = 'graded'"""
_QUESTIONS: Final = """
    SELECT UUIDStringToNum(toString(sample_id)), UUIDStringToNum(toString(question_id))
    FROM samples WHERE partition = {partition:UInt32} AND sample_id IN (
        SELECT sample_id FROM trusted WHERE label IS NOT NULL AND origin != 'graded')"""
_LABELS: Final = Query(
    TrustedLabel,
    """
    SELECT sample_id, part, partition, given, confirmed FROM trusted_labels ORDER BY sample_id""",
)
_LABELS_BEFORE: Final = Query(
    TrustedLabel,
    """
    SELECT s.sample_id, t.part, s.partition, if(t.origin = 'graded', NULL, s.label),
           assumeNotNull(t.label)
    FROM (SELECT * FROM samples FINAL WHERE partition = {partition:UInt32}) AS s
    INNER JOIN (SELECT * FROM trusted FINAL WHERE label IS NOT NULL) AS t
        ON s.sample_id = t.sample_id
    WHERE (s.sample_id, s.label_version) IN (
        SELECT sample_id, label_version FROM accepted_samples
        WHERE partition = {partition:UInt32} AND position < {end:UInt64})
    ORDER BY s.sample_id, s.label_version DESC LIMIT 1 BY s.sample_id""",
)


def graded_pairs(store: Store) -> set[bytes]:
    """The ids of graded pairs, 16 bytes each."""
    return {key for (key,) in store.stream(_GRADED)}


def questions_of_confirmed(store: Store, partition: int) -> dict[bytes, bytes]:
    """The question of each confirmed sample of a partition, by sample; ids of 16 bytes each."""
    return dict(store.stream(_QUESTIONS, partition=partition))


def trusted_labels(store: Store, ends: Mapping[int, int] | None = None) -> list[TrustedLabel]:
    """The given and the confirmed label of each sample that somebody vouched for.

    Samples that have not arrived are left out, and so are trusted samples whose label is only
    assumed.

    Args:
        store: the history.
        ends: by partition, the position up to which (exclusive) samples and labels count; None for
            all partitions, as they are now.

    Returns:
        The labels, ordered by partition, if `ends` is given, and sample id.
    """
    if ends is None:
        return _LABELS.of(store)
    found: list[TrustedLabel] = []
    for partition, end in sorted(ends.items()):
        query = of_partition(_LABELS_BEFORE, store, partition)
        found += query.of(store, partition=partition, end=end)
    return found
