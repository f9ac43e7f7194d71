"""Representations come out of the history as a version made them, on every engine."""

from uuid import UUID

import numpy as np
import pytest

from mainstem.join import PlacedSample
from mainstem.responses import Responses
from mainstem.scoring.answered import Answered
from mainstem.store import Store, representations, representations_of
from mainstem.store.rewinding import rewind
from tests.learning.samples import stored

DAY = 86_400_000
D = 24


def read(count: int, seed: int = 0, width: int = D) -> np.ndarray:
    """Representations, very small and very large numbers among them."""
    random = np.random.default_rng(seed)
    found = random.normal(scale=3, size=(count, width)).astype(np.float16)
    found[0, :4] = [65504.0, -65504.0, 6e-8, 0.0]
    return found


def keep(
    store: Store,
    samples: list[PlacedSample],
    values: np.ndarray,
    version: int = 1,
    lifetime: int = DAY,
) -> None:
    """Write responses with representations twice, as a scoring worker may."""
    one, none = np.ones(len(samples), np.float32), np.zeros((len(samples), 0), np.float32)
    found = Responses(one, one, one, none, none, None, values)
    for _ in range(2):
        Answered.by(version, 1.0, samples, found).keep(store, lifetime)


def test_they_come_back_to_the_last_bit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any samples are read, in batches, each once, and a sample without one is left out."""
    samples, values = [stored(number) for number in range(9)], read(9)
    keep(store, samples, values)
    wanted = [UUID(int=number) for number in (8, 3, 3, 0, 77)]
    for size, batches in ((2, 2), (2000, 1)):
        monkeypatch.setattr(representations, "_IDS", size)
        found = list(representations_of(store, wanted))
        assert batches == len(found)
        assert {8, 3, 0} == {one.int for batch in found for one in batch.sample_ids}
        for batch in found:
            assert (np.float16, [1] * len(batch.values)) == (
                batch.values.dtype,
                batch.versions.tolist(),
            )
            assert np.array_equal(values[[one.int for one in batch.sample_ids]], batch.values)


def test_the_newest_version_counts_unless_another_is_asked_for(store: Store) -> None:
    """Of several versions the newest of each sample is read, and versions are told apart."""
    samples = [stored(number) for number in range(3)]
    old, new = read(3, 1), read(2, 2)
    keep(store, samples, old, 1)
    keep(store, samples[:2], new, 2)
    ids = [one.sample_id for one in samples]
    [found] = representations_of(store, ids)
    assert [2, 2, 1] == found.versions.tolist()
    assert np.array_equal(np.concatenate([new, old[2:]]), found.values)
    [found] = representations_of(store, ids, 1)
    assert np.array_equal(old, found.values)
    assert [] == list(representations_of(store, ids, 3))


def test_representations_of_another_length_are_another_batch(store: Store) -> None:
    """Where the head of a later version reads more, its representations come by themselves."""
    samples = [stored(number) for number in range(3)]
    keep(store, samples, read(3), 1)
    keep(store, samples[1:2], read(1, width=D + 8), 2)
    found = representations_of(store, [one.sample_id for one in samples])
    assert [((0, 2), D), ((1,), D + 8)] == [
        (tuple(one.int for one in batch.sample_ids), batch.values.shape[1]) for batch in found
    ]


def test_a_view_shows_them_as_numbers(store: Store) -> None:
    """In SQL they are an array of floats, as exact as they were written."""
    values = read(3)
    values[1] = np.arange(D).astype(np.uint16).view(np.float16)  # too small for a whole exponent
    keep(store, [stored(number) for number in range(3)], values)
    found = store.rows("SELECT values FROM representations_now ORDER BY sample_id")
    assert np.array_equal(values.astype(np.float32), np.array([row for (row,) in found]))
    [(kind,)] = store.rows("SELECT DISTINCT toTypeName(values) FROM representations_now")
    assert "Array(Float32)" == kind


def test_they_expire_after_their_time(store: Store) -> None:
    """The engine forgets a representation after the time of the setting, and nothing else."""
    samples = [stored(number) for number in range(2)]
    keep(store, samples[:1], read(1), lifetime=0)
    keep(store, samples[1:], read(1), lifetime=2**50)
    store.execute("OPTIMIZE TABLE representations FINAL")
    [found] = representations_of(store, [one.sample_id for one in samples])
    assert (UUID(int=1),) == found.sample_ids
    assert [(2,)] == store.rows("SELECT count() FROM responses_now")


def test_a_response_without_one_writes_none(store: Store) -> None:
    """Where representations are not kept, the table stays empty."""
    one, none = np.ones(1, np.float32), np.zeros((1, 0), np.float32)
    Answered.by(1, 1.0, [stored(0)], Responses(one, one, one, none, none)).keep(store)
    assert [(1, 0)] == store.rows(
        "SELECT (SELECT count() FROM responses), (SELECT count() FROM representations)"
    )


def test_what_came_after_a_checkpoint_is_forgotten(store: Store) -> None:
    """Going back to a checkpoint deletes representations of later samples and later versions."""
    samples = [stored(number) for number in range(3)]
    keep(store, samples, read(3), 1)
    keep(store, samples, read(3), 2)
    rewind(store, {0: 0}, 2, {})
    assert [] == list(representations_of(store, [one.sample_id for one in samples]))
    keep(store, samples, read(3), 1)
    keep(store, samples, read(3), 2)
    rewind(store, {}, 1, {})
    [found] = representations_of(store, [one.sample_id for one in samples])
    assert [1, 1, 1] == found.versions.tolist()
