"""The scoring worker beside Kafka writes one history, however batches are cut and when it dies."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from mainstem.kafka.messages import Announcement
from mainstem.settings import Settings
from mainstem.store.recorded_schedule import RecordedSchedule
from mainstem.trusted import Confirmed
from mainstem.versions import Versions
from tests.named import named
from tests.trainer.fakes import FakeGroup, Killed, KillingStore, sample, samples_of
from tests.trainer.scorers import (
    AT_ONCE,
    SETTINGS,
    Records,
    Worker,
    announced,
    costs,
    forget,
    history,
    judged,
    mixed,
    offsets_at,
    parts,
    prepared,
    same,
    scheduled,
)


def test_judgements_fall_at_multiples_however_records_are_cut(
    store: KillingStore, versions: Versions
) -> None:
    """Batches of any size give the same results, judged at multiples of `judge_every`."""
    told = []
    for most in (1, 3, 8, 100):
        forget(store)
        Worker(store, versions, FakeGroup({0: mixed(27)}), most=most).run()
        told.append(history(store) | {"costs": costs(store)})
    assert [8, 16, 24, 32] == sorted(row[1] for row in told[0]["judgements"])
    for other in told[1:]:
        assert told[0] == other


def test_a_judgement_knows_only_the_samples_before_its_offset(
    store: KillingStore, versions: Versions
) -> None:
    """A judgement counts and moves only samples before its position, although its batch goes on."""
    records = [[one] for one in samples_of(SETTINGS, "stream", 11)]
    Worker(store, versions, FakeGroup({0: records}), most=100).run()
    [(judgement, counted)] = store.rows(
        "SELECT judgement, core + edge + contradictory + spent FROM judgements FINAL"
    )
    assert (8, 8) == (judgement, counted)
    assert {one.sample_id for [one] in records[:8]} == {
        row[0] for row in store.rows("SELECT sample_id FROM moves")
    }
    [(last,)] = store.rows("SELECT toUnixTimestamp64Milli(event_time) FROM judgements FINAL")
    assert records[7][0].event_time == last


def lives(
    store: KillingStore, versions: Versions, records: Records
) -> Iterator[tuple[int, Worker, list[Any]]]:
    """Yield for each step at which a program dies its successor and everything published."""
    for at in range(1000):
        forget(store)
        group, sent = FakeGroup(records), []
        store.kill.left = at
        with suppress(Killed):
            Worker(store, versions, group, sent=sent).to_the_end()
        if store.kill.left is not None:
            store.kill.left = None
            return
        yield at, Worker(store, versions, group, sent=sent).to_the_end(), sent


def test_a_death_at_any_step_changes_nothing(store: KillingStore, versions: Versions) -> None:
    """A death at any step leaves the same history, columns and topic as no death."""
    records, sent = {0: mixed(13)}, []
    whole = Worker(store, versions, FakeGroup(records), sent=sent).to_the_end()
    expected, spent, deaths = history(store), costs(store), 0
    [(visits, rows)] = store.rows(
        "SELECT uniqExact(sample_id, label_version, version), count() FROM responses"
    )
    assert visits == rows
    for at, after, published in lives(store, versions, records):
        deaths += 1
        assert expected == history(store), at
        assert spent == costs(store), at
        assert same(whole.rows(), after.rows()), at
        assert newest(sent) == newest(published), at
        assert RecordedSchedule.of_store(store) == scheduled(published), at
    assert deaths > 15


def newest(sent: list[Any]) -> dict[bytes, Any]:
    """Return the last standing of each key, as a compacted topic keeps it."""
    return {
        key: msgspec.json.decode(value) for topic, _, key, value in sent if topic == "standings"
    }


def test_a_commit_that_is_refused_is_no_harm(store: KillingStore, versions: Versions) -> None:
    """A batch whose commit is refused is scored again by the next owner, as the same rows."""
    records = {0: mixed(19)}
    whole = Worker(store, versions, FakeGroup(records)).run()
    expected = history(store)
    forget(store)
    group = FakeGroup(records)
    first = Worker(store, versions, group)
    first.intake.refuse = True
    first.run(2)
    assert {0: 0} == group.committed
    assert same(whole.rows(), Worker(store, versions, group).run().rows())
    assert expected == history(store)


@pytest.mark.parametrize("most", [1, 100])
def test_the_same_record_again_is_no_second_visit(
    store: KillingStore, versions: Versions, most: int
) -> None:
    """A repeated record leaves one response of each sample, at its first position."""
    records = [[sample(0)], [sample(1)], [sample(0)], [sample(1)], [sample(0)]]
    worker = Worker(
        store, versions, FakeGroup({0: records}), settings=all_stream(), most=most
    ).run()
    assert [(0, 1)] == sorted(
        {(row[0], row[1]) for row in store.rows("SELECT version, label_version + 1 FROM responses")}
    )
    assert [0, 1] == [
        offset for (offset,) in store.rows("SELECT offset FROM responses ORDER BY offset")
    ]
    assert [1, 1] == worker.rows()["visits"].tolist()


def test_a_label_that_is_vouched_for_is_the_one_that_is_scored(
    store: KillingStore, versions: Versions
) -> None:
    """A trusted sample is scored in its part with its confirmed label, and others are stream."""
    records = [[sample(0, label=0)], [sample(1, label=0)]]
    settings = SETTINGS.but({"standing.judge_every": 1})
    worker = Worker(store, versions, FakeGroup({0: records}), settings=settings, most=100)
    worker.program.trust(
        [Confirmed(sample_id=sample(0).sample_id, part="canary", label=1, origin="confirmed")]
    )
    worker.run()
    assert [(1, "canary"), (0, "stream")] == store.rows(
        "SELECT label, part FROM responses ORDER BY offset"
    )
    assert [("too few canaries",)] == store.rows("SELECT DISTINCT verdict FROM judgements")


def all_stream(**more: Any) -> Settings:
    """Return settings without trusted parts."""
    return SETTINGS.but(named(direction_share=0, canary_share=0, gate_share=0, **more))


@pytest.mark.parametrize("most", [1, 100])
def test_an_outdated_label_is_not_scored(
    store: KillingStore, versions: Versions, most: int
) -> None:
    """A label version that comes after a newer one gets no response and no position."""
    records = [[sample(0, label_version=1, label=1)], [sample(0, label=0)], [sample(1)]]
    worker = Worker(
        store, versions, FakeGroup({0: records}), settings=all_stream(), most=most
    ).run()
    assert [(0, 1, 1), (1, 0, 1)] == store.rows(
        "SELECT offset, label_version, label FROM responses ORDER BY offset"
    )
    assert [1, 0] == worker.rows()["label_version"].tolist()


def test_an_outdated_label_is_not_scored_by_a_newer_version_either(
    store: KillingStore, versions: Versions
) -> None:
    """A newer version does not score an outdated label either."""
    records = {0: [[sample(0, label_version=1, label=1)], [sample(0, label=0)]]}
    worker = Worker(store, versions, FakeGroup(records), settings=all_stream(), most=1).run(2)
    worker.program.take_up(Announcement(version=1, generation=1), first=False)
    worker.run()
    assert [(0, 1)] == store.rows("SELECT version, label_version FROM responses")


def test_a_quiet_partition_is_judged_once(store: KillingStore, versions: Versions) -> None:
    """An idle partition is judged once at its end, and again after a record or a new version."""
    records = prepared(store, count=10)
    group = FakeGroup(records)
    worker = Worker(store, versions, group, idle=AT_ONCE).run(20)
    assert [8, 10] == judged(store)
    assert 2 == worker.program.judgements
    records[0].append([sample(10)])
    assert 3 == worker.run(20).program.judgements
    assert [8, 10, 11] == judged(store)
    announced(worker)
    assert 4 == worker.program.judgements
    assert [(11, 1)] == store.rows(
        "SELECT judgement, version FROM judgements FINAL WHERE judgement = 11"
    )
    assert 0 == Worker(store, versions, group, version=1, idle=AT_ONCE).run(20).program.judgements


def test_a_partition_with_nothing_in_it_is_not_judged(
    store: KillingStore, versions: Versions
) -> None:
    """An empty partition has no judgement."""
    assert 0 == Worker(store, versions, FakeGroup({0: []}), idle=AT_ONCE).run(5).program.judgements
    assert [] == judged(store)


def test_published_standings_are_those_of_the_history(
    store: KillingStore, versions: Versions
) -> None:
    """The last message of each sample agrees with its row in `standings`."""
    worker = Worker(store, versions, FakeGroup({0: mixed(27)}), idle=AT_ONCE).run()
    names = (
        "label_version",
        "judgement",
        "version",
        "standing",
        "reason",
        "p_value",
        "evidence",
        "importance",
    )
    names += ("importance_of_mean", "alignment")
    rows = store.rows(f"SELECT sample_id, {', '.join(names)} FROM standings FINAL")
    expected = {
        row[0].bytes: {"sample_id": str(row[0]), **dict(zip(names, row[1:], strict=True))}
        for row in rows
    }
    assert len(expected) > 10
    assert expected == newest(worker.producer.sent)
    assert {("standings", 0), ("schedule", 0)} == {
        (topic, partition) for topic, partition, _, _ in worker.producer.sent
    }


def test_direction_and_gate_samples_are_not_scored(store: KillingStore, versions: Versions) -> None:
    """Direction and gate samples get no response or standing, and their offsets are committed."""
    records = prepared(store, count=17)
    kinds = parts(records)
    group = FakeGroup(records)
    worker = Worker(store, versions, group, idle=AT_ONCE).run()
    assert {"direction", "gate", "stream", "canary"} == set(kinds)
    scored = [offset for offset, kind in enumerate(kinds) if kind in {"stream", "canary"}]
    assert set(scored) == offsets_at(store, 0)
    assert scored == worker.rows()["offset"].tolist()
    assert [(len(scored),)] == store.rows("SELECT uniqExact(sample_id) FROM standings")
    assert ([8, 16, 17], {0: 17}) == (judged(store), group.committed)
