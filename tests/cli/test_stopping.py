"""Ctrl-C and SIGTERM stop a replay cleanly, and the same command goes on."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from tests.chaos import command, replay, results_of
from tests.conftest import SMALL

MARKED = """
    import sys
    from pathlib import Path
    from mainstem.cli.main import main
    from mainstem.learning import learner
    sign, fine_tune = Path(sys.argv.pop(1)), learner.fine_tune

    def fine_tune_and_tell(*given):
        sign.touch()
        return fine_tune(*given)

    learner.fine_tune = fine_tune_and_tell
    main()
"""
"""A mainstem that touches a file when a round begins to train."""


def test_ctrl_c_is_one_line_and_nothing_is_lost(
    small_log: Path, small_home: Path, tmp_path: Path
) -> None:
    """An interrupted replay has exit code 130, and goes on with the same results."""
    home = tmp_path / "home"
    # a shell starts background jobs with SIGINT ignored, and children inherit that
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        command(small_log, home),
        env={**os.environ, **SMALL},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
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


def test_a_round_that_is_cut_off_is_begun_again(
    small_log: Path, small_home: Path, tmp_path: Path
) -> None:
    """A replay stopped while it trains ends within ten seconds, and repeats the round later."""
    home, sign = tmp_path / "home", tmp_path / "trains"
    code = textwrap.dedent(MARKED)
    marked = [sys.executable, "-c", code, str(sign), *command(small_log, home)[3:]]
    for number, status in ((signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)):
        sign.unlink(missing_ok=True)
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen(
            marked,
            env={**os.environ, **SMALL},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        signal.signal(signal.SIGINT, before)
        while not sign.exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(number)
        try:
            assert status == process.wait(10)
        finally:
            process.kill()
        assert ["000000"] == sorted(path.name for path in (home / "versions").glob("[0-9]*"))
    whole = json.loads((small_home.parent / "report.json").read_text())
    again = replay(small_log, home, SMALL)
    assert results_of(whole) == results_of(again)
