"""Measure the tests by file: `python -m tests.times [ARGUMENTS OF PYTEST]`.

`pytest -p tests.times` does the same.

seconds   durations of a file's fixtures and tests, added up; longer beside other workers
set-up    the part of these in fixtures: servers, models and replays that tests share
CPU       CPU seconds of the file's own process and of processes that it started and waited for
"""

import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

SHOWN: Final = 25


@dataclass
class Times:
    """Measurements of one file."""

    tests: int = 0
    seconds: float = 0.0
    setting_up: float = 0.0
    computing: float = 0.0


class Clock:
    """CPU seconds of this process and of awaited child processes since the last reading."""

    def __init__(self) -> None:
        self._before = sum(os.times()[:4])

    def read(self) -> float:
        """Return the seconds since the last reading."""
        before, self._before = self._before, sum(os.times()[:4])
        return self._before - before


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
    """Return the measurements of each file."""
    files: defaultdict[str, Times] = defaultdict(Times)
    for report in reports:
        file = files[report.nodeid.partition("::")[0]]
        file.tests += report.when == "call"
        file.seconds += report.duration
        file.setting_up += report.duration if report.when == "setup" else 0
        file.computing += getattr(report, "computing", 0)
    return files


def table(files: dict[str, Times]) -> list[str]:
    """Return the lines of a Markdown table: the slowest files, then the rest and the sum.

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
