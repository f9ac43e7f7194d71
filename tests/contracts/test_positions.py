"""Positions of accepted samples, on every engine, with and without records delivered twice."""

from uuid import UUID

import pytest

from mainstem.join import PlacedSample
from mainstem.store import Store, samples_between, trusted_samples
from mainstem.store.positions import (
    AcceptedSample,
    PartitionEnd,
    accepted_versions,
    accepted_without_response,
    adopt_offsets,
    ends_of_positions,
    positions_of,
)
from mainstem.store.writes import position_columns, sample_columns, trusted_columns
from tests.trainer.fakes import START, sample


def ids(*numbers: int) -> list[UUID]:
    """Return the ids of samples by their numbers."""
    return [sample(number).sample_id for number in numbers]


@pytest.fixture
def delivered(store: Store) -> Store:
    """A history to which records 0 to 4 brought samples 0, 1, 1 again, 2 and a revision of 0.

    Record 5 brought sample 3, which no worker has accepted yet.
    """
    brought = [sample(0), sample(1), sample(1), sample(2), sample(0, label_version=1), sample(3)]
    store.write("samples", sample_columns([(one, 0, offset) for offset, one in enumerate(brought)]))
    store.write("trusted", trusted_columns([(sample(2).sample_id, "gate", "assumed", None)]))
    placed = [
        PlacedSample.of(brought[offset], 0, position, "")
        for position, offset in enumerate((0, 1, 3, 4))
    ]
    # as a worker does that is killed and starts again
    for _ in range(2):
        store.write("positions", position_columns(placed, [0, 1, 3, 4]))
    return store


def test_samples_are_read_at_their_positions(delivered: Store) -> None:
    """A range of positions gives the samples accepted there, and none that is not accepted yet."""
    found = samples_between(delivered, {0: (1, 9)})
    assert list(zip(ids(1, 2, 0), (1, 2, 3), strict=True)) == [
        (one.sample_id, one.offset) for one in found
    ]
    assert ids(2) == [one.sample_id for one in trusted_samples(delivered, "gate", {0: 3})]
    assert [] == trusted_samples(delivered, "gate", {0: 2})


def test_the_history_knows_what_was_accepted_before_a_position(delivered: Store) -> None:
    """The history knows the newest accepted label versions, and which samples lack a response."""
    zero, one, _, three = ids(0, 1, 2, 3)
    assert {zero: 0, one: 0} == accepted_versions(delivered, 0, 3, [zero, one, three])
    assert {zero: 1} == accepted_versions(delivered, 0, 4, [zero])
    assert {} == accepted_versions(delivered, 1, 9, [zero])
    visit = {
        "sample_id": one,
        "label_version": 0,
        "version": 0,
        "partition": 0,
        "offset": 1,
        "event_time": START + 1000,
    }
    delivered.write("responses", {name: [value] for name, value in visit.items()})
    found = sorted(accepted_without_response(delivered, 0, 3, 0), key=lambda one: one.event_time)
    assert [
        AcceptedSample(which, 0, START + 1000 * at)
        for which, at in zip(ids(0, 2), (0, 2), strict=True)
    ] == found
    assert ids(2) == [
        one.sample_id for one in accepted_without_response(delivered, 0, 3, START + 2000)
    ]


def test_how_far_a_partition_has_come(delivered: Store) -> None:
    """A partition ends at its next position and largest event time, in all or before a record."""
    assert [PartitionEnd(0, 4, START + 2000)] == ends_of_positions(delivered)
    assert [PartitionEnd(0, 2, START + 1000)] == ends_of_positions(delivered, before=(0, 3))
    assert [] == ends_of_positions(delivered, before=(1, 3))


def test_an_embedded_history_has_its_positions_in_its_samples(store: Store) -> None:
    """Without rows in `positions` an offset is a position, and adopting offsets keeps it so."""
    store.write("samples", sample_columns([(sample(number), 0, number) for number in range(5)]))
    expected = {(one, 0): at for at, one in enumerate(ids(0, 1, 2, 3, 4))}
    assert expected == positions_of(store, expected)
    assert [1, 2] == [one.offset for one in samples_between(store, {0: (1, 3)})]
    adopt_offsets(store, 0, 3)
    assert dict(list(expected.items())[:3]) == positions_of(store, expected)
    assert [PartitionEnd(0, 3, START + 2000)] == ends_of_positions(store)
