"""Crashes are part of the input: `kill -9` at random moments changes nothing."""

import json
import random
from pathlib import Path

from tests.chaos import SAME, killed_after, replay
from tests.conftest import SMALL


def test_a_replay_killed_three_times_ends_as_if_uninterrupted(small_log: Path, small_home: Path, tmp_path: Path) -> None:
    """Killed at three random moments and resumed, a replay ends with the same hash, sets, rounds and versions."""
    whole = json.loads((small_home.parent / "report.json").read_text())
    chance, home = random.Random(), tmp_path / "killed"
    moments = [(0, chance.uniform(2, 5)), (500, chance.uniform(0, 2)), (1000, chance.uniform(0, 1))]
    killed = [killed_after(seconds, small_log, home, SMALL, line=line) for line, seconds in moments]
    assert [True, True, True] == killed
    end = replay(small_log, home, SMALL)
    assert {name: whole[name] for name in SAME} == {name: end[name] for name in SAME}
