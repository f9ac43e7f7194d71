"""The scoring worker beside Kafka: however batches are cut and whenever it dies, the history is the same."""

import dataclasses
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec
import numpy as np
import pytest

from mainstem.ids import uuid_of
from mainstem.importance import Columns
from mainstem.join import Sample
from mainstem.kafka import Broker
from mainstem.kafka.messages import Announcement
from mainstem.settings import Settings
from mainstem.standing import Confirmed, part_of
from mainstem.store import Store
from mainstem.trainer import scoring
from mainstem.trainer.scoring import ScoringProgram
from mainstem.versions import Scorer, Versions
from tests.models import given_encoder, shake
from tests.trainer.fakes import LONG, FakeGroup, FakeIntake, FakeProducer, Killed, KillingStore, sample, samples_of, sink

SETTINGS = Settings(
    judge_every=8,
    score_batch=1,  # with texts of one length a pass holds one pair, so its response is the same in any batch
    max_tokens=8,
    canary_minimum=3,
    core_visits=1,
    direction_share=0.1,
    canary_share=0.3,
    gate_share=0.1,
    device="cpu",
)
NEVER, AT_ONCE = 1e9, -1.0
TABLES = ("responses", "sketches_now", "standings", "moves", "judgements")
Records = dict[int, list[list[Sample]]]


class Worker:
    """A program with its fakes; another one over the same store, group and versions goes on after its death."""

    def __init__(
        self,
        store: KillingStore,
        versions: Versions,
        group: FakeGroup,
        *,
        settings: Settings = SETTINGS,
        version: int = 0,
        most: int = 5,
        idle: float = NEVER,
        sent: list[Any] | None = None,
        owns: tuple[int, ...] | None = None,
    ) -> None:
        self.producer = FakeProducer(store.kill, [] if sent is None else sent)
        broker = Broker.parse("kafka://nowhere")
        self.program = ScoringProgram(store, versions, settings, broker, self.producer, idle)
        self.program.take_up(Announcement(version=version, generation=1), first=True)
        self.intake = self.program.intake = FakeIntake(group, most, self.program, store.kill)
        self.intake.assign(*(group.records if owns is None else owns))

    def run(self, steps: int = 60) -> "Worker":
        """Enough steps to be done."""
        for _ in range(steps):
            self.program.step()
        return self

    def to_the_end(self) -> "Worker":
        """All records first, and then the quiet in which the end is judged."""
        self.run(6)
        self.program._idle = AT_ONCE
        return self.run(2)

    def columns(self, partition: int = 0) -> Columns:
        """What it knows of a partition."""
        return self.program._worker.columns[partition]


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    """Three versions that say different things; the first has no direction."""
    made = Versions(f"file://{tmp_path_factory.mktemp('versions')}")
    for version in range(3):
        encoder = given_encoder(seed=version)
        shake(encoder.network, version)
        parent = version - 1 if version else None
        direction = Scorer(encoder, SETTINGS).gradient([(LONG, "red"), (LONG, "white cups")], [0, 1]) if version else None
        known = {"event_time": 0, "reason": "", "scale": 1.5 + version, "generation": 1, "direction": direction}
        made.save(encoder, version=version, parent=parent, **known)
    return made


def mixed(count: int) -> list[list[Sample]]:
    """A topic: one or two samples a record; every fifth record revises an earlier sample's label."""
    records: list[list[Sample]] = []
    for offset in range(count):
        if offset % 5 == 4:
            records.append([sample(offset - 3, label_version=1, label=offset % 2)])
        else:
            records.append([sample(offset), sample(offset + 1000)] if offset % 3 == 0 else [sample(offset)])
    return records


