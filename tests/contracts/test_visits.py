"""Visits come out of the history as they were written, on every engine."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from mainstem.importance import Rows, rounded
from mainstem.join import PARTS, PlacedSample
from mainstem.kinds import Kind, KindScale
from mainstem.responses import Responses
from mainstem.scoring.answered import Answered
from mainstem.scoring.rebuilding import rebuilt, visits_of
from mainstem.store import Store, StoredVisits, stored_visits, visits
from mainstem.store import store as store_module
from mainstem.store.writes import response_columns, sketch_columns
from tests.learning.samples import stored

K = 32
_LOGITS = 11  # the migration that adds them
_KINDS = 15  # the same for kinds


def some(count: int) -> list[PlacedSample]:
    """Samples of two partitions, every third of them a canary."""
    return [
        stored(number, partition=number % 2, part="canary" if number % 3 == 0 else "stream")
        for number in range(count)
    ]


def responses(count: int) -> tuple[Responses[Any], np.ndarray]:
    """Responses with sketches, and alignments of which every fourth is missing."""
    random = np.random.default_rng(3)
    norm, loss, margin, alignment = random.random((4, count), dtype=np.float32)
    alignment[::4] = np.nan
    # below what float16 can hold
    sketch = rounded(random.normal(scale=1e-7, size=(count, K)).astype(np.float32))
    logits = random.normal(size=(count, 3)).astype(np.float32)
    dots = np.zeros((count, 0), np.float32)
    return Responses(norm, loss, margin, dots, sketch, logits), alignment


def write(
    store: Store,
    samples: list[PlacedSample],
    found: Responses[Any],
    alignment: np.ndarray,
    version: int = 4,
) -> None:
    """Write responses and sketches twice, as a scoring worker may."""
    for _ in range(2):
        store.write("sketches", sketch_columns(samples, found.sketch, version=version, scale=1.5))
        store.write(
            "responses", response_columns(samples, found, alignment, version=version, scale=1.5)
        )


def whole(chunks: Iterator[StoredVisits]) -> dict[str, Any]:
    """Join all chunks into one."""
    chunks = list(chunks)
    joined = {name: np.concatenate([getattr(one, name) for one in chunks]) for name in NUMBERS}
    keys = [UUID(bytes=key).int for one in chunks for key in one.keys]
    offsets = np.concatenate([one.facts.offset for one in chunks]).tolist()
    return joined | {
        "ids": keys,
        "offsets": offsets,
        "part": [PARTS[part] for one in chunks for part in one.facts.part],
    }


NUMBERS = ("norm", "margin", "loss", "alignment", "sketch", "logits")


def test_what_was_written_is_read_back_to_the_last_bit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Visits of a partition and a version are read up to an offset, in order, in any chunks."""
    samples, (found, alignment) = some(60), responses(60)
    write(store, samples, found, alignment)
    write(store, samples, found, alignment, version=5)
    expected = [number for number in range(60) if number % 2 == 1 and number < 50]
    for size in (7, 16_384):
        monkeypatch.setattr(visits, "_CHUNK", size)
        back = whole(stored_visits(store, 1, 50, 4, sketch=K))
        assert (expected, expected) == (back["ids"], back["offsets"])
        assert [samples[number].part for number in expected] == back["part"]
        for name in NUMBERS[:3]:
            assert np.array_equal(getattr(found, name)[expected], back[name]), name
        assert np.array_equal(alignment[expected], back["alignment"], equal_nan=True)
        assert np.array_equal(found.sketch[expected], back["sketch"])
        assert np.array_equal(found.logits[expected], back["logits"])
    assert 1.5 == next(stored_visits(store, 1, 50, 4, sketch=K)).scale


def test_a_visit_without_a_sketch_of_that_length_has_none(store: Store) -> None:
    """Sketches that expired or have another length are NaN, and none are read unless asked for."""
    samples, (found, alignment) = some(4), responses(4)
    write(store, samples, found, alignment)
    assert np.isnan(whole(stored_visits(store, 0, 9, 4, sketch=64))["sketch"]).all()
    assert (2, 0) == whole(stored_visits(store, 0, 9, 4))["sketch"].shape
    store.execute("DELETE FROM sketches WHERE offset = 2")
    assert [False, True] == np.isnan(whole(stored_visits(store, 0, 9, 4, sketch=K))["sketch"]).all(
        axis=1
    ).tolist()


def test_a_visit_without_logits_has_none(store: Store) -> None:
    """Logits of visits from before, and of models with many classes, are NaN or of width 0."""
    samples, (found, alignment) = some(4), responses(4)
    write(store, samples, replace(found, logits=None), alignment)
    assert (2, 0) == whole(stored_visits(store, 0, 9, 4))["logits"].shape
    assert [([],)] == store.rows("SELECT DISTINCT logits FROM responses_now")
    later = stored(6, partition=0)
    write(store, [later], responses(1)[0], alignment[:1])
    assert [True, True, False] == np.isnan(whole(stored_visits(store, 0, 9, 4))["logits"]).all(
        axis=1
    ).tolist()


