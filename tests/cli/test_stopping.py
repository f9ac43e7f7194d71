"""Ctrl-C stops a replay cleanly, and the same command goes on."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from tests.chaos import command, replay
from tests.conftest import SMALL


def test_ctrl_c_is_one_line_and_nothing_is_lost(small_log: Path, small_home: Path, tmp_path: Path) -> None:
    """Interrupted in the middle, a replay says so with exit code 130, and resumed it ends as if it had not been."""
    home = tmp_path / "home"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored, for ever
    process = subprocess.Popen(
        command(small_log, home), env={**os.environ, **SMALL}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    signal.signal(signal.SIGINT, before)
    while not (home / "checkpoint").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert 130 == process.returncode
    assert "goes on from the last checkpoint" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    whole = json.loads((small_home.parent / "report.json").read_text())
    again = replay(small_log, home, SMALL)
    assert (whole["hash"], whole["set_hash"]) == (again["hash"], again["set_hash"])
