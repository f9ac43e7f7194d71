"""A recorded schedule repeats a deployed worker: the same visits, judgements, moves and rows."""

from typing import Any
from uuid import UUID

import pytest

from mainstem.kafka.messages import Announcement
from mainstem.scoring.repeating import Repeated
from mainstem.scoring.turns import Turns, in_effect
from mainstem.store import Store
from mainstem.store.costs import FEATURES
from mainstem.store.recorded_schedule import RecordedSchedule
from mainstem.store.turns import AGAIN, JUDGE, TAKE_OVER, TAKE_UP, Turn, last_turn, write_turns
from mainstem.store.writes import sample_columns
from mainstem.trainer import scoring
from mainstem.versions import Versions, load_active
from tests.trainer.conftest import one_thread, store, versions
from tests.trainer.fakes import FakeGroup, Killed, KillingStore, sample, sink
from tests.trainer.scorers import AT_ONCE, SETTINGS, Worker, costs, forget, history, mixed, same

__all__ = ["one_thread", "store", "versions"]

TWO = SETTINGS.but({"join.partitions": 2})
EXACT = ("judgements", "moves", "standings")


def lives(store: KillingStore, versions: Versions, records: dict[int, Any]) -> Worker:
    """Run a worker that takes up version 1 in mid-stream and dies while it scores again.

    The next worker goes on, scores again while the stream is quiet, and takes up version 2.
    """
    group = FakeGroup(records)
    first = Worker(store, versions, group, settings=TWO).run(3)
    first.program.take_up(Announcement(version=1, generation=1), first=False)
    first.run(1)
    store.kill.left = 3
    with pytest.raises(Killed):
        first.run()
    after = Worker(store, versions, group, settings=TWO, version=1).run(8)
    after.program._idle = AT_ONCE
    after.run(3)
    after.program.take_up(Announcement(version=2, generation=1), first=False)
    return after.run(30)


def laid_out(store: Store, recorded: RecordedSchedule, records: dict[int, Any]) -> None:
    """Leave nothing in the history but the samples, at their recorded positions."""
    forget(store)  # type: ignore[arg-type]
    store.execute("TRUNCATE TABLE samples")
    known = {
        (one.sample_id, one.label_version): one
        for topic in records.values()
        for some in topic
        for one in some
    }
    placed = [
        (known[one.sample_id, one.label_version], one.partition, one.position)
        for one in recorded.accepted
    ]
    store.write("samples", sample_columns(placed))


def test_a_recorded_schedule_repeats_what_was_judged(
    store: KillingStore, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judgements, moves and rows are repeated exactly, after new versions and a worker's death."""
    monkeypatch.setattr(scoring, "_CHUNK", 4)
    records = {0: mixed(19), 1: [[sample(5000 + number)] for number in range(17)]}
    sink(store, TWO, records)
    worker = lives(store, versions, records)
    # samples are laid out without features, which were computed when they came
    expected, spent = history(store), [one for one in costs(store) if one[1] != FEATURES]
    recorded = RecordedSchedule.of_lines(list(RecordedSchedule.of_store(store).lines()), "schedule")
    assert {TAKE_OVER, TAKE_UP, AGAIN, JUDGE} == {one.kind for one in recorded.turns}
    laid_out(store, recorded, records)
    for partition in (0, 1):
        load = lambda version: (  # noqa: E731
            load_active(versions, version, TWO),
            versions.manifest(version).scale,
            versions.manifest(version).kinds,
            versions.manifest(version).scale is not None,
        )
        repeated = Repeated(store, TWO, load, partition, trusted=False)
        end = sum(one.partition == partition for one in recorded.accepted)
        repeated.run([one for one in recorded.turns if one.partition == partition], end)
        assert same(worker.rows(partition), repeated.worker.rows[partition])
    found = history(store)
    assert all(expected[table] == found[table] for table in EXACT)
    assert spent == costs(store)
    assert [row[:3] for row in expected["responses"]] == [row[:3] for row in found["responses"]]


def test_of_a_turn_that_was_cut_off_only_what_was_done_is_kept(store: KillingStore) -> None:
    """Of a last turn that was cut off, the next owner keeps the samples that were scored."""
    one, other = sample(1).sample_id, sample(2).sample_id
    write_turns(store, [Turn(0, 0, 9, 1, AGAIN, [one, other])])
    visit = {"sample_id": one, "version": 1, "partition": 0, "event_time": 0, "part": "stream"}
    store.write("responses", {name: [value] for name, value in visit.items()})
    Turns(store).take_over(0, 9, 1)
    last = last_turn(store, 0)
    assert last == Turn(0, 1, 9, 1, TAKE_OVER, [])
    assert [one] == RecordedSchedule.of_store(store).turns[0].samples


def test_a_judgement_that_was_cut_off_is_no_turn(store: KillingStore) -> None:
    """A judgement that was announced but not made is not repeated."""
    write_turns(store, [Turn(0, 0, 9, 1, JUDGE, [])])
    Turns(store).take_over(0, 9, 1)
    assert [AGAIN, TAKE_OVER] == [turn.kind for turn in RecordedSchedule.of_store(store).turns]


def test_what_was_scored_again_before_a_death_counts_from_the_last_commit_on() -> None:
    """A turn after the commit where the next worker starts moves there; a judgement is dropped."""
    ids = [UUID(int=1)]
    turns = [
        Turn(0, 0, 9, 1, AGAIN, ids),
        Turn(0, 1, 9, 1, JUDGE, []),
        Turn(0, 2, 5, 1, TAKE_OVER, []),
    ]
    assert [Turn(0, 0, 5, 1, AGAIN, ids), Turn(0, 2, 5, 1, TAKE_OVER, [])] == in_effect(turns)
