"""The draw of a round out of the history: when it chooses, what is new, which slices it keeps."""

from typing import Any

import numpy as np
import pytest

from mainstem.learning.draws import RowsPool, StoredPool
from mainstem.learning.draws.draw import Draw
from mainstem.learning.draws.next_draw import next_draw
from mainstem.scoring.schedule import NEVER
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.evaluations import KeptEvaluation, write_evaluations
from mainstem.store.rounds import KeptRound, write_round
from mainstem.store.writes import columns_of
from tests.learning.test_pool import COUNT, Both, both, id_of, store

__all__ = ["both", "store"]

SETTINGS = Settings.of(
    {
        "learning.draw_new": 1.0,
        "learning.draw_old": 0.5,
        "learning.core_minimum": 5,
        "learning.held_out": 0,
        "learning.slice_floor": 1,
        "learning.spent_again": 0.2,
    }
)
# the round that made version 2 had seen the samples before these offsets
KNOWN = 40


def made(store: Store, auc: float, popularity: float | None, logistic: float | None) -> None:
    """Write the round that made version 2, and what the gate measured beside counting."""
    numbers = dict.fromkeys(("auc_before", "auc_after", "log_loss_before", "log_loss_after"))
    kept = dict.fromkeys(KeptRound._fields, 0) | numbers
    kept |= {"version": 2, "parent": 1, "offsets": [KNOWN, KNOWN], "promoted": 1, "reason": ""}
    write_round(store, KeptRound(**(kept | {"judged_on": "gate"})))
    for name, its in (("gate", auc), ("gate/query=head", 0.9), ("held_out", 0.9)):
        measured = dict.fromkeys(KeptEvaluation._fields) | {"version": 2, "round": 2}
        measured |= {"slice": name, "samples": 300, "questions": 0, "auc": its}
        measured |= {"popularity": popularity, "logistic": logistic}
        write_evaluations(store, [KeptEvaluation(**measured)])


def described(store: Store) -> None:
    """Write the samples: every fifth is of a rare category, and the others of two more."""
    rows: list[dict[str, Any]] = [
        {
            "sample_id": id_of(number),
            "event_time": 1000 * number,
            "query": "" if number % 7 == 0 else f"query {number % 4}",
            "category": "rare" if number in {2, 9} else ("shoes", "lamps")[number % 2],
        }
        for number in range(COUNT)
    ]
    store.write("samples", columns_of(rows))


def drawn(store: Store, pool: Any, version: int = 3, settings: Settings = SETTINGS) -> Draw:
    return next_draw(
        store,
        pool,
        settings,
        version=version,
        parent=2,
        ends={0: COUNT, 1: COUNT},
        later_from=NEVER,
    )


@pytest.mark.parametrize(
    ("auc", "popularity", "logistic", "chooses"),
    [
        (0.8, 0.7, 0.75, True),
        (0.8, 0.7, None, True),
        (0.8, 0.7, 0.85, False),
        (0.8, 0.85, 0.7, False),
        (0.8, None, None, False),
    ],
)
def test_a_draw_chooses_once_its_version_beats_counting(
    both: Both,
    store: Store,
    auc: float,
    popularity: float | None,
    logistic: float | None,
    *,
    chooses: bool,
) -> None:
    """A draw takes shares if the current version ranks better than counting, and else all."""
    made(store, auc, popularity, logistic)
    described(store)
    pool = RowsPool(both.rows)
    found = drawn(store, pool)
    # 10 of 60 are noise; of the others 16 have an offset from 40 on, and 34 an earlier one
    is_new = (pool["offset"] >= KNOWN)[found.rows] & (pool["standing"][found.rows] != 2)
    is_old = (pool["offset"] < KNOWN)[found.rows] & (pool["standing"][found.rows] != 2)
    there = [int(((pool["standing"] != 2) & ages).sum()) for ages in _ages(pool)]
    assert (chooses, there[0], round(there[1] / 2) if chooses else there[1]) == (
        found.chooses,
        int(is_new.sum()),
        int(is_old.sum()),
    )


def _ages(pool: Any) -> tuple[Any, Any]:
    return pool["offset"] >= KNOWN, pool["offset"] < KNOWN


def test_the_first_version_takes_all_it_can_get(both: Both, store: Store) -> None:
    """Before the first round nothing is known of the current version, and a draw takes all."""
    found = drawn(store, RowsPool(both.rows))
    assert (False, 50) == (found.chooses, found.available)


def test_what_was_held_out_is_new(both: Both, store: Store) -> None:
    """Samples that the round of the current version held out are new to it."""
    made(store, 0.8, 0.7, 0.75)
    described(store)
    without = {"learning.held_out": 20, "learning.draw_old": 0.0}
    settings = SETTINGS.but(without | {"learning.slice_floor": 0, "learning.spent_again": 0.0})
    pool = RowsPool(both.rows)
    offsets = pool["offset"][drawn(store, pool, settings=settings).rows]
    # two partitions share the 20, at both rounds; each sixth sample is noise
    assert [one for one in range(30, 50) if one % 6] == sorted(offsets.tolist())


def test_a_choice_from_rows_and_from_the_history_is_the_same(both: Both, store: Store) -> None:
    """The deployed learner draws as the embedded one: the same samples, equally probable."""
    made(store, 0.8, 0.7, 0.75)
    described(store)
    found = []
    for pool in (RowsPool(both.rows), StoredPool(store)):
        one = drawn(store, pool)
        order = np.argsort([str(pool.id_of(row)) for row in one.rows])
        found.append(([pool.id_of(one.rows[at]) for at in order], one.probability[order]))
        assert one.chooses
        assert (one.probability < 1).any()
    assert found[0][0] == found[1][0]
    assert pytest.approx(found[0][1], rel=1e-9) == found[1][1]


def test_no_draw_lacks_the_rare_category(both: Both, store: Store) -> None:
    """Whatever the seed, a draw of a few holds a sample of every category."""
    made(store, 0.8, 0.7, 0.75)
    described(store)
    few = {"learning.draw": 20, "learning.slice_floor": 2, "learning.core_minimum": 1000}
    pool, rare, lacking = RowsPool(both.rows), {id_of(2), id_of(9)}, 0
    for version in range(3, 30):
        # 7 slices can have one of 18 each, so that all take half of the draw at most
        ids = {pool.id_of(row) for row in drawn(store, pool, version, SETTINGS.but(few)).rows}
        assert 1 == len(rare & ids)
        without = SETTINGS.but(few | {"learning.slice_floor": 0})
        ids = {pool.id_of(row) for row in drawn(store, pool, version, without).rows}
        lacking += not rare & ids
    assert lacking
