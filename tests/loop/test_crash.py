"""Crashes are part of the input: `kill -9` at random moments changes nothing."""

import json
import random
from pathlib import Path

from tests.chaos import SAME, checkpoint_line, killed_after, replay
from tests.conftest import SMALL


def test_a_replay_killed_three_times_ends_as_if_uninterrupted(small_log: Path, small_home: Path, tmp_path: Path) -> None:
    """Killed at three random moments and resumed, a replay ends with the same hash, sets, rounds and versions."""
    whole = json.loads((small_home.parent / "report.json").read_text())
    chance, home, lines = random.Random(), tmp_path / "killed", [0]
    while len(lines) <= 3:  # a kill counts once the process is at work, and while it is not done
        if killed_after(chance.uniform(5, 15), small_log, home, SMALL):
            lines.append(checkpoint_line(home))
        else:
            break
    end = replay(small_log, home, SMALL)
    assert lines == sorted(lines), "a checkpoint went backwards"
    assert {name: whole[name] for name in SAME} == {name: end[name] for name in SAME}
