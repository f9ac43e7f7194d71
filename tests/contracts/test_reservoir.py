"""Reservoirs of trusted samples, read from every engine."""

from uuid import UUID

import pytest

from mainstem.ids import uuid_of
from mainstem.join import PlacedSample
from mainstem.scoring.reservoir import canaries_to_score, trusted_reservoir
from mainstem.settings import Settings
from mainstem.store import Store, trusted_samples
from mainstem.store.reservoir import candidates
from mainstem.store.writes import position_columns, sample_columns, trusted_columns
from tests.trainer.fakes import START, sample

SETTINGS = Settings.of(
    {
        "join.partitions": 2,
        "trusted.canary_maximum": 10,
        "trusted.gate_maximum": 8,
        "standing.canary_minimum": 1,
        "learning.gate_minimum": 2,
    }
)
KINDS = ("direction", "canary", "canary", "gate", "")
ALL = {0: 100, 1: 100}


@pytest.fixture
def filled(store: Store) -> Store:
    """A hundred samples of two partitions, written twice: two fifths of them canaries."""
    placed = [(sample(number), number % 2, number // 2) for number in range(100)]
    kinds = [(uuid_of("sample", one), KINDS[one % 5], "assumed", None) for one in range(100)]
    for _ in range(2):
        store.write("samples", sample_columns(placed))
        store.write("trusted", trusted_columns(one for one in kinds if one[1]))
    return store


def ids(samples: list[PlacedSample]) -> list[UUID]:
    """Return the ids of samples."""
    return [one.sample_id for one in samples]


@pytest.mark.parametrize("part", ["direction", "canary", "gate"])
def test_a_small_history_is_read_whole(filled: Store, part: str) -> None:
    """With no more samples than there is room for, a reservoir is all samples of its part."""
    for ends in (ALL, {0: 30, 1: 17}):
        assert trusted_samples(filled, part, ends) == trusted_reservoir(
            filled, Settings.of({"join.partitions": 2}), part, ends
        )


def test_a_reservoir_holds_its_maximum_and_each_worker_has_its_share(filled: Store) -> None:
    """Workers of one partition each have together what a worker of both has."""
    whole = trusted_reservoir(filled, SETTINGS, "canary", ALL)
    assert 10 == len(whole)
    assert set(ids(whole)) < set(ids(trusted_samples(filled, "canary", ALL)))
    halves = [trusted_reservoir(filled, SETTINGS, "canary", {one: 100}) for one in (0, 1)]
    assert ids(whole) == ids([*halves[0], *halves[1]])
    assert 8 == len(trusted_reservoir(filled, SETTINGS, "gate", ALL))


def test_samples_after_an_end_do_not_count(filled: Store) -> None:
    """A reservoir up to some positions is that of a history which ends there."""
    ends = {0: 20, 1: 20}
    early = trusted_reservoir(filled, SETTINGS, "canary", ends)
    assert 10 == len(early)
    assert max(one.offset for one in early) < 20
    assert 16 == len(candidates(filled, "canary", ends))


def test_a_revised_label_counts_from_its_position_on(store: Store) -> None:
    """Before its position a sample has its former label, and it is one candidate all the same."""
    revised = sample(0, label_version=1, label=1)
    store.write("samples", sample_columns([(sample(0, label=0), 0, 0), (revised, 0, 3)]))
    store.write("trusted", trusted_columns([(revised.sample_id, "canary", "assumed", None)]))
    assert [0] == [one.label for one in candidates(store, "canary", {0: 3})]
    assert [1] == [one.label for one in candidates(store, "canary", {0: 4})]
    [read] = trusted_reservoir(store, SETTINGS, "canary", {0: 4, 1: 0})
    assert (1, 1, 3) == (read.label, read.label_version, read.offset)


def test_positions_count_where_records_came_twice(store: Store) -> None:
    """Beside Kafka the position of a sample decides, and what nobody accepted is left out."""
    placed = [sample(number) for number in range(4)]
    store.write("samples", sample_columns([(one, 0, 7 + at) for at, one in enumerate(placed)]))
    store.write(
        "trusted", trusted_columns((one.sample_id, "gate", "assumed", None) for one in placed)
    )
    accepted = [PlacedSample.of(one, 0, at, "gate") for at, one in enumerate(placed[:3])]
    store.write("positions", position_columns(accepted, [7, 8, 9]))
    assert 2 == len(candidates(store, "gate", {0: 2}))
    assert 3 == len(candidates(store, "gate", {0: 99}))
    assert [0, 1] == [
        one.offset for one in trusted_reservoir(store, SETTINGS, "gate", {0: 2, 1: 0})
    ]


def test_confirmed_samples_go_before_graded_ones(store: Store) -> None:
    """A person's confirmation of a sample of the stream counts more than a graded pair."""
    store.write("samples", sample_columns([(sample(one), 0, one) for one in range(40)]))
    store.write(
        "trusted",
        trusted_columns(
            (uuid_of("sample", one), "canary", "confirmed" if one < 6 else "graded", 1)
            for one in range(40)
        ),
    )
    found = trusted_reservoir(store, SETTINGS, "canary", {0: 40, 1: 0})
    assert 10 == len(found)
    assert list(range(6)) == [one.offset for one in found][:6]
    assert {1} == {one.label for one in found}


def test_canaries_of_a_rare_label_and_of_a_small_partition_are_scored_again(store: Store) -> None:
    """Each label of each partition keeps as many as the judge needs, and the rest is filled up."""
    some = [sample(one, label=int(one % 20 == 0)) for one in range(200)]
    placed = [(one, int(at >= 180), at % 180) for at, one in enumerate(some)]
    store.write("samples", sample_columns(placed))
    store.write(
        "trusted", trusted_columns((one.sample_id, "canary", "assumed", None) for one in some)
    )
    settings = SETTINGS.but({"trusted.canary_maximum": 40, "standing.canary_minimum": 8})
    found = canaries_to_score(store, settings, {0: 180, 1: 20})
    assert 40 == len(found)
    counts = {
        (partition, label): sum((one.partition, one.label) == (partition, label) for one in found)
        for partition in (0, 1)
        for label in (0, 1)
    }
    assert (8, 1) == (counts[0, 1], counts[1, 1])  # partition 1 has no more
    assert counts[1, 0] >= 8
    assert START <= min(one.event_time for one in found)
