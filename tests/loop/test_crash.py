"""A replay that is killed with `kill -9` at random moments ends with unchanged results."""

import json
import random
from pathlib import Path

from mainstem.embedded.home import HomeFolder
from mainstem.store import Store
from tests.chaos import killed_after, replay, results_of
from tests.conftest import SMALL


def visits(folder: Path) -> list[tuple[int, int]]:
    """Return how many rows some tables of a home have, each with an exact hash.

    What passes cost is among them, without the seconds that they took.
    """
    key = "sample_id, label_version, version"
    tables = {
        "responses_now": f"{key}, norm, loss, margin, alignment",
        "sketches_now": f"{key}, scale, sketch",
        "features FINAL": "sample_id, names, values",
        "costs_now": "version, kind, samples, tokens, forward_equivalents",
    }
    with HomeFolder(folder, create=False) as home, Store(home.store_url) as store:
        return [
            row
            for table, values in tables.items()
            for row in store.rows(
                f"SELECT count(), sum(cityHash64(toString(tuple({values})))) FROM {table}"
            )
        ]


def test_a_replay_killed_three_times_ends_as_if_uninterrupted(
    small_log: Path, small_home: Path, tmp_path: Path
) -> None:
    """A replay that is killed at three random moments and resumed ends with identical results."""
    whole = json.loads((small_home.parent / "report.json").read_text())
    chance, home = random.Random(), tmp_path / "killed"
    moments = [(0, chance.uniform(2, 5)), (500, chance.uniform(0, 2)), (1000, chance.uniform(0, 1))]
    killed = [killed_after(seconds, small_log, home, SMALL, line=line) for line, seconds in moments]
    assert [True, True, True] == killed
    end = replay(small_log, home, SMALL)
    assert results_of(whole) == results_of(end)
    assert visits(small_home) == visits(home)
