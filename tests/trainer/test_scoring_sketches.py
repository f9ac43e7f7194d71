"""Sketches and alignments of a scoring worker's visits, live and rebuilt."""

import numpy as np
import pytest

from mainstem.versions import Versions
from tests.trainer.fakes import FakeGroup, KillingStore
from tests.trainer.scorers import (
    AT_ONCE,
    SETTINGS,
    Worker,
    announced,
    forget,
    prepared,
)


def test_every_visit_has_its_sketch_and_an_alignment_where_there_is_a_direction(
    store: KillingStore, versions: Versions
) -> None:
    """Every response has a sketch, and an alignment if its version has a direction."""
    records = prepared(store)
    worker = Worker(store, versions, FakeGroup(records)).run()
    announced(worker)
    keys = "sample_id, label_version, version, partition, offset, event_time, scale"
    visits = store.rows(f"SELECT {keys} FROM responses FINAL ORDER BY {keys}")
    assert visits == store.rows(
        f"SELECT {keys} FROM sketches_now WHERE length(sketch) = 64 ORDER BY {keys}"
    )
    assert [(0,), (1,)] == store.rows("SELECT DISTINCT version FROM responses ORDER BY version")
    assert [(0, True), (1, False)] == store.rows(
        "SELECT DISTINCT version, alignment IS NULL FROM responses ORDER BY version"
    )
    cosines = dict(store.rows("SELECT offset, alignment FROM responses FINAL WHERE version = 1"))
    assert max(map(abs, cosines.values())) <= 1
    columns = worker.rows()
    assert cosines == dict(
        zip(columns["offset"].tolist(), columns["alignment"].tolist(), strict=True)
    )
    mean = "avgForEach(arrayMap(x -> x / scale, sketch))"
    means = store.rows(
        f"SELECT offset, sqrt(arraySum(x -> x * x, {mean})) FROM sketches_now GROUP BY offset"
    )
    of_mean = dict(
        zip(columns["offset"].tolist(), columns.importance_of_mean().tolist(), strict=True)
    )
    assert pytest.approx(dict(means), rel=2e-3) == of_mean


def test_a_rebuild_takes_the_sketches_that_are_left(
    store: KillingStore, versions: Versions
) -> None:
    """A rebuild after sketches of a version expired uses the others and changes nothing else."""
    records = prepared(store)
    group = FakeGroup(records)
    announced(live := Worker(store, versions, group).run())
    store.execute("DELETE FROM sketches WHERE version = 0")
    again = Worker(store, versions, group, version=1).run().rows()
    assert ({2}, {1}, {2}) == (
        set(live.rows()["sketched"].tolist()),
        set(again["sketched"].tolist()),
        set(again["visits"]),
    )
    lengths = dict(
        store.rows("SELECT offset, sqrt(arraySum(x -> x * x, sketch)) / scale FROM sketches_now")
    )
    of_mean = dict(zip(again["offset"].tolist(), again.importance_of_mean().tolist(), strict=True))
    assert pytest.approx(lengths, rel=2e-3) == of_mean
    store.execute("TRUNCATE TABLE sketches")
    assert np.isnan(
        Worker(store, versions, group, version=1).run().rows().importance_of_mean()
    ).all()


def test_without_sketches_none_is_written(store: KillingStore, versions: Versions) -> None:
    """With `sketch` 0 no sketch and no mean of sketches is stored, and the rest is unchanged."""
    records = prepared(store)
    with_sketches = Worker(store, versions, FakeGroup(records), idle=AT_ONCE).run(20)
    [(told,)] = store.rows("SELECT count(importance_of_mean) FROM standings FINAL")
    expected = store.rows(
        "SELECT sample_id, norm, alignment FROM responses FINAL ORDER BY sample_id"
    )
    forget(store)
    none = SETTINGS.but({"responses.sketch": 0})
    without = Worker(store, versions, FakeGroup(records), settings=none, idle=AT_ONCE).run(20)
    assert told > 10
    assert [(0, 0)] == store.rows(
        "SELECT count(importance_of_mean), (SELECT count() FROM sketches) FROM standings FINAL"
    )
    assert expected == store.rows(
        "SELECT sample_id, norm, alignment FROM responses FINAL ORDER BY sample_id"
    )
    assert with_sketches.rows()["importance"].tolist() == without.rows()["importance"].tolist()
