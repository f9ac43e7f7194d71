"""Which samples of a history need not have a response of the first version."""

from pathlib import Path
from uuid import UUID

from mainstem.store import Store
from mainstem.store.compared import met_later
from mainstem.store.turns import AGAIN, TAKE_OVER, TAKE_UP, Turn, write_turns


def test_only_samples_that_came_under_a_later_version_may_lack_the_first(tmp_path: Path) -> None:
    """A sample that came before a partition took up a later version has met the first one."""
    ids = [UUID(int=number) for number in range(6)]
    with Store(f"chdb://{tmp_path / 'history'}") as store:
        positions = {
            "partition": [0, 0, 0, 0, 1, 1],
            "position": [0, 1, 2, 3, 0, 1],
            "sample_id": ids,
            "label_version": [0, 0, 0, 1, 0, 0],
            "event_time": [0] * 6,
            "offset": [0] * 6,
        }
        store.write("positions", positions)
        assert set() == met_later(store)
        turns = [
            Turn(0, 0, 0, 0, TAKE_OVER, []),
            Turn(0, 1, 2, 1, TAKE_UP, ids[:1]),
            Turn(0, 2, 3, 1, AGAIN, ids[1:2]),
        ]
        write_turns(
            store, [*turns, Turn(1, 0, 0, 0, TAKE_OVER, []), Turn(1, 1, 1, 2, TAKE_OVER, [])]
        )
        assert {(ids[2], 0), (ids[3], 1), (ids[5], 0)} == met_later(store)
