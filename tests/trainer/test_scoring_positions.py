"""A position counts samples: a repeated sample takes none, and a new owner continues the count."""

import pytest

from mainstem.join import Sample
from mainstem.versions import Versions
from tests.trainer.fakes import FakeGroup, KillingStore
from tests.trainer.scorers import Worker, forget, history, judged, mixed, prepared, same


def order(store: KillingStore) -> list[tuple[object, ...]]:
    """Return the positions with their samples."""
    return store.rows(
        "SELECT position, sample_id, label_version FROM positions FINAL ORDER BY position"
    )


def distinct(records: list[list[Sample]]) -> list[tuple[object, ...]]:
    """Return the distinct samples of a topic, numbered in the order in which they first occur."""
    came = dict.fromkeys((one.sample_id, one.label_version) for record in records for one in record)
    return [(position, *one) for position, one in enumerate(came)]


def test_what_a_joiner_sends_again_moves_nothing(store: KillingStore, versions: Versions) -> None:
    """Samples that a joiner sends again, divided otherwise, leave every result unchanged."""
    once = mixed(19)
    again = [*once[:11], *([one] for record in once[4:11] for one in record), *once[11:]]
    Worker(store, versions, FakeGroup({0: once})).to_the_end()
    expected, places = history(store), order(store)
    assert distinct(once) == places
    for most in (1, 7):
        forget(store)
        Worker(store, versions, FakeGroup({0: again}), most=most).run(40).to_the_end()
        assert expected == history(store)
        assert places == order(store)


def test_judgements_fall_between_samples_of_one_record(
    store: KillingStore, versions: Versions
) -> None:
    """A judgement follows every eighth sample, also within a record."""
    records = [[one for record in mixed(19) for one in record]]  # all samples in one record
    Worker(store, versions, FakeGroup({0: records}), most=1).run(10)
    count = len(distinct(records))
    assert list(range(8, count + 1, 8)) == judged(store)


@pytest.mark.parametrize("lost", ["note", "note and positions"])
def test_whoever_takes_over_goes_on_counting(
    store: KillingStore, versions: Versions, lost: str
) -> None:
    """A new owner continues the count from the history if the commit has no note."""
    records = prepared(store, count=20) if "positions" in lost else {0: mixed(20)}
    Worker(store, versions, FakeGroup(records)).to_the_end()
    expected, places = history(store), order(store)
    forget(store)
    group = FakeGroup(records)
    Worker(store, versions, group).run(3)
    assert 0 < group.committed[0] < 20
    group.notes[0] = ""
    if "positions" in lost:
        store.execute("TRUNCATE TABLE positions")
    after = Worker(store, versions, group).to_the_end()
    assert expected == history(store)
    assert places == order(store)
    assert same(after.rows(), Worker(store, versions, group).run(1).rows())
