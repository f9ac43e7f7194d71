"""The pool of a round, read from the history, equals the pool of rows in memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from mainstem.ids import uuid_of
from mainstem.importance import STREAM, Rows
from mainstem.learning.draws import RowsPool, StoredPool, draw
from mainstem.learning.draws import pool as pool_module
from mainstem.settings import Learning, Settings
from mainstem.standing import REASONS, STANDINGS
from mainstem.store import Store
from mainstem.store.writes import columns_of
from tests.importance.visiting import visits

NAMES = (
    *("key_high", "key_low", "label_version", "partition", "offset", "event_time"),
    *("standing", "reason"),
)
FIGURES = ("importance", "recent_importance")
COUNT = 60
REASON = {"core": "important", "noise": "spent"}


@pytest.fixture(params=["chdb", "clickhouse"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An open, empty history of each kind."""
    url = (
        f"chdb://{tmp_path / 'history'}"
        if request.param == "chdb"
        else request.getfixturevalue("store_url")
    )
    with Store(url) as opened:
        yield opened


class Both:
    """Responses in rows of two partitions and in the history, as a scoring worker writes them."""

    def __init__(self, store: Store) -> None:
        self.rows = [Rows(), Rows()]
        self._store = store
        self._random = np.random.default_rng(5)

    def visit(self, version: int, *samples: tuple[int, int, int, int]) -> None:
        """Score samples, given as (number, label_version, label, offset)."""
        written: list[dict[str, Any]] = []
        for number, label_version, label, offset in samples:
            norm, scale = (
                self._random.gamma(2.0, 1.0, 1).astype(np.float32),
                np.float32(1.3 + version / 7),
            )
            fact = {
                "label_version": label_version,
                "partition": number % 2,
                "offset": offset,
                "event_time": 1000 * number,
            }
            row = fact | {
                "sample_id": id_of(number),
                "version": version,
                "label": label,
                "part": "stream",
            }
            row |= {"norm": norm[0], "scale": scale, "loss": 0.5, "margin": 0.0}
            written.append(row)
            numbers = {"norm": norm, "margin": [0.0], "loss": [0.5]}
            facts = [fact | {"label": label, "part": STREAM}]
            made = visits(
                version=version, scale=float(scale), ids=[id_of(number)], facts=facts, **numbers
            )
            self.rows[number % 2].visit(made)
        self._store.write("responses", columns_of(written))

    def stand(self, numbers: range, standing: str, judgement: int) -> None:
        """Judge samples."""
        written: list[dict[str, Any]] = []
        for number in numbers:
            columns = self.rows[number % 2]
            columns["standing"][columns.row_of(id_of(number))] = STANDINGS.index(standing)
            columns["reason"][columns.row_of(id_of(number))] = REASONS.index(REASON[standing])
            row = {
                "sample_id": id_of(number),
                "label_version": 0,
                "partition": number % 2,
                "judgement": judgement,
            }
            row |= {
                "version": 0,
                "standing": standing,
                "reason": REASON[standing],
                "p_value": None,
                "evidence": None,
            }
            written.append(row | {"importance": 0.0, "margin": 0.0, "visits": 1})
        self._store.write("standings", columns_of(written))

    def check(self) -> None:
        """Compare both pools, in the order of ids."""
        mine, stored = in_order(RowsPool(self.rows)), in_order(StoredPool(self._store))
        for name in NAMES:
            assert mine[name].tolist() == stored[name].tolist(), name
        for name in FIGURES:
            assert pytest.approx(mine[name], rel=1e-9) == stored[name], name
            assert {np.dtype(np.float64)} == {mine[name].dtype, stored[name].dtype}


def id_of(number: int) -> UUID:
    return uuid_of("sample", number)


def in_order(pool: Any) -> dict[str, Any]:
    """Return the columns in the order of ids."""
    order = np.lexsort((pool["key_low"], pool["key_high"]))
    return {name: pool[name][order] for name in (*NAMES, *FIGURES)}


