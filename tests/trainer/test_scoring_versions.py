"""A scoring worker that takes up a version scores samples again, and a successor can finish it."""

from itertools import product
from pathlib import Path

import pytest

from mainstem.ids import uuid_of
from mainstem.kafka.messages import Announcement
from mainstem.kinds import KindScale
from mainstem.scoring.changeable import most_changeable
from mainstem.store.recorded_schedule import RecordedSchedule
from mainstem.store.turns import TAKE_UP
from mainstem.trainer import scoring
from mainstem.versions import Versions
from tests.small_models import given_encoder, shake
from tests.trainer.fakes import FakeGroup, Killed, KillingStore, sample
from tests.trainer.scorers import (
    AT_ONCE,
    SETTINGS,
    Worker,
    announced,
    forget,
    history,
    mixed,
    offsets_at,
    parts,
    prepared,
    same,
    scheduled,
    scored_at,
)


def test_a_version_that_is_announced_scores_canaries_at_once(
    store: KillingStore, versions: Versions
) -> None:
    """A new version scores the canaries at once and the newest samples when idle, each once."""
    settings = SETTINGS.but({"responses.rescore_budget": 10, "responses.rescore": "newest"})
    records = prepared(store, settings)
    kinds = parts(records, settings)
    worker = Worker(store, versions, FakeGroup(records), settings=settings).run()
    worker.program.take_up(Announcement(version=1, generation=1), first=False)
    canaries = {offset for offset, kind in enumerate(kinds) if kind == "canary"}
    assert canaries == offsets_at(store, 1)
    worker.run()
    newest_ones = {offset for offset, kind in enumerate(kinds) if kind == "stream" and offset >= 14}
    assert min(len(canaries), len(newest_ones)) > 2
    assert canaries | newest_ones == offsets_at(store, 1)
    assert [
        (0, kinds.count("stream") + kinds.count("canary")),
        (1, len(canaries | newest_ones)),
    ] == scored_at(store)


def test_what_comes_after_an_announcement_is_scored_once_by_the_new_version(
    store: KillingStore, versions: Versions
) -> None:
    """A version announced in mid-stream scores each later and each earlier sample once."""
    records = prepared(store)
    # Three steps: the assignment of the partition, and two batches of five.
    worker = Worker(store, versions, FakeGroup(records)).run(3)
    worker.program.take_up(Announcement(version=1, generation=1), first=False)
    worker.run()
    scored = {offset for offset, kind in enumerate(parts(records)) if kind in {"stream", "canary"}}
    assert {offset for offset in scored if offset < 10} == offsets_at(store, 0)
    assert scored == offsets_at(store, 1)
    assert [(0, len(offsets_at(store, 0))), (1, len(scored))] == scored_at(store)