def history(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """What the program wrote, as it is read."""
    return {
        table: sorted(store.rows(f"SELECT * FROM {table} {'' if table.endswith('_now') else 'FINAL'}"), key=repr)
        for table in TABLES
    }


def forget(store: Store) -> None:
    """Empty what the program wrote."""
    for table in TABLES:
        store.execute(f"TRUNCATE TABLE {table.removesuffix('_now')}")


def same(one: Columns, other: Columns) -> bool:
    """Whether all columns are the very same, in whatever order the samples stand."""
    orders = [np.lexsort((columns["key_low"], columns["key_high"])) for columns in (one, other)]
    pairs = [(one[name][orders[0]], other[name][orders[1]]) for name in one._arrays]
    pairs += [(canaries(one, version), canaries(other, version)) for version in range(5)]
    return all(np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f") for mine, theirs in pairs)


def canaries(columns: Columns, version: int) -> np.ndarray:
    """Id and margin of the canaries that a version scored, by id."""
    rows, margins = columns.canaries_at(version)
    order = np.lexsort((columns["key_low"][rows], columns["key_high"][rows]))
    return np.column_stack([columns["key_high"][rows], columns["key_low"][rows], margins])[order]


def scored_at(store: Store) -> list[tuple[int, int]]:
    """(version, visits) of the history."""
    return store.rows("SELECT version, count() FROM responses GROUP BY version ORDER BY version")  # not FINAL: each write


def test_judgements_fall_at_multiples_however_records_are_cut(store: KillingStore, versions: Versions) -> None:
    """Batches of any size give the same responses, judgements, moves and standings, at multiples of `judge_every`."""
    told = []
    for most in (1, 3, 8, 100):
        forget(store)
        Worker(store, versions, FakeGroup({0: mixed(27)}), most=most).run()
        told.append(history(store))
    assert [8, 16, 24] == sorted(row[1] for row in told[0]["judgements"])
    for other in told[1:]:
        assert told[0] == other


def test_a_judgement_knows_only_the_samples_before_its_offset(store: KillingStore, versions: Versions) -> None:
    """Of a batch that reaches beyond, only what lies before the judgement's offset is counted and moved by it."""
    records = [[one] for one in samples_of(SETTINGS, "stream", 11)]
    Worker(store, versions, FakeGroup({0: records}), most=100).run()
    [(judgement, counted)] = store.rows("SELECT judgement, core + edge + contradictory + spent FROM judgements FINAL")
    assert (8, 8) == (judgement, counted)
    assert {one.sample_id for [one] in records[:8]} == {row[0] for row in store.rows("SELECT sample_id FROM moves")}
    [(last,)] = store.rows("SELECT toUnixTimestamp64Milli(event_time) FROM judgements FINAL")
    assert records[7][0].event_time == last


def lives(store: KillingStore, versions: Versions, records: Records) -> Iterator[tuple[int, Worker, list[Any]]]:
    """For each step at which a program can die: the one that goes on after it, and all that was ever published."""
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
    """Whoever goes on from the commit ends with the history, the columns and the topic of one that never died."""
    records, sent = {0: mixed(13)}, []
    whole = Worker(store, versions, FakeGroup(records), sent=sent).to_the_end()
    expected, deaths = history(store), 0
    [(visits, rows)] = store.rows("SELECT uniqExact(sample_id, label_version, version), count() FROM responses")
    assert visits == rows
    for at, after, published in lives(store, versions, records):
        deaths += 1
        assert expected == history(store), at
        assert same(whole.columns(), after.columns()), at
        assert newest(sent) == newest(published), at
    assert deaths > 15


def newest(sent: list[Any]) -> dict[bytes, Any]:
    """The last message of each key, as a compacted topic keeps it."""
    return {key: msgspec.json.decode(value) for _, _, key, value in sent}


def test_a_commit_that_is_refused_is_no_harm(store: KillingStore, versions: Versions) -> None:
    """Records of a batch whose commit came too late are scored again by the next owner, as the same rows."""
    records = {0: mixed(19)}
    whole = Worker(store, versions, FakeGroup(records)).run()
    expected = history(store)
    forget(store)
    group = FakeGroup(records)
    first = Worker(store, versions, group)
    first.intake.refuse = True
    first.run(2)
    assert {0: 0} == group.committed
    assert same(whole.columns(), Worker(store, versions, group).run().columns())
    assert expected == history(store)


@pytest.mark.parametrize("most", [1, 100])
def test_the_same_record_again_is_no_second_visit(store: KillingStore, versions: Versions, most: int) -> None:
    """A record that a joiner sent twice leaves one response of each sample, at the offset where it came first."""
    records = [[sample(0)], [sample(1)], [sample(0)], [sample(1)], [sample(0)]]
    worker = Worker(store, versions, FakeGroup({0: records}), settings=all_stream(), most=most).run()
    assert [(0, 1)] == sorted({(row[0], row[1]) for row in store.rows("SELECT version, label_version + 1 FROM responses")})
    assert [0, 1] == [offset for (offset,) in store.rows("SELECT offset FROM responses ORDER BY offset")]
    assert [1, 1] == worker.columns()["visits"].tolist()


def test_a_label_that_is_vouched_for_is_the_one_that_is_scored(store: KillingStore, versions: Versions) -> None:
    """A trusted sample is scored with the label somebody confirmed, in its part; the rest is stream, and verdicts count."""
    records = [[sample(0, label=0)], [sample(1, label=0)]]
    settings = dataclasses.replace(SETTINGS, judge_every=1)
    worker = Worker(store, versions, FakeGroup({0: records}), settings=settings, most=100)
    worker.program.believe([Confirmed(sample_id=sample(0).sample_id, part="canary", label=1, origin="confirmed")])
    worker.run()
    assert [(1, "canary"), (0, "stream")] == store.rows("SELECT label, part FROM responses ORDER BY offset")
    assert [("too few canaries",)] == store.rows("SELECT DISTINCT verdict FROM judgements")


def all_stream(**more: Any) -> Settings:
    """Settings without trusted parts."""
    return dataclasses.replace(SETTINGS, direction_share=0, canary_share=0, gate_share=0, **more)


@pytest.mark.parametrize("most", [1, 100])
def test_an_outdated_label_is_not_scored(store: KillingStore, versions: Versions, most: int) -> None:
    """A label version that arrives after a newer one gets no response, in whatever batches they come."""
    records = [[sample(0, label_version=1, label=1)], [sample(0, label=0)], [sample(1)]]
    worker = Worker(store, versions, FakeGroup({0: records}), settings=all_stream(), most=most).run()
    assert [(0, 1, 1), (2, 0, 1)] == store.rows("SELECT offset, label_version, label FROM responses ORDER BY offset")
    assert [1, 0] == worker.columns()["label_version"].tolist()


def test_an_outdated_label_is_not_scored_by_a_newer_version_either(store: KillingStore, versions: Versions) -> None:
    """Nor is it where a version came in between."""
    records = {0: [[sample(0, label_version=1, label=1)], [sample(0, label=0)]]}
    worker = Worker(store, versions, FakeGroup(records), settings=all_stream(), most=1).run(2)
    worker.program.take_up(Announcement(version=1, generation=1), first=False)
    worker.run()
    assert [(0, 1)] == store.rows("SELECT version, label_version FROM responses")


def prepared(store: Store, settings: Settings = SETTINGS, count: int = 24) -> Records:
    """A topic of single samples that the sink has written already."""
    records = {0: [[sample(number)] for number in range(count)]}
    sink(store, settings, records)
    return records


def parts(records: Records, settings: Settings = SETTINGS) -> list[str]:
    """The part of each record's sample."""
    return [part_of(settings, one.question_id) for [one] in records[0]]


def test_a_version_that_is_announced_scores_canaries_at_once(store: KillingStore, versions: Versions) -> None:
    """All canaries are scored again before the next batch, the newest samples within the budget in idle time, none twice."""
    settings = dataclasses.replace(SETTINGS, rescore_budget=10)
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
    assert [(0, kinds.count("stream") + kinds.count("canary")), (1, len(canaries | newest_ones))] == scored_at(store)


def offsets_at(store: Store, version: int) -> set[int]:
    """Which samples a version scored."""
    return {offset for (offset,) in store.rows("SELECT offset FROM responses WHERE version = {at:UInt32}", at=version)}


def test_what_comes_after_an_announcement_is_scored_once_by_the_new_version(store: KillingStore, versions: Versions) -> None:
    """A version that arrives in mid-stream scores what follows, what was before is scored again, and nothing is doubled."""
    records = prepared(store)
    worker = Worker(store, versions, FakeGroup(records)).run(3)  # the partition, and two batches of five
    worker.program.take_up(Announcement(version=1, generation=1), first=False)
    worker.run()
    scored = {offset for offset, kind in enumerate(parts(records)) if kind in {"stream", "canary"}}
    assert {offset for offset in scored if offset < 10} == offsets_at(store, 0)
    assert scored == offsets_at(store, 1)
    assert [(0, len(offsets_at(store, 0))), (1, len(scored))] == scored_at(store)


def test_a_death_while_scoring_again_leaves_the_rest_to_the_next(
    store: KillingStore, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes after scores again what is left, and no sample is written twice by the new version."""
    monkeypatch.setattr(scoring, "_CHUNK", 3)
    records = prepared(store)
    scored = {offset for offset, kind in enumerate(parts(records)) if kind in {"stream", "canary"}}
    for at in (1, 2):  # after the canaries, after the first chunk
        forget(store)
        group = FakeGroup(records)
        first = Worker(store, versions, group).run()
        store.kill.left = at
        with pytest.raises(Killed):
            announced(first)
        after = Worker(store, versions, group, version=1).run()
        assert scored == offsets_at(store, 1)
        assert [(0, len(scored)), (1, len(scored))] == scored_at(store)
        assert {2} == set(after.columns()["visits"].tolist())


def announced(worker: Worker) -> None:
    worker.program.take_up(Announcement(version=1, generation=1), first=False)
    worker.run()


def test_draws_of_a_version_that_was_missed_are_marked(store: KillingStore, versions: Versions) -> None:
    """A worker that sees version 2 without having seen version 1 knows what either was trained on, as a rebuild does."""
    records = prepared(store)
    for version, number in ((1, 3), (2, 5)):
        drawn = {"version": version, "sample_id": uuid_of("sample", number), "label_version": 0}
        store.write("draws", {name: [value] for name, value in (drawn | {"standing": "edge", "probability": 1.0}).items()})
        row = {"version": version, "parent": version - 1, "event_time": 0, "promoted": 1}
        store.write(
            "versions", {name: [value] for name, value in (row | dict.fromkeys(("reason", "model", "digest"), "")).items()}
        )
    group = FakeGroup(records)
    live = Worker(store, versions, group).run()
    live.program.take_up(Announcement(version=2, generation=1), first=False)
    live.run()
    scored = {offset for offset, kind in enumerate(parts(records)) if kind in {"stream", "canary"}}
    assert {3, 5} & scored == set(live.columns()["offset"][live.columns()["drawn"]].tolist())
    assert {3, 5} <= scored
    assert same(live.columns(), Worker(store, versions, group, version=2).run().columns())


def test_a_quiet_partition_is_judged_once(store: KillingStore, versions: Versions) -> None:
    """When nothing comes the end is judged, and again only after another record or another version, or by nobody."""
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
    assert [(11, 1)] == store.rows("SELECT judgement, version FROM judgements FINAL WHERE judgement = 11")
    assert 0 == Worker(store, versions, group, version=1, idle=AT_ONCE).run(20).program.judgements


def judged(store: Store) -> list[int]:
    """Offsets of the judgements."""
    return [judgement for (judgement,) in store.rows("SELECT judgement FROM judgements FINAL ORDER BY judgement")]


def test_a_partition_with_nothing_in_it_is_not_judged(store: KillingStore, versions: Versions) -> None:
    """There is no judgement at offset 0."""
    assert 0 == Worker(store, versions, FakeGroup({0: []}), idle=AT_ONCE).run(5).program.judgements
    assert [] == judged(store)


def test_a_partition_that_went_away_and_came_back_stands_as_if_it_had_stayed(
    store: KillingStore, versions: Versions
) -> None:
    """Two partitions that change their owners in mid-stream end with the history and the columns of ones that stayed."""
    settings = dataclasses.replace(SETTINGS, partitions=2)
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
    assert {} == other.program._worker.columns
    one.intake.assign(0, 1)
    one.to_the_end()
    assert expected == history(store)
    assert all(same(stayed.columns(partition), one.columns(partition)) for partition in (0, 1))


def test_published_standings_are_those_of_the_history(store: KillingStore, versions: Versions) -> None:
    """The newest message of each sample says what its row in `standings` says, under the sample's id, in its partition."""
    worker = Worker(store, versions, FakeGroup({0: mixed(27)}), idle=AT_ONCE).run()
    names = ("label_version", "judgement", "version", "standing", "reason", "p_value", "evidence", "importance")
    names += ("importance_of_mean", "alignment")
    rows = store.rows(f"SELECT sample_id, {', '.join(names)} FROM standings FINAL")
    expected = {row[0].bytes: {"sample_id": str(row[0]), **dict(zip(names, row[1:], strict=True))} for row in rows}
    assert len(expected) > 10
    assert expected == newest(worker.producer.sent)
    assert {("standings", 0)} == {(topic, partition) for topic, partition, _, _ in worker.producer.sent}


def test_direction_and_gate_samples_are_not_scored(store: KillingStore, versions: Versions) -> None:
    """They pass without a response, a standing or a place in the columns, and still the offsets are judged and committed."""
    records = prepared(store, count=17)
    kinds = parts(records)
    group = FakeGroup(records)
    worker = Worker(store, versions, group, idle=AT_ONCE).run()
    assert {"direction", "gate", "stream", "canary"} == set(kinds)
    scored = [offset for offset, kind in enumerate(kinds) if kind in {"stream", "canary"}]
    assert set(scored) == offsets_at(store, 0)
    assert scored == worker.columns()["offset"].tolist()
    assert [(len(scored),)] == store.rows("SELECT uniqExact(sample_id) FROM standings")
    assert ([8, 16, 17], {0: 17}) == (judged(store), group.committed)


def test_every_visit_has_its_sketch_and_an_alignment_where_there_is_a_direction(
    store: KillingStore, versions: Versions
) -> None:
    """Versions with and without a direction leave one sketch of each response, cosines of the former, and means of both."""
    records = prepared(store)
    worker = Worker(store, versions, FakeGroup(records)).run()
    announced(worker)
    keys = "sample_id, label_version, version, partition, offset, event_time, scale"
    visits = store.rows(f"SELECT {keys} FROM responses FINAL ORDER BY {keys}")
    assert visits == store.rows(f"SELECT {keys} FROM sketches_now WHERE length(sketch) = 64 ORDER BY {keys}")
    assert [(0,), (1,)] == store.rows("SELECT DISTINCT version FROM responses ORDER BY version")
    assert [(0, True), (1, False)] == store.rows(
        "SELECT DISTINCT version, alignment IS NULL FROM responses ORDER BY version"
    )
    cosines = dict(store.rows("SELECT offset, alignment FROM responses FINAL WHERE version = 1"))
    assert max(map(abs, cosines.values())) <= 1
    columns = worker.columns()
    assert cosines == dict(zip(columns["offset"].tolist(), columns["alignment"].tolist(), strict=True))
    mean = "avgForEach(arrayMap(x -> x / scale, sketch))"
    means = store.rows(f"SELECT offset, sqrt(arraySum(x -> x * x, {mean})) FROM sketches_now GROUP BY offset")
    of_mean = dict(zip(columns["offset"].tolist(), columns.importance_of_mean().tolist(), strict=True))
    assert pytest.approx(dict(means), rel=2e-3) == of_mean


def test_a_rebuild_takes_the_sketches_that_are_left(store: KillingStore, versions: Versions) -> None:
    """Where those of a version have left the history, the mean is of the others and all else is as it was."""
    records = prepared(store)
    group = FakeGroup(records)
    announced(live := Worker(store, versions, group).run())
    store.execute("DELETE FROM sketches WHERE version = 0")
    again = Worker(store, versions, group, version=1).run().columns()
    assert ({2}, {1}, {2}) == (
        set(live.columns()["sketched"].tolist()),
        set(again["sketched"].tolist()),
        set(again["visits"]),
    )
    lengths = dict(store.rows("SELECT offset, sqrt(arraySum(x -> x * x, sketch)) / scale FROM sketches_now"))
    of_mean = dict(zip(again["offset"].tolist(), again.importance_of_mean().tolist(), strict=True))
    assert pytest.approx(lengths, rel=2e-3) == of_mean
    store.execute("TRUNCATE TABLE sketches")
    assert np.isnan(Worker(store, versions, group, version=1).run().columns().importance_of_mean()).all()


def test_without_sketches_none_is_written(store: KillingStore, versions: Versions) -> None:
    """With `sketch` 0 the columns hold none, the standings say nothing of a mean, and the rest is the same."""
    records = prepared(store)
    with_sketches = Worker(store, versions, FakeGroup(records), idle=AT_ONCE).run(20)
    [(told,)] = store.rows("SELECT count(importance_of_mean) FROM standings FINAL")
    expected = store.rows("SELECT sample_id, norm, alignment FROM responses FINAL ORDER BY sample_id")
    forget(store)
    none = dataclasses.replace(SETTINGS, sketch=0)
    without = Worker(store, versions, FakeGroup(records), settings=none, idle=AT_ONCE).run(20)
    assert told > 10
    assert [(0, 0)] == store.rows("SELECT count(importance_of_mean), (SELECT count() FROM sketches) FROM standings FINAL")
    assert expected == store.rows("SELECT sample_id, norm, alignment FROM responses FINAL ORDER BY sample_id")
    assert with_sketches.columns()["importance"].tolist() == without.columns()["importance"].tolist()