@pytest.fixture
def both(store: Store) -> Both:
    """Samples with up to three visits, some of them judged once or twice."""
    made = Both(store)
    for version in range(3):
        made.visit(
            version, *((number, 0, 1, number) for number in range(COUNT) if number % 3 >= version)
        )
    made.stand(range(0, COUNT, 2), "core", 10)
    made.stand(range(0, COUNT, 6), "noise", 20)
    return made


def test_a_pool_out_of_the_history_is_that_of_the_columns(both: Both) -> None:
    """Both pools agree on all columns, and a sample that was never judged is in edge."""
    both.check()
    stands = [STANDINGS[one] for one in in_order(RowsPool(both.rows))["standing"]]
    assert {"core": 20, "noise": 10, "edge": 30} == {name: stands.count(name) for name in STANDINGS}


def test_the_same_answer_again_keeps_importance(both: Both) -> None:
    """A revision to the same answer moves version and offset, and earlier visits still count."""
    both.visit(2, *((number, 1, 1, COUNT + number) for number in range(10)))
    both.visit(3, *((number, 1, 1, COUNT + number) for number in range(5)))
    both.check()


def test_another_answer_begins_importance_again(both: Both) -> None:
    """After a revision to another answer only the visits since then count."""
    both.visit(2, *((number, 1, 0, COUNT + number) for number in range(10)))
    both.visit(3, *((number, 1, 0, COUNT + number) for number in range(5)))
    both.check()


def test_an_answer_that_comes_back_begins_again_too(both: Both) -> None:
    """After yes, no and yes again, the visits to the first yes do not count."""
    both.visit(2, *((number, 1, 0, COUNT + number) for number in range(10)))
    both.visit(2, *((number, 2, 1, 2 * COUNT + number) for number in range(10)))
    both.visit(3, *((number, 3, 1, 3 * COUNT + number) for number in range(5)))
    both.check()


@pytest.mark.usefixtures("both")
def test_a_response_written_twice_counts_once(store: Store) -> None:
    """A batch that is written again after a crash changes nothing."""
    before = in_order(StoredPool(store))
    store.execute("INSERT INTO responses SELECT * FROM responses")
    after = in_order(StoredPool(store))
    for name in (*NAMES, *FIGURES):
        assert before[name].tolist() == after[name].tolist(), name


def test_ids_are_given_back(both: Both, store: Store) -> None:
    """Either pool returns the id of the sample of a row."""
    for pool in (StoredPool(store), RowsPool(both.rows)):
        assert {id_of(number) for number in range(COUNT)} == {
            pool.id_of(row) for row in range(COUNT)
        }
    with pytest.raises(IndexError):
        RowsPool(both.rows).id_of(COUNT)


def test_a_pool_that_is_read_in_pieces_is_the_same(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool that is read in several chunks is the same."""
    monkeypatch.setattr(pool_module, "_CHUNK", 7)
    both.check()


def test_an_empty_history_is_an_empty_pool(store: Store) -> None:
    """A history without responses gives an empty pool."""
    pool = StoredPool(store)
    assert {0} == {len(pool[name]) for name in (*NAMES, *FIGURES)}


@pytest.mark.parametrize("core_minimum", [5, 1000])
def test_a_rounds_draw_from_both_is_the_same(both: Both, store: Store, core_minimum: int) -> None:
    """Both pools give the same draw and probabilities, at cold start and by importance."""
    settings = Settings(
        learning=Learning(draw=20, core_minimum=core_minimum, uniform_share=0.5, edge_floor=0.3)
    )
    drawn: list[tuple[Any, ...]] = []
    for pool in (RowsPool(both.rows), StoredPool(store)):
        found = draw(pool, pool["offset"] < 50, settings.learning, np.random.default_rng(7))
        drawn.append(
            (
                [pool.id_of(row) for row in found.rows],
                pytest.approx(found.probability, rel=1e-9),
                found.cold,
            )
        )
    assert drawn[0][0] == drawn[1][0]
    assert drawn[0][1] == drawn[1][1].expected
    assert (20, core_minimum == 1000) == (len(drawn[0][0]), drawn[0][2])
