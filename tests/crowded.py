"""How long a replay takes alone and in company, by how its threads wait: `python -m tests.crowded`; prints Markdown.

    python -m tests.crowded --lines 1500 --rounds 3 --waits ,default,10000,3000,passive
    python -m tests.crowded --demo            the whole demo, alone and beside two busy processes
    python -m tests.crowded --demo --lines 3000    the first lines of its log, with its settings

A case is the same replay of the first lines of the shipped excerpt. Its time alone is told in seconds; all others are
ratios to the time of one thread alone, in the same round, the cases taken in turn. `user` is its own processor time.
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
    """How many threads, and how they wait: `default` of OpenMP, a count of spins, or `passive`; ours where it is empty."""

    threads: int
    wait: str = ""

    def environment(self) -> dict[str, str]:
        """What is set for it; nothing else of OpenMP is."""
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
    """Seconds by the clock, and of processors."""

    wall: float
    user: float


@contextmanager
def busy(count: int, seconds: float) -> Iterator[None]:
    """So many processes that do nothing but turn, for as long at most."""
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
    """A replay of a log, or the demo, that has begun."""
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
    """One replay in its company; of three, the mean of their times. None where it did not end in time."""
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
    """Median ratio of the clock's times to those of one thread alone, and of processor time."""
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
        "--lines", type=int, help="of the shipped excerpt; 1,500, or all of the demo's, by default"
    )
    asked.add_argument("--rounds", type=int, default=1)
    asked.add_argument(
        "--waits", default=",default,passive", help="beside one thread, two threads that wait so"
    )
    asked.add_argument("--threads", type=int, default=2)
    asked.add_argument(
        "--limit", type=float, default=300, help="seconds after which a replay is given up"
    )
    asked.add_argument(
        "--demo", action="store_true", help="with the demo's settings, and our own waiting only"
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
        f"{cases[0].threads} thread(s) alone: {seconds:.1f} s; others by that, processor time in brackets\n"
    )
    print(f"| threads | wait | {' | '.join(companies)} |\n|---|---|{'---|' * len(companies)}")
    for case in cases:
        row = [told(found[case, company], alone) for company in companies]
        print(f"| {case.threads} | {case.wait or 'ours'} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
