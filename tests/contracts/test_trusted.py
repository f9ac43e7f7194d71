"""Trusted samples in the history, on every engine: their labels, given and confirmed."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from mainstem.join import Sample
from mainstem.settings import Settings
from mainstem.store import Store, trusted_labels
from mainstem.store.rows_of_sample import HISTORY
from mainstem.store.story import LABELS
from mainstem.store.trusted import GIVEN_COUNTS, TrustedLabel
from mainstem.store.writes import sample_columns, trusted_columns
from mainstem.trusted.status import given_labels
from tests.trainer.fakes import sample


def labelled(number: int, label: int, **more: Any) -> Sample:
    """A sample with a label."""
    made = msgspec.structs.replace(sample(number, **more), label=label, targets=(float(label),))
    return msgspec.structs.replace(made, sample_id=UUID(int=number))


@pytest.fixture
def vouched(store: Store) -> Store:
    """A history with five samples in two partitions, three of them confirmed and one graded.

    The label of sample 1 is revised at position 5. Sample 9 was confirmed and has not arrived.
    """
    labels = {1: 1, 2: 1, 3: 0, 4: 1, 5: 0}
    placed = [(labelled(number, label), number % 2, number) for number, label in labels.items()]
    store.write("samples", sample_columns([*placed, (labelled(1, 0, label_version=1), 1, 6)]))
    rows = [
        (1, "canary", "confirmed", 0),
        (2, "gate", "confirmed", 0),
        (3, "direction", "confirmed", 0),
        (4, "canary", "graded", 1),
        (9, "gate", "confirmed", 1),
    ]
    store.write("trusted", trusted_columns([(UUID(int=one), *rest) for one, *rest in rows]))
    return store


def test_a_trusted_sample_has_its_given_and_its_confirmed_label(vouched: Store) -> None:
    """The given label is the newest one of the log, and a graded pair has none."""
    assert [
        TrustedLabel(UUID(int=1), "canary", 1, 0, 0),
        TrustedLabel(UUID(int=2), "gate", 0, 1, 0),
        TrustedLabel(UUID(int=3), "direction", 1, 0, 0),
        TrustedLabel(UUID(int=4), "canary", 0, None, 1),
    ] == trusted_labels(vouched)


def test_the_given_label_is_the_one_of_then(vouched: Store) -> None:
    """Up to a position, later samples and later label versions do not count."""
    found = trusted_labels(vouched, {0: 4, 1: 6})
    assert [(2, 1), (1, 1), (3, 0)] == [(one.sample_id.int, one.given) for one in found]
    assert 4 == len(trusted_labels(vouched, {0: 9, 1: 9}))


def test_assumed_labels_are_nobodys_word(store: Store) -> None:
    """A slice that stands in for trusted samples has no confirmed labels."""
    store.write("samples", sample_columns([(labelled(1, 1), 0, 0)]))
    store.write("trusted", trusted_columns([(UUID(int=1), "canary", "assumed", None)]))
    assert [] == trusted_labels(store) == GIVEN_COUNTS.of(store)


def test_wrong_labels_are_counted_by_the_label_of_the_log(vouched: Store) -> None:
    """Confirmed samples count by part and given label; graded pairs do not."""
    assert [
        ("no", 1, 1, 0, 2, 0, 0.0),
        ("yes", 0, 0, 1, 1, 1, 1.0),
        ("all", 1, 1, 1, 3, 1, 0.3333),
    ] == given_labels(GIVEN_COUNTS.of(vouched), Settings())


@pytest.mark.parametrize("query", [HISTORY["sample"], LABELS])
def test_the_rows_of_a_sample_show_both_labels(vouched: Store, query: Any) -> None:
    """`history` and `explain` show the confirmed label beside the label of the log, if any."""
    for number, expected in {2: [(1, 0)], 5: [(0, None)], 1: [(1, 0), (0, 0)]}.items():
        rows = query.of(vouched, sample=UUID(int=number))
        assert expected == [(one.label, one.confirmed) for one in rows]
