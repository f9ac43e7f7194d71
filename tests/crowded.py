"""Measure how long a replay takes alone and beside others, by the way its threads wait.

    python -m tests.crowded --lines 1500 --rounds 3 --waits ,default,10000,3000,passive
    python -m tests.crowded --demo            the whole demo, alone and beside two busy processes
    python -m tests.crowded --demo --lines 3000    the first lines of its log, with its settings

It prints Markdown. Each case replays the first lines of the shipped excerpt. The time of one
thread alone is in seconds. All other times are ratios to it in the same round, with the cases in
turn. Processor time is the replay's own.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.conftest import SMALL, excerpt_lines

COMPANY = ("alone", "beside two busy processes", "three at once")
_BUSY = "import time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end: pass"


class Case(NamedTuple):
    """The number of threads and the way they wait.

    Attributes:
        threads: number of threads of the replay.
        wait: `default` of OpenMP, a count of spins, `passive`, or empty for mainstem's choice.
    """

    threads: int
    wait: str = ""

    def environment(self) -> dict[str, str]:
        """Return the variables of OpenMP that the case sets."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("OMP_", "GOMP_", "MAINSTEM_"))
        }
        waits = {
            "": {},
            "default": {"GOMP_SPINCOUNT": "300000"},
            "passive": {"OMP_WAIT_POLICY": "passive"},
        }
        return (
            kept
            | {"OMP_NUM_THREADS": str(self.threads)}
            | waits.get(self.wait, {"GOMP_SPINCOUNT": self.wait})
        )


class Took(NamedTuple):
    """Seconds of the clock and of the processor."""

    wall: float
    user: float


@contextmanager
def busy(count: int, seconds: float) -> Iterator[None]:
    """Keep some processes busy, each for at most `seconds`."""
    turning = [
        subprocess.Popen([sys.executable, "-c", _BUSY.format(seconds=seconds)])
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for process in turning:
            process.terminate()
            process.wait()


def replay(
    log: Path | None, case: Case, folder: Path, limit: float, settings: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start a replay of a log, or the demo if there is no log."""
    what = ["replay", str(log)] if log else ["demo"]
    command = [
        "timeout",
        str(limit),
        sys.executable,
        "-m",
        "mainstem.cli",
        *what,
        "--home",
        str(folder),
        "--json",
    ]
    environment = case.environment() | settings
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def measure(
    log: Path | None, case: Case, company: str, limit: float, settings: Mapping[str, str]
) -> Took | None:
    """Time one replay in its company, or average three that run side by side.

    Returns:
        The times, or None if a replay did not end in time.
    """
    with tempfile.TemporaryDirectory(prefix="mainstem-crowded-") as folder, ExitStack() as stack:
        if company == COMPANY[1]:
            stack.enter_context(busy(2, limit))
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        count = 3 if company == COMPANY[2] else 1
        running = [
            replay(log, case, Path(folder, str(number)), limit, settings) for number in range(count)
        ]
        codes = [process.wait() for process in running]
        wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        return Took(wall, (after.ru_utime - before.ru_utime) / count) if not any(codes) else None


def told(took: Sequence[Took | None], one: Sequence[Took | None]) -> str:
    """Return the median ratios of clock and processor time to those of one thread alone."""
    pairs = [(mine, alone) for mine, alone in zip(took, one, strict=True) if mine and alone]
    if not pairs or len(pairs) < len(took):
        return "did not end"
    wall, user = (median(mine[place] / alone[place] for mine, alone in pairs) for place in (0, 1))
    return f"{wall:.2f} ({user:.2f})"


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument(
        "--lines", type=int, help="lines of the excerpt; by default 1,500, or all with --demo"
    )
    asked.add_argument("--rounds", type=int, default=1)
    asked.add_argument(
        "--waits", default=",default,passive", help="ways in which the two threads wait"
    )
    asked.add_argument("--threads", type=int, default=2)
    asked.add_argument(
        "--limit", type=float, default=300, help="seconds after which a replay is stopped"
    )
    asked.add_argument(
        "--demo", action="store_true", help="use the demo's settings and only its own waiting"
    )
    given = asked.parse_args()
    cases = [Case(1), *(Case(given.threads, wait) for wait in given.waits.split(","))]
    companies: tuple[str, ...] = COMPANY
    if given.demo:
        cases, companies = [Case(given.threads)], COMPANY[:2]
    found: dict[tuple[Case, str], list[Took | None]] = {}
    with tempfile.TemporaryDirectory(prefix="mainstem-crowded-") as folder:
        log = None if given.demo and not given.lines else Path(folder, "log.jsonl")
        if log:
            log.write_bytes(b"".join(excerpt_lines(given.lines or 1500)))
        for number in range(given.rounds):
            for company in companies:
                for case in cases:
                    took = measure(log, case, company, given.limit, {} if given.demo else SMALL)
                    found.setdefault((case, company), []).append(took)
                    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0
                    print(
                        f"round {number + 1}, {company}, {case}: {took}; load {load:.1f}",
                        file=sys.stderr,
                    )
    alone = found[cases[0], COMPANY[0]]
    if not any(alone):
        sys.exit(
            "the first case did not end in time, so there is nothing to compare with; raise --limit"
        )
    seconds = median(one.wall for one in alone if one)
    print(
        f"{cases[0].threads} thread(s) alone: {seconds:.1f} s; "
        "other times are ratios to it, with processor time in brackets\n"
    )
    print(f"| threads | wait | {' | '.join(companies)} |\n|---|---|{'---|' * len(companies)}")
    for case in cases:
        row = [told(found[case, company], alone) for company in companies]
        print(f"| {case.threads} | {case.wait or 'ours'} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
