"""The rows that a history had at an earlier place, by the bounds of each table."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from mainstem.join.ledger import new_counts
from mainstem.store import Store
from mainstem.store.then import BY_THEN, NEWEST_OFFSET, Then

BY = Then(
    partition=1, samples=2, events=2_500, items=70, version=1, judgement=600, every=300, hour=50
)
LATER = BY._replace(samples=3, events=3_000, version=2, judgement=900)
SAMPLE = UUID(int=7)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A history that went on after the place, with another partition beside it."""
    with Store(f"chdb://{tmp_path_factory.mktemp('then')}") as opened:
        for name, rows in ROWS.items():
            opened.write(name, {column: [row[column] for row in rows] for column in rows[0]})
        yield opened


def visit(offset: int, version: int, partition: int = 1) -> dict[str, object]:
    """A row of `responses`."""
    sample = UUID(int=offset if partition else 90)
    known = {
        "sample_id": sample,
        "label_version": 0,
        "version": version,
        "partition": partition,
        "offset": offset,
    }
    return {
        **known,
        "label": 1,
        "part": "stream",
        "norm": 1.0,
        "scale": 1.0,
        "loss": 0.5,
        "margin": 0.25,
        "alignment": None,
    }


def ledger(topic: str, partition: int, next_offset: int) -> dict[str, object]:
    """A row of the ledger."""
    place = {
        "topic": topic,
        "partition": partition,
        "block": (next_offset - 1) // 1000,
        "first_offset": 0,
    }
    return {**place, "next_offset": next_offset, **new_counts()}


def move(
    judgement: int, standing: str, partition: int = 1, sample: UUID = SAMPLE
) -> dict[str, object]:
    """A row of `moves`."""
    known = {
        "sample_id": sample,
        "label_version": 0,
        "partition": partition,
        "judgement": judgement,
        "version": 0,
    }
    return {
        **known,
        "standing": standing,
        "reason": "new",
        "importance": 1.0,
        "margin": 0.0,
        "visits": 1,
    }


ROWS: dict[str, list[dict[str, object]]] = {
    "samples": [
        {
            "sample_id": UUID(int=number),
            "label_version": revision,
            "partition": partition,
            "offset": offset,
            "label": 1,
        }
        for number, offset, revision, partition in [
            (0, 0, 0, 1),
            (1, 1, 0, 1),
            (0, 2, 1, 1),
            (90, 0, 0, 0),
        ]
    ],
    "trusted": [
        {
            "sample_id": UUID(int=1),
            "part": "canary",
            "origin": "confirmed",
            "label": 0,
            "believed": 1,
        }
    ],
    "ledger": [
        *(ledger("events", 1, offset) for offset in (1_000, 2_000, 3_000, 3_456)),
        ledger("events", 0, 2_000),
        ledger("items", 1, 70),
    ],
    "responses": [
        visit(0, 0),
        visit(0, 1),
        visit(0, 2),
        visit(1, 1),
        visit(2, 1),
        visit(0, 0, partition=0),
    ],
    "judgements": [
        {"partition": partition, "judgement": judgement, "version": 0, "verdict": "given"}
        for partition, judgement in [(1, 300), (1, 500), (1, 600), (1, 900), (0, 300)]
    ],
    "moves": [
        move(300, "edge"),
        move(600, "core"),
        move(900, "noise"),
        move(300, "edge", 0, UUID(int=9)),
    ],
    "features": [
        {"sample_id": UUID(int=number), "partition": partition, "offset": offset, "values": [0.5]}
        for number, offset, partition in [(0, 0, 1), (1, 1, 1), (2, 2, 1), (90, 0, 0)]
    ],
    "hours": [
        {"partition": partition, "hour": hour, "first": hour}
        for partition, hour in [(1, 48), (1, 49), (1, 50), (0, 49)]
    ],
    "counts": [
        {"partition": partition, "hour": hour, "kind": "item", "key": "a", "shown": 1}
        for partition, hour in [(1, 48), (1, 49), (1, 50), (0, 49)]
    ],
    "rejected": [
        {"topic": topic, "partition": 1, "offset": offset, "reason": "broken"}
        for topic, offset in [("events", 2_499), ("events", 2_500), ("items", 69), ("items", 70)]
    ],
}


def of(store: Store, table: str, place: Then = BY) -> list[tuple[object, ...]]:
    """Return the rows of a table at a place, in order."""
    return sorted(BY_THEN[table].of(store, **place._asdict()))


def test_samples_and_labels_are_those_before_the_position(store: Store) -> None:
    """A later revision is left out, and a confirmed label comes with its part."""
    assert [(0, 0), (1, 0)] == [(one.offset, one.label_version) for one in of(store, "samples")]
    assert 3 == len(of(store, "samples", LATER))
    assert [("", -1), ("canary", 0)] == [(one.part, one.vouched) for one in of(store, "labels")]


def test_features_are_those_of_samples_before_the_position(store: Store) -> None:
    """Features of later samples and of other partitions are left out."""
    assert [(0, [0.5]), (1, [0.5])] == [(one.offset, one.values) for one in of(store, "features")]


def test_hours_and_counts_are_those_that_were_closed(store: Store) -> None:
    """An hour that was open at the place is left out, with its counts."""
    assert [48, 49] == sorted(one.hour for one in of(store, "hours"))
    assert [48, 49] == sorted(one.hour for one in of(store, "counts"))


def test_the_ledger_has_its_whole_blocks(store: Store) -> None:
    """Of events only whole blocks are read, since later rows replace others; items are whole."""
    expected = [("events", 1_000), ("events", 2_000), ("items", 70)]
    assert expected == [(one.topic, one.next_offset) for one in of(store, "ledger")]
    assert [("events", 3_000)] == sorted(
        {(one.topic, one.next_offset) for one in of(store, "ledger", LATER)} - set(expected)
    )


def test_responses_are_those_of_the_versions_until_then(store: Store) -> None:
    """A sample that a later version scored again has only its earlier responses."""
    assert [(0, 0), (0, 1), (1, 1)] == [
        (UUID(one.sample_id).int, one.version) for one in of(store, "responses")
    ]


def test_a_sample_stands_where_its_last_move_until_then_put_it(store: Store) -> None:
    """Later moves are left out, and so are judgements that only the end of a log caused."""
    assert [(600, "core")] == [(one.judgement, one.standing) for one in of(store, "standings")]
    assert [300, 600] == [one.judgement for one in of(store, "judgements")]
    assert [(900, "noise")] == [
        (one.judgement, one.standing) for one in of(store, "standings", LATER)
    ]


def test_what_was_refused_until_then(store: Store) -> None:
    """Refused events and items are cut by the offsets of their own topics."""
    assert [("events", 2_499), ("items", 69)] == [
        (one.topic, one.offset) for one in of(store, "rejected")
    ]


def test_the_newest_offset_tells_how_far_a_history_has_come(store: Store) -> None:
    """The newest offset of a partition counts rows within a block too."""
    assert [(0, 2_000), (1, 3_456)] == sorted(NEWEST_OFFSET.of(store))
