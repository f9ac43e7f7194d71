"""The figures of a round are those that the history keeps of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mainstem.bootstrap import open_store
from mainstem.learning.figures import figures_of
from mainstem.learning.keeping import keep_round
from mainstem.learning.rounds import Made, Position, Round
from mainstem.process.stopwatch import Cost
from mainstem.store import Store
from mainstem.store.costs import COSTS_OF_VERSIONS

DONE = Round(
    version=5,
    parent=4,
    position=Position({0: 70, 1: 30}, 1_000, 2_000),
    drawn=[],
    drawn_core=3,
    drawn_edge=2,
    cold=False,
    made=Made.failed("non-finite loss at step 2"),
    active=None,
    costs={"train": Cost(6, 60, 120.0, 1.5), "evaluate": Cost(2, 20, 6.4, 0.25)},
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"chdb://{tmp_path / 'history'}") as found:
        yield found


def test_figures_are_the_columns_of_the_history(store: Store) -> None:
    """Each figure stands in table `rounds` or `costs` under its name; what is null has none."""
    keep_round(DONE, store, None, 0)
    found = figures_of(DONE)
    named = {name for name in found if "/" not in name}
    columns = ", ".join(sorted(named))
    [row] = store.rows(f"SELECT {columns} FROM rounds WHERE version = 5")
    assert dict(zip(sorted(named), map(float, row), strict=True)) == {
        name: found[name] for name in named
    }
    assert {"steps", "epochs", "drawn_core", "promoted"} < named
    assert "auc_before" not in named
    kept = {
        f"costs/{cost.kind}/{name}": float(cost._asdict()[name])
        for cost in COSTS_OF_VERSIONS.of(store)
        for name in ("samples", "tokens", "forward_equivalents", "seconds")
    }
    assert {name: found[name] for name in kept} == kept
    assert 120.0 == found["costs/train/forward_equivalents"]
    assert 0.0 == found["costs/scale/seconds"]
