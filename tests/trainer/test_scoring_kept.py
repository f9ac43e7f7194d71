"""What a scoring worker keeps of its visits: logits always, representations by setting."""

import numpy as np

from mainstem.join import examples_of
from mainstem.settings import Settings
from mainstem.store import representations_of, samples_between
from mainstem.versions import Versions, load_active
from tests.trainer.fakes import FakeGroup, KillingStore
from tests.trainer.scorers import SETTINGS, Worker, forget, history, prepared, same

KEEPING = SETTINGS.but({"responses.representations": True})


def worked(store: KillingStore, versions: Versions, records: dict, settings: Settings) -> Worker:
    """Let a worker score all records."""
    return Worker(store, versions, FakeGroup(records), settings=settings).run(30)


def test_representations_are_written_only_by_setting_and_change_no_response(
    store: KillingStore, versions: Versions
) -> None:
    """Every visit has one, and all else is equal to the last bit where margins decide."""
    records, tables = prepared(store), []
    for settings in (SETTINGS, KEEPING):
        forget(store)
        by_margin = settings.but({"standing.evidence": "margin"})
        worker = worked(store, versions, records, by_margin)
        tables.append((history(store), worker.rows()))
        [(kept,)] = store.rows("SELECT count() FROM representations")
        [(visits,)] = store.rows("SELECT count() FROM responses")
        assert (0 if settings is SETTINGS else visits) == kept
    (off, rows_off), (on, rows_on) = tables
    assert off == on
    assert len(off["responses"]) > 10
    assert same(rows_off, rows_on)


def test_what_a_worker_keeps_is_what_the_version_computes(
    store: KillingStore, versions: Versions
) -> None:
    """Logits and representations in the history are those of the version for the same texts."""
    records = prepared(store)
    worked(store, versions, records, KEEPING)
    kept = dict(store.rows("SELECT sample_id, logits FROM responses_now"))
    found = [one for one in samples_between(store, {0: (0, 99)}) if one.sample_id in kept]
    active = load_active(versions, 0, KEEPING)
    expected = active.responses(examples_of(found, weighed=False))
    assert expected.logits.tolist() == [kept[one.sample_id] for one in found]
    [batch] = representations_of(store, kept)
    by_id = dict(zip(batch.sample_ids, batch.values, strict=True))
    read = np.array([by_id[one.sample_id] for one in found])
    assert np.array_equal(expected.representation, read)
