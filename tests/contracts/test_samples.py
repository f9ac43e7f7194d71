"""Samples come out of the history as they were written, on every engine, from any schema."""

import msgspec
import pytest

from mainstem.answers.fingerprint import deployed_hash, deployed_hash_0_1
from mainstem.join import PlacedSample
from mainstem.store import Store, samples_between, samples_since
from mainstem.store import store as store_module
from mainstem.store.digests import digests, digests_0_1
from mainstem.store.writes import sample_columns, trusted_columns
from tests.trainer.fakes import sample

EVERYWHERE = {0: (0, 100)}
# columns, and the migration that adds them
OF_BEHAVIOUR = {"price", "history_price", "item_age", "own_touches", "own_purchases", "own_last"}
NEW, FIRST_NEW = {"targets", "position", *OF_BEHAVIOUR}, 5
SHOWN = msgspec.structs.replace(
    sample(1, label_version=2),
    targets=(1.0, 0.25),
    position=7,
    sampling_probability=1 / 3,
    weight=0.5,
    history=("a", "ü"),
)


def test_a_sample_comes_back_as_it_went_in(store: Store) -> None:
    """Every field of a sample comes back, targets, position, probability and weight included."""
    store.write("samples", sample_columns([(SHOWN, 0, 3)]))
    assert [PlacedSample.of(SHOWN, 0, 3, "stream")] == samples_between(store, EVERYWHERE)


def test_a_confirmed_label_brings_its_target(store: Store) -> None:
    """A confirmed label sets the first target only, and the table keeps the label of the log."""
    store.write("samples", sample_columns([(SHOWN, 0, 3)]))
    store.write("trusted", trusted_columns([(SHOWN.sample_id, "canary", "confirmed", 0)]))
    [found] = samples_between(store, EVERYWHERE)
    assert (0, (0.0, 0.25), "canary") == (found.label, found.targets, found.part)
    assert PlacedSample.of(SHOWN, 0, 3, "canary", 0, confirmed=True) == found
    assert SHOWN.label == found.given
    assert [(1, [1.0, 0.25], 7)] == store.rows("SELECT label, targets, position FROM samples_now")


def test_a_history_of_before_opens_and_its_samples_have_their_label_for_a_target(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Samples written before targets existed have their label for a target, beside newer ones."""
    all_of_them = list(store_module.migrations())
    with monkeypatch.context() as before:
        before.setattr(
            store_module,
            "migrations",
            lambda: iter(one for one in all_of_them if one[0] < FIRST_NEW),
        )
        store = Store(url)
    with store:
        columns = sample_columns([(sample(number), 0, number) for number in range(2)])
        store.write(
            "samples", {name: values for name, values in columns.items() if name not in NEW}
        )
    with Store(url) as store:
        store.write("samples", sample_columns([(SHOWN, 0, 3)]))
        found = samples_since(store, 0, 10)
        assert {(0, (0.0,), 0), (1, (1.0, 0.25), 7)} == {
            (one.label, one.targets, one.position) for one in found
        }
        assert {((), 0), ((1.0, 0.25), 7)} == {
            (tuple(targets), position)
            for targets, position in store.rows("SELECT targets, position FROM samples_now")
        }


def test_the_hash_of_0_1_knows_nothing_of_what_came_later(store: Store) -> None:
    """A target or a position changes only the newer hash, and a weight changes that of 0.1 too."""
    hashes = []
    for changes in ({}, {"targets": (0.0,)}, {"position": 3}, {"weight": 2.0}):
        store.write("samples", sample_columns([(msgspec.structs.replace(SHOWN, **changes), 0, 3)]))
        hashes.append((deployed_hash(store), deployed_hash_0_1(store)))
    new, old = (list(each) for each in zip(*hashes, strict=True))
    assert (4, [old[0]] * 3) == (len(set(new)), old[:3])
    assert old[0] != old[3]


def test_both_hashes_go_through_the_same_samples_in_one_order(store: Store) -> None:
    """Both hashes cover every label version of every sample, ordered by id and label version."""
    written = [
        (sample(number, label_version=version), 0, 9 * number + version)
        for number in range(5)
        for version in (2, 0)
    ]
    store.write("samples", sample_columns(written))
    expected = sorted((str(one.sample_id), one.label_version) for one, _, _ in written)
    assert (
        expected == [one[:2] for one in digests(store)] == [one[:2] for one in digests_0_1(store)]
    )
