"""Kill a replay again and again with `kill -9`, and compare its results with an undisturbed one.

python -m tests.chaos --kills 10      replays the whole excerpt, once for every few kills
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

SAME = ("hash", "counts_hash", "set_hash", "ledger", "sets", "rounds", "versions")


def command(log: Path, home: Path) -> list[str]:
    """Return the command that a user would type for the replay."""
    return [sys.executable, "-m", "mainstem.cli", "replay", str(log), "--home", str(home), "--json"]


def replay(log: Path, home: Path, settings: Mapping[str, str]) -> dict[str, Any]:
    """Replay to the end and return the report."""
    done = subprocess.run(
        command(log, home),
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def results_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what every replay of a log repeats, in contrast to what it measured of itself."""
    rounds = [{**one, "available": None} for one in report["rounds"]]
    return {**{name: report[name] for name in SAME}, "rounds": rounds}


def killed_after(
    seconds: float, log: Path, home: Path, settings: Mapping[str, str], *, line: int = 0
) -> bool:
    """Start a replay and kill it some time after its checkpoint reached `line`.

    Returns:
        False if the replay had ended before the kill.
    """
    process = subprocess.Popen(
        command(log, home),
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while checkpoint_line(home) < line and process.poll() is None:
        time.sleep(0.01)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def checkpoint_line(home: Path) -> int:
    """Return the line of a killed replay's checkpoint."""
    import msgspec

    from mainstem.embedded.checkpoint import Checkpoint

    path = home / "checkpoint"
    return msgspec.msgpack.decode(path.read_bytes(), type=Checkpoint).line if path.exists() else 0


def main() -> None:
    """Run the replays and print each kill and each comparison."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=10)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    chance = random.Random(given.seed)
    with (
        tempfile.TemporaryDirectory() as folder,
        resources.as_file(resources.files("mainstem.data") / "online-retail.jsonl.gz") as log,
    ):
        begun = time.monotonic()
        whole = replay(log, Path(folder, "whole"), {})
        taken = time.monotonic() - begun
        print(
            f"uninterrupted: {taken:.0f} s, hash {whole['hash']}, set_hash {whole['set_hash']}",
            flush=True,
        )
        wrong: set[str] = set()
        kills = replays = 0
        while kills < given.kills:  # a replay that ends is compared, and the next one begins
            replays += 1
            home = Path(folder, f"killed-{replays}")
            while kills < given.kills and killed_after(
                seconds := chance.uniform(3, taken / 3), log, home, {}
            ):
                kills += 1
                print(
                    f"kill {kills}: after {seconds:.1f} s, "
                    f"checkpoint at line {checkpoint_line(home):,}",
                    flush=True,
                )
            end = replay(log, home, {})
            same, now = results_of(whole), results_of(end)
            other = [name for name in SAME if now[name] != same[name]]
            wrong.update(other)
            print(
                f"replay {replays} ended {'the same' if not other else f'OTHER: {other}'}",
                flush=True,
            )
            for name in other:
                print(f"  {name}: {end[name]}\n  instead of {whole[name]}", flush=True)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
