"""Which spent samples are looked at again: about a share of them, others by each version."""

from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from mainstem.importance import Rows
from mainstem.scoring.looking import looked_at_again
from mainstem.scoring.rescoring import due_again
from mainstem.settings import Settings
from mainstem.standing import CORE, NOISE, REASONS
from mainstem.store import Store
from tests.importance.visiting import fact, visit


def made(order: list[int]) -> Rows:
    """Make 4,000 rows: a half is spent, a quarter contradictory, a quarter in core."""
    rows = Rows()
    visit(rows, 1, *((number, fact(), 1.0, 1.0) for number in order))
    number = np.array([rows.id_of(row).int for row in range(len(rows))]) % 4
    rows["standing"][:] = np.where(number < 3, NOISE, CORE)
    names = ("spent", "spent", "contradictory", "important")
    rows["reason"][:] = np.array([REASONS.index(one) for one in names])[number]
    return rows


def test_about_a_share_of_the_spent_samples_is_looked_at() -> None:
    """Each version looks at about a tenth of the spent samples, and at no other ones."""
    rows, seen = made(list(range(4000))), list[set[UUID]]()
    for version in range(1, 11):
        seen.append(set(looked_at_again(rows, 0.1, 0, version)))
        assert abs(len(seen[-1]) - 200) < 5 * np.sqrt(2000 * 0.1 * 0.9)
        assert all(one.int % 4 < 2 for one in seen[-1])
    # 2,000 * .9 ** 10 are never looked at
    assert abs(2000 - len(set.union(*seen)) - 697) < 5 * np.sqrt(697)
    assert set(looked_at_again(rows, 0.1, 1, 1)) != seen[0]
    assert (0, 2000) == tuple(len(looked_at_again(rows, share, 0, 1)) for share in (0, 1))


def test_the_order_of_rows_does_not_matter() -> None:
    """The same samples in another order are looked at again by the same version."""
    one, other = made(list(range(400))), made(list(range(399, -1, -1)))
    assert set(looked_at_again(one, 0.2, 0, 3)) == set(looked_at_again(other, 0.2, 0, 3))


def test_a_new_version_scores_spent_samples_again(tmp_path: Path) -> None:
    """Beside the newest samples, a version scores old spent ones again, once each."""
    rows = made(list(range(40)))
    columns: dict[str, Any] = {
        "sample_id": [UUID(int=number) for number in range(40)],
        "label_version": [0] * 40,
        "partition": [0] * 40,
        "offset": list(range(40)),
        "event_time": [0] * 40,
    }
    spent = {UUID(int=number) for number in range(40) if number % 4 < 2}
    newest = {UUID(int=number) for number in range(36, 40)}
    settings = Settings.of(
        {"responses.rescore_budget": 4, "responses.rescore": "newest", "join.partitions": 1}
    )
    with Store(f"chdb://{tmp_path / 'history'}") as store:
        store.write("samples", columns)
        for share, expected in ((1.0, spent | newest), (0.0, newest)):
            some = settings.but({"learning.spent_again": share})
            due = due_again(store, some, {0: rows}, {0: Rows()}, 2, {0: 40})
            assert sorted(expected) == [one.sample_id for one in due]
        assert [] == due_again(store, some, {0: rows}, {0: Rows()}, 1, {0: 40})