def test_visits_of_a_history_of_before_have_no_logits(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A history from before there were logits opens, and keeps those of newer visits."""
    everything, (found, alignment) = list(store_module.migrations()), responses(4)
    with monkeypatch.context() as before:
        before.setattr(
            store_module, "migrations", lambda: iter(one for one in everything if one[0] < _LOGITS)
        )
        with Store(url) as old:
            write(old, some(4), replace(found, logits=None), alignment)
    with Store(url) as store:
        write(store, some(4), found, alignment, version=5)
        assert [(4, []), (5, found.logits[0].tolist())] == store.rows(
            "SELECT version, logits FROM responses_now WHERE offset = 0 ORDER BY version"
        )
        [back] = stored_visits(store, 0, 99, 4)
        assert (2, 0) == back.logits.shape


def test_visits_of_samples_that_have_left_are_not_read(store: Store) -> None:
    """Visits of samples older than the event time given are not read."""
    samples, (found, alignment) = some(10), responses(10)
    write(store, samples, found, alignment)
    assert [6, 8] == whole(stored_visits(store, 0, 99, 4, left=5, sketch=K))["ids"]
    assert [] == list(stored_visits(store, 0, 99, 3, sketch=K))


def test_the_visits_of_a_rebuild_are_those_of_the_worker(store: Store) -> None:
    """Rows are given the same numbers of a visit live and rebuilt, logits included."""
    samples, (found, _) = some(12), responses(12)
    answered = Answered.by(4, 1.5, samples, found)
    answered.keep(store)
    live = dict(answered.visits())
    for partition, expected in live.items():
        [chunk] = stored_visits(store, partition, 99, 4, sketch=K)
        again = visits_of(chunk, 4)
        assert expected.keys == list(again.keys)
        for name in NUMBERS:
            one, other = getattr(expected, name), getattr(again, name)
            assert np.array_equal(one, other, equal_nan=True), name


def test_visits_of_all_kinds_are_rebuilt_as_they_were(store: Store) -> None:
    """A cheaper visit counts as the full norm expected with it, live, rebuilt and in the views."""
    its, norms = KindScale(scale=2.0, power=0.5, factor=1.5), [4.0, 0.5, 8.0]
    cheaper = [None, (Kind.LAST, its), (Kind.FORWARD, its)]
    sample, live = stored(2, partition=0, offset=0), Rows(sketch=K)
    for version, (kind, norm) in enumerate(zip(cheaper, norms, strict=True)):
        found = replace(responses(1)[0], norm=np.array([norm], np.float32))
        if kind:
            found = replace(found, dots=found.dots[:, :0], sketch=found.sketch[:, :0])
        answered = Answered.by(version, 2.0, [sample], found, kind)
        answered.keep(store)
        for _, seen in answered.visits():
            live.visit(seen)
    [rows] = rebuilt(store, {0: 1}, 2, left={0: 0}, sketch=K).rows.values()
    for name in live:
        assert live[name].tolist() == rows[name].tolist(), name
    assert pytest.approx((4.0 / 2 + 1.5 * 0.25**0.5 + 1.5 * 4**0.5) / 3) == live["importance"][0]
    assert [1] == live["sketched"].tolist()
    assert [("full", 4.0, 4.0), ("last", 1.5, 0.5), ("forward", 6.0, 8.0)] == store.rows(
        "SELECT kind, norm, measured FROM responses_now ORDER BY version"
    )


def test_visits_of_a_history_of_before_are_full(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A history from before there were kinds opens, and what its visits measured is their norm."""
    everything, (found, alignment) = list(store_module.migrations()), responses(4)
    with monkeypatch.context() as before:
        before.setattr(
            store_module, "migrations", lambda: iter(one for one in everything if one[0] < _KINDS)
        )
        with Store(url) as old:
            write(old, some(4), found, alignment)
    with Store(url) as store:
        assert [("full", 1)] == store.rows(
            "SELECT kind, measured = norm FROM responses_now GROUP BY ALL"
        )


def test_another_target_beside_the_same_label_starts_again_live_and_rebuilt(store: Store) -> None:
    """A purchase after a click starts importance again, also in rows made from the history."""
    clicked = stored(2, partition=0, offset=0, targets=(1.0, 0.0))
    bought = stored(2, partition=0, offset=1, label_version=1, targets=(1.0, 1.0))
    again = stored(2, partition=0, offset=2, label_version=2, targets=(1.0, 1.0))
    live = Rows(sketch=K)
    for version, sample in enumerate((clicked, bought, again)):
        found, _ = responses(1)
        found = replace(found, norm=np.array([4.0 + version], np.float32))
        answered = Answered.by(version, 2.0, [sample], found)
        answered.keep(store)
        for _, seen in answered.visits():
            live.visit(seen)
    [rows] = rebuilt(store, {0: 3}, 2, left={0: 0}, sketch=K).rows.values()
    for name in ("visits", "importance", "label_version", "answer_code", "relabelled"):
        assert live[name].tolist() == rows[name].tolist(), name
    assert ([2], [(5 + 6) / 2 / 2], [True]) == (
        live["visits"].tolist(),
        live["importance"].tolist(),
        live["relabelled"].tolist(),
    )
