"""A pytest plugin that prints the time that each test file takes, the slowest first.

`python -m tests.times [ARGUMENTS OF PYTEST]` runs pytest with it, and `make test` does so too.

seconds   wall-clock time of the fixtures and tests of a file; longer if other workers run beside it
set-up    the part of it spent in fixtures, such as servers, models and replays
CPU       CPU time of the tests, and of the processes that they started and waited for
"""

import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.forked import Forks

SHOWN: Final = 25


@dataclass
class Times:
    """Times of one file, in seconds.

    Attributes:
        tests: number of tests that ran.
        seconds, setting_up, computing: as in the columns of the table.
    """

    tests: int = 0
    seconds: float = 0.0
    setting_up: float = 0.0
    computing: float = 0.0


class Clock:
    """Measures the CPU time of this process and of the processes that it waited for."""

    def __init__(self) -> None:
        self._before = self._now()

    def read(self) -> float:
        """CPU seconds since the last reading."""
        before, self._before = self._before, self._now()
        return self._before - before

    def _now(self) -> float:
        return sum(os.times()[:4]) + sum(one.computed for one in Forks.open)


_CLOCK: Final = Clock()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:  # noqa: ARG001 - the hook's name
    """Add the CPU seconds of a step to its report."""
    report = yield
    report.computing = _CLOCK.read()
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table at the end of a run."""
    reports = [
        one for some in terminalreporter.stats.values() for one in some if hasattr(one, "when")
    ]
    for line in table(by_file(reports)):
        terminalreporter.write_line(line)


def by_file(reports: list[Any]) -> dict[str, Times]:
    """The times of each file."""
    files: defaultdict[str, Times] = defaultdict(Times)
    for report in reports:
        file = files[report.nodeid.partition("::")[0]]
        file.tests += report.when == "call"
        file.seconds += report.duration
        file.setting_up += report.duration if report.when == "setup" else 0
        file.computing += getattr(report, "computing", 0)
    return files


def table(files: dict[str, Times]) -> list[str]:
    """A Markdown table: the slowest files, then all others together, then the sum.

    Example:
        >>> print(*table({"tests/test_a.py": Times(2, 3.0, 1.0, 2.5)}), sep="\\n")
        | seconds | set-up | CPU | tests | file |
        |---:|---:|---:|---:|---|
        | 3 | 1 | 2 | 2 | tests/test_a.py |
        | 3 | 1 | 2 | 2 | all 1 files |
    """
    slowest = sorted(files, key=lambda name: -files[name].seconds)
    rest = [files[name] for name in slowest[SHOWN:]]
    lines = ["| seconds | set-up | CPU | tests | file |", "|---:|---:|---:|---:|---|"]
    lines += [_line(files[name], name) for name in slowest[:SHOWN]]
    if rest:
        lines.append(_line(_sum(rest), f"{len(rest)} other files"))
    return [*lines, _line(_sum(list(files.values())), f"all {len(files)} files")]


def _sum(some: list[Times]) -> Times:
    return Times(
        sum(one.tests for one in some),
        sum(one.seconds for one in some),
        sum(one.setting_up for one in some),
        sum(one.computing for one in some),
    )


def _line(times: Times, name: str) -> str:
    return (
        f"| {times.seconds:.0f} | {times.setting_up:.0f} | {times.computing:.0f} "
        f"| {times.tests} | {name} |"
    )


if __name__ == "__main__":
    sys.exit(pytest.main(["-p", "tests.times", *sys.argv[1:]]))
