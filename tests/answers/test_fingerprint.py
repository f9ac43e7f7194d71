"""The hash of a deployment.

It equals the hash in the report and ignores all that may differ between faithful replays.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mainstem.answers.fingerprint import deployed_hash
from mainstem.join import LedgerRow
from mainstem.join.ledger import new_counts
from mainstem.store import Store
from mainstem.store.ledgers import newest_ledger
from mainstem.store.writes import ledger_columns, sample_columns
from tests.trainer.fakes import sample


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An open history with three samples, one of them revised, and the ledger of two partitions."""
    with Store(f"chdb://{tmp_path / 'history'}") as opened:
        write_samples(opened)
        opened.write(
            "ledger",
            ledger_columns([row(0, 0, 900, question=600, tick=300), row(1, 0, 400, question=400)]),
        )
        yield opened


def write_samples(store: Store, *, moved: int = 0, **more: int) -> None:
    placed = [(sample(number), 0, number + moved) for number in range(3)]
    store.write(
        "samples",
        sample_columns(
            [*placed, (sample(1, label_version=1, **({"label": 0} | more)), 0, 3 + moved)]
        ),
    )


def row(
    partition: int, block: int, next_offset: int, *, first_offset: int = 0, **counts: int
) -> LedgerRow:
    """A row of the ledger of `events`."""
    return LedgerRow(
        topic="events",
        partition=partition,
        block=block,
        first_offset=first_offset,
        next_offset=next_offset,
        counts=new_counts() | counts,
    )


def test_it_is_the_hash_of_the_report(small_home: Path, tmp_path: Path) -> None:
    """The history that a replay leaves has the hash that the replay reports."""
    # subtle: chDB makes relative links
    shutil.copytree(small_home, tmp_path / "home", symlinks=True)
    reported = json.loads((small_home.parent / "report.json").read_text().splitlines()[-1])
    with Store(f"chdb://{tmp_path / 'home' / 'history'}") as store:
        assert reported["hash"] == deployed_hash(store)


@pytest.mark.parametrize(
    "later",
    [
        row(0, 1, 1500, question=600, tick=900),
        row(0, 1, 1500, question=600, tick=300, control=600),
        row(0, 1, 1500, first_offset=600, question=600, tick=300),
    ],
    ids=["ticks", "control", "offsets"],
)
def test_ticks_markers_and_offsets_do_not_change_it(store: Store, later: LedgerRow) -> None:
    """Ticks, control markers and offsets say how a log arrived, so they do not change the hash."""
    before = deployed_hash(store)
    store.write("ledger", ledger_columns([later]))
    assert later == newest_ledger(store)[0]
    assert before == deployed_hash(store)


def test_where_samples_stand_does_not_change_it(store: Store) -> None:
    """The same samples, written again at other offsets, give the same hash."""
    before = deployed_hash(store)
    write_samples(store, moved=100)
    assert [(8,)] == store.rows("SELECT count() FROM samples")
    assert before == deployed_hash(store)


def test_another_label_changes_it(store: Store) -> None:
    """One different label changes the hash, whether it is the newest or not."""
    before = deployed_hash(store)
    write_samples(store, label=1)
    changed = deployed_hash(store)
    assert before != changed
    store.write("samples", sample_columns([(sample(2, label=1), 0, 2)]))
    assert changed != deployed_hash(store)


@pytest.mark.parametrize("name", ["question", "late", "rejected", "joined", "open", "unknown_item"])
def test_another_count_changes_it(store: Store, name: str) -> None:
    """An event that is counted under another name changes the hash."""
    before = deployed_hash(store)
    store.write("ledger", ledger_columns([row(0, 1, 1500, **({"question": 600} | {name: 601}))]))
    assert before != deployed_hash(store)


@pytest.mark.parametrize("backwards", [False, True])
def test_the_newest_row_wins(tmp_path: Path, backwards: bool) -> None:
    """The ledger row with the furthest offset of a partition counts, whatever was written last."""
    rows = [
        row(0, 0, 700, question=700),
        row(0, 0, 1000, question=1000),
        row(0, 1, 1200, question=1200),
        row(1, 0, 5, late=5),
    ]
    with Store(f"chdb://{tmp_path / 'history'}") as store:
        for one in rows[::-1] if backwards else rows:
            store.write("ledger", ledger_columns([one]))
        assert rows[2:] == newest_ledger(store)
        found: Any = deployed_hash(store)
        store.write("ledger", ledger_columns(rows[:2]))
        assert found == deployed_hash(store)