def test_a_death_while_scoring_again_leaves_the_rest_to_the_next(
    store: KillingStore, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a death the successor scores again the samples that are left, and none twice."""
    monkeypatch.setattr(scoring, "_CHUNK", 3)
    records = prepared(store)
    scored = {offset for offset, kind in enumerate(parts(records)) if kind in {"stream", "canary"}}
    # The deaths come before and after the turn of the canaries, after the first chunk, and so on.
    for at in range(8):
        forget(store)
        group, sent = FakeGroup(records), list[tuple[str, int, bytes, bytes]]()
        first = Worker(store, versions, group, sent=sent).run()
        store.kill.left = at
        with pytest.raises(Killed):
            announced(first)
        after = Worker(store, versions, group, version=1, sent=sent).run()
        assert RecordedSchedule.of_store(store) == scheduled(sent), at
        assert scored == offsets_at(store, 1)
        assert [(0, len(scored)), (1, len(scored))] == scored_at(store)
        assert {2} == set(after.rows()["visits"].tolist())


def test_workers_that_die_one_after_the_other_publish_what_the_history_has(
    store: KillingStore, versions: Versions
) -> None:
    """The published schedule agrees with the history after several workers died in one turn."""
    records = prepared(store)
    for deaths in product(range(4), repeat=2):
        forget(store)
        group, sent = FakeGroup(records), list[tuple[str, int, bytes, bytes]]()
        first = Worker(store, versions, group, sent=sent).run(6)
        store.kill.left = 2  # the turn is published and none of its samples is scored
        with pytest.raises(Killed):
            announced(first)
        assert scheduled(sent).turns[-1].samples
        for at in deaths:
            store.kill.left = at
            with pytest.raises(Killed):
                Worker(store, versions, group, version=1, sent=sent).run(9)
        Worker(store, versions, group, version=1, sent=sent).run(9)
        assert RecordedSchedule.of_store(store) == scheduled(sent), deaths
        assert [[]] == [one.samples for one in scheduled(sent).turns if one.kind == TAKE_UP]


def test_draws_of_a_version_that_was_missed_are_marked(
    store: KillingStore, versions: Versions
) -> None:
    """A worker that missed version 1 marks the draws of versions 1 and 2, as a rebuild does."""
    records = prepared(store)
    for version, number in ((1, 3), (2, 5)):
        drawn = {"version": version, "sample_id": uuid_of("sample", number), "label_version": 0}
        store.write(
            "draws",
            {
                name: [value]
                for name, value in (drawn | {"standing": "edge", "probability": 1.0}).items()
            },
        )
        row = {"version": version, "parent": version - 1, "event_time": 0, "promoted": 1}
        store.write(
            "versions",
            {
                name: [value]
                for name, value in (row | dict.fromkeys(("reason", "model", "digest"), "")).items()
            },
        )
    group = FakeGroup(records)
    live = Worker(store, versions, group).run()
    live.program.take_up(Announcement(version=2, generation=1), first=False)
    live.run()
    scored = {offset for offset, kind in enumerate(parts(records)) if kind in {"stream", "canary"}}
    assert {3, 5} & scored == set(live.rows()["offset"][live.rows()["drawn"]].tolist())
    assert {3, 5} <= scored
    assert same(live.rows(), Worker(store, versions, group, version=2).run().rows())


def test_a_partition_that_went_away_and_came_back_stands_as_if_it_had_stayed(
    store: KillingStore, versions: Versions
) -> None:
    """Partitions that change owners in mid-stream end like partitions that never moved."""
    settings = SETTINGS.but({"join.partitions": 2})
    records = {0: mixed(19), 1: [[sample(5000 + number)] for number in range(17)]}
    stayed = Worker(store, versions, FakeGroup(records), settings=settings, idle=AT_ONCE).run(20)
    expected = history(store)
    forget(store)
    group = FakeGroup(records)
    one = Worker(store, versions, group, settings=settings, owns=(0, 1)).run(2)
    one.intake.assign(0)
    other = Worker(store, versions, group, settings=settings, owns=(1,)).run(3)
    one.run(2)
    other.intake.assign()
    other.run(1)
    assert {} == other.program._worker.rows
    one.intake.assign(0, 1)
    one.to_the_end()
    assert expected == history(store)
    assert all(same(stayed.rows(partition), one.rows(partition)) for partition in (0, 1))


def test_what_could_change_is_scored_again_within_the_budget(
    store: KillingStore, versions: Versions
) -> None:
    """A new version scores the canaries and the samples that a visit is likeliest to move."""
    more = {"responses.rescore_budget": 6, "responses.rescore": "changeable"}
    settings = SETTINGS.but(more)
    records = prepared(store, settings)
    worker = Worker(store, versions, FakeGroup(records), settings=settings).run()
    rows = worker.rows()
    chosen = rows["offset"][most_changeable(rows, 1, 6, settings.standing)].tolist()
    worker.program.take_up(Announcement(version=1, generation=1), first=False)
    worker.run()
    kinds = parts(records, settings)
    canaries = {offset for offset, kind in enumerate(kinds) if kind == "canary"}
    assert 6 == len(chosen)
    assert canaries | set(chosen) == offsets_at(store, 1)


def test_first_and_next_visits_are_of_the_kinds_that_are_asked_for(
    store: KillingStore, tmp_path: Path
) -> None:
    """A version that has measured its kinds makes them; one that has not makes full visits."""
    made, its = Versions(f"file://{tmp_path / 'versions'}"), KindScale(scale=1, power=1, factor=1)
    for version, known in enumerate(({}, {"last": its, "forward": its})):
        encoder = given_encoder(seed=version)
        shake(encoder.network, version)
        facts = {"event_time": 0, "reason": "", "scale": 1.5, "generation": 1}
        made.save(encoder, version=version, parent=version - 1, kinds=known, **facts)
    more = {"responses.first_visit": "forward", "responses.next_visit": "last"}
    settings = SETTINGS.but(more)
    group = FakeGroup(prepared(store, settings))
    worker = Worker(store, made, group, settings=settings).run(3)
    worker.program.take_up(Announcement(version=1, generation=1), first=False)
    worker.run()
    early = "offset < 10"
    # trusted samples are visited as new ones are
    first, second = (1, False, "forward"), (1, True, "forward")
    assert [(0, True, "full"), first, second, (1, True, "last")] == sorted(
        (version, bool(is_early), kind)
        for version, is_early, kind in store.rows(
            f"SELECT DISTINCT version, {early}, kind FROM responses FINAL"
        )
    )
    again = Worker(store, made, group, settings=settings, version=1).run()
    assert same(worker.rows(), again.rows())
