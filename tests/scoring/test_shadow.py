"""Estimators in shadow beside a deployed worker: they change nothing, and are rebuilt."""

import sys

import numpy as np
import pytest

from mainstem.estimators import ESTIMATORS, Shadow
from mainstem.kafka.messages import Announcement
from mainstem.scoring.rebuilding import rebuilt
from mainstem.settings import Settings
from mainstem.settings.groups.importance import SHADOWS
from mainstem.versions import Versions
from tests.trainer.conftest import one_thread, store, versions
from tests.trainer.fakes import FakeGroup, KillingStore
from tests.trainer.scorers import SETTINGS, Records, Worker, forget, history, prepared

__all__ = ["one_thread", "store", "versions"]

ALL = SETTINGS.but({"importance.shadow": ",".join(SHADOWS), "responses.representations": True})
NONE = ALL.but({"importance.shadow": ""})


def worked(
    store: KillingStore, versions: Versions, settings: Settings, records: Records | None = None
) -> Worker:
    """Let a worker score all records, and take up version 1 halfway."""
    group = FakeGroup(records or prepared(store))
    worker = Worker(store, versions, group, settings=settings).run(4)
    worker.program.take_up(Announcement(version=1, generation=1), first=False)
    return worker.run(30)


def test_settings_name_all_estimators() -> None:
    """The names that the setting takes are those that there are."""
    assert tuple(ESTIMATORS) == SHADOWS


def test_shadows_change_nothing_but_what_they_write(
    store: KillingStore, versions: Versions
) -> None:
    """Responses, standings and the other columns are the same to the last bit, and so is memory."""
    records, found = prepared(store), []
    for settings in (NONE, ALL):
        for table in ("estimates", "representations"):
            store.execute(f"TRUNCATE TABLE {table}")
        forget(store)
        worker = worked(store, versions, settings, records)
        [(kept,)] = store.rows("SELECT uniqExact(estimator) FROM estimates_now")
        assert (kept > 20) == (settings is ALL)
        found.append((history(store), worker.program._worker.rows))
    (without, rows_without), (beside, rows_beside) = found
    assert without == beside
    assert len(without["standings"]) > 10
    for partition, rows in rows_without.items():
        assert set(rows) < set(rows_beside[partition])
        for column in rows:
            assert np.array_equal(rows[column], rows_beside[partition][column])
        assert sum(rows[column].nbytes for column in rows) <= 256 * len(rows)


def test_rebuilt_shadows_are_live_ones(store: KillingStore, versions: Versions) -> None:
    """A worker that gets the partition rebuilds every column and figure from the responses."""
    worker = worked(store, versions, ALL).program._worker
    shadow = worker._shadow
    assert isinstance(shadow, Shadow)
    ends = dict.fromkeys(worker.rows, sys.maxsize)
    again = rebuilt(
        store,
        ends,
        worker.version,
        left=dict.fromkeys(ends, 0),
        sketch=ALL.responses.sketch,
        beside=shadow,
    )
    for partition, rows in worker.rows.items():
        other = again.rows[partition]
        order = other.rows_of([rows.id_of(row).bytes for row in range(len(rows))])
        assert len(order) == len(other) > 10
        for column in set(shadow.columns) - {"shadow.changed"}:
            assert np.array_equal(rows[column], other[column][order], equal_nan=True), column
        live, anew = shadow.values(rows), shadow.values(other)
        for name, values in live.items():
            assert pytest.approx(values, rel=1e-5, abs=1e-6, nan_ok=True) == anew[name][order]


def test_figures_are_written_after_the_visits_that_changed_them(
    store: KillingStore, versions: Versions
) -> None:
    """The acting estimator has one figure a visit at most, which is what its visits add up to."""
    worked(store, versions, ALL)
    sql = """
        SELECT count(), countIf(abs(e.value - r.importance) < 1e-6)
        FROM estimates_now AS e
        INNER JOIN importance_of_sample AS r
        ON e.sample_id = r.sample_id AND e.label_version = r.label_version
            AND e.version = r.version
        WHERE e.estimator = 'response_norm'"""
    [(all_, same)] = store.rows(sql)
    assert all_ == same > 10
    [(visits, twice)] = store.rows(
        "SELECT uniqExact(sample_id, version), count() - uniqExact(sample_id, version, estimator) "
        "FROM estimates_now"
    )
    assert (True, 0) == (visits > 10, twice)
