"""A scoring worker with its fakes, and questions to the history that it leaves."""

from typing import Any

import numpy as np

from mainstem.importance import Rows
from mainstem.join import Sample
from mainstem.kafka import Broker
from mainstem.kafka.messages import Announcement
from mainstem.settings import Model, Responses, Settings, Standing, Trusted
from mainstem.store import Store
from mainstem.store.recorded_schedule import RecordedSchedule
from mainstem.store.schedule_records import decode_record
from mainstem.trainer.scoring import ScoringProgram
from mainstem.trusted import part_of
from mainstem.versions import Versions
from tests.trainer.fakes import (
    FakeGroup,
    FakeIntake,
    FakeProducer,
    KillingStore,
    close_all_hours,
    sample,
    sink,
)

SETTINGS = Settings(
    standing=Standing(judge_every=8, canary_minimum=3, core_visits=1),
    responses=Responses(score_batch=1),
    model=Model(max_tokens=8, device="cpu"),
    trusted=Trusted(direction_share=0.1, canary_share=0.3, gate_share=0.1),
)
NEVER, AT_ONCE = 1e9, -1.0
TABLES = ("features", "responses", "sketches_now", "standings", "moves", "judgements")
Records = dict[int, list[list[Sample]]]


class Worker:
    """A program with its fakes; after its death another one can use the same store and group."""

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
        closed: bool = True,
    ) -> None:
        if closed:
            close_all_hours(store, settings)
        self.producer = FakeProducer(store.kill, [] if sent is None else sent)
        broker = Broker.parse("kafka://nowhere")
        self.program = ScoringProgram(store, versions, settings, broker, self.producer, idle)
        self.program.take_up(Announcement(version=version, generation=1), first=True)
        self.intake = self.program.intake = FakeIntake(group, most, self.program, store.kill)
        self.intake.assign(*(group.records if owns is None else owns))

    def run(self, steps: int = 60) -> "Worker":
        """Take enough steps to finish the topic."""
        for _ in range(steps):
            self.program.step()
        return self

    def to_the_end(self) -> "Worker":
        """Read all records first, and then stay idle until the end is judged."""
        self.run(6)
        self.program._idle = AT_ONCE
        return self.run(2)

    def rows(self, partition: int = 0) -> Rows:
        """Return the worker's rows of a partition."""
        return self.program._worker.rows[partition]


def mixed(count: int) -> list[list[Sample]]:
    """Make a topic of one or two samples a record, in which every fifth record revises a label."""
    records: list[list[Sample]] = []
    for offset in range(count):
        if offset % 5 == 4:
            records.append([sample(offset - 3, label_version=1, label=offset % 2)])
        else:
            records.append(
                [sample(offset), sample(offset + 1000)] if offset % 3 == 0 else [sample(offset)]
            )
    return records


def history(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Return every table that the program writes, as readers see it."""
    return {
        table: sorted(
            store.rows(f"SELECT * FROM {table} {'' if table.endswith('_now') else 'FINAL'}"),
            key=repr,
        )
        for table in TABLES
    }


def costs(store: Store) -> list[tuple[Any, ...]]:
    """Return what each visit cost, but for its seconds, which the clock decides."""
    return store.rows("""
        SELECT version, kind, partition, offset, samples, tokens, round(forward_equivalents, 6)
        FROM costs_now ORDER BY version, kind, partition, offset""")


def forget(store: Store) -> None:
    """Empty every table that the program writes."""
    for table in (*TABLES, "positions", "turns", "costs"):
        store.execute(f"TRUNCATE TABLE {table.removesuffix('_now')}")


def same(one: Rows, other: Rows) -> bool:
    """Return whether all columns are identical, whatever the order of the samples."""
    orders = [np.lexsort((rows["key_low"], rows["key_high"])) for rows in (one, other)]
    pairs = [(one[name][orders[0]], other[name][orders[1]]) for name in one]
    pairs += [(canaries(one, version), canaries(other, version)) for version in range(5)]
    return all(
        np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f") for mine, theirs in pairs
    )


def canaries(rows: Rows, version: int) -> np.ndarray:
    """Return id and margin of the canaries that a version scored, sorted by id."""
    places, margins = rows.canaries.at(version)
    low, high = rows["key_low"][places], rows["key_high"][places]
    return np.column_stack([high, low, margins])[np.lexsort((low, high))]


def scheduled(sent: list[tuple[str, int, bytes, bytes]]) -> RecordedSchedule:
    """Return the published schedule: the last record of each key, as a compacted topic keeps it."""
    kept = {key: value for topic, _, key, value in sent if topic == "schedule"}
    return RecordedSchedule.of_records(map(decode_record, kept.values()), "the topic")


def scored_at(store: Store) -> list[tuple[int, int]]:
    """Return the number of written responses of each version."""
    # subtle: without FINAL, so that a response written twice counts twice.
    return store.rows("SELECT version, count() FROM responses GROUP BY version ORDER BY version")


def prepared(store: Store, settings: Settings = SETTINGS, count: int = 24) -> Records:
    """Return a topic of single samples that the sink has already written."""
    records = {0: [[sample(number)] for number in range(count)]}
    sink(store, settings, records)
    return records


def parts(records: Records, settings: Settings = SETTINGS) -> list[str]:
    """Return the part of each record's sample."""
    return [part_of(settings, one.question_id) for [one] in records[0]]


def offsets_at(store: Store, version: int) -> set[int]:
    """Return the offsets of the samples that a version scored."""
    return {
        offset
        for (offset,) in store.rows(
            "SELECT offset FROM responses WHERE version = {at:UInt32}", at=version
        )
    }


def announced(worker: Worker) -> None:
    worker.program.take_up(Announcement(version=1, generation=1), first=False)
    worker.run()


def judged(store: Store) -> list[int]:
    """Return the positions of the judgements."""
    return [
        judgement
        for (judgement,) in store.rows("SELECT judgement FROM judgements FINAL ORDER BY judgement")
    ]
