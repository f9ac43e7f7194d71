"""Standard input belongs to the script and to the shell; a history does not take it for rows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Run, excerpt_lines

LINES = "one\ntwo\nthree\n"
KEEPS = """
import sys, tempfile
from mainstem.store import Store

first = sys.stdin.readline() if sys.argv[1:] else ""
with Store(f"chdb://{tempfile.mkdtemp()}") as store:
    (migrations,) = store.rows("SELECT count() FROM migrations")
print(first + sys.stdin.read(), end="")
"""
REPLAYS = """
while read -r name; do
    "$0" -m mainstem.cli replay "$1" --home "$name" --no-learn --json || exit
done"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A short log."""
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"".join(excerpt_lines(200)))
    return path


@pytest.mark.parametrize("begun", [[], ["begun"]], ids=["untouched", "begun"])
@pytest.mark.parametrize("through", ["a pipe", "a file"])
def test_a_script_reads_its_input_after_it_opened_a_history(
    tmp_path: Path, through: str, begun: list[str]
) -> None:
    """No line is lost, whether the script has begun to read before it opens the history or not."""
    path = tmp_path / "lines.txt"
    path.write_text(LINES)
    command = [sys.executable, "-c", KEEPS, *begun]
    if through == "a pipe":
        done = subprocess.run(
            command, input=LINES, capture_output=True, text=True, timeout=300, check=False
        )
    else:
        with path.open() as file:
            done = subprocess.run(
                command, stdin=file, capture_output=True, text=True, timeout=300, check=False
            )
    assert (0, LINES, "") == (done.returncode, done.stdout, done.stderr)


def test_a_loop_of_the_shell_keeps_the_lines_that_it_reads(tmp_path: Path, log: Path) -> None:
    """`while read` around `mainstem` makes a home for each of its lines."""
    names = [str(tmp_path / name) for name in ("one", "two")]
    done = subprocess.run(
        ["sh", "-c", REPLAYS, sys.executable, str(log)],
        input="".join(f"{name}\n" for name in names),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert (0, 2) == (done.returncode, len(reports)), done.stderr
    assert len({report["hash"] for report in reports}) == 1


def test_a_pipe_can_be_the_log_itself(tmp_path: Path, log: Path, mainstem: Run) -> None:
    """`mainstem replay -` gives what a replay of the file gives."""
    command = ["-m", "mainstem.cli", "replay", "-", "--home", str(tmp_path / "a"), "--no-learn"]
    done = subprocess.run(
        [sys.executable, *command, "--json"],
        input=log.read_bytes(),
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    other = mainstem("replay", log, "--home", tmp_path / "b", "--no-learn", "--json")
    assert json.loads(done.stdout)["hash"] == json.loads(other.stdout)["hash"]
