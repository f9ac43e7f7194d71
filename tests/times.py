"""Where the tests' time goes, by file: `python -m tests.times [ARGUMENTS OF PYTEST]`, or `pytest -p tests.times`.

seconds   from the start of a file's first fixture to the end of its last test, added up; beside other workers too
set-up    of these, in fixtures: servers, models and replays that tests share
CPU       seconds that the file's own process computed, and the processes that it started and waited for
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
    """What one file took."""

    tests: int = 0
    seconds: float = 0.0
    setting_up: float = 0.0
    computing: float = 0.0


class Clock:
    """CPU seconds of this process and of the children that it waited for, since it was read last."""

    def __init__(self) -> None:
        self._before = sum(os.times()[:4])

    def read(self) -> float:
        """The seconds since the last reading."""
        before, self._before = self._before, sum(os.times()[:4])
        return self._before - before


_CLOCK: Final = Clock()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:  # noqa: ARG001 - the hook's name
    """A report carries the CPU seconds of its step."""
    report = yield
    report.computing = _CLOCK.read()
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table, at the end of a run."""
    reports = [
        one for some in terminalreporter.stats.values() for one in some if hasattr(one, "when")
    ]
    for line in table(by_file(reports)):
        terminalreporter.write_line(line)


def by_file(reports: list[Any]) -> dict[str, Times]:
    """What each file took."""
    files: defaultdict[str, Times] = defaultdict(Times)
    for report in reports:
        file = files[report.nodeid.partition("::")[0]]
        file.tests += report.when == "call"
        file.seconds += report.duration
        file.setting_up += report.duration if report.when == "setup" else 0
        file.computing += getattr(report, "computing", 0)
    return files


def table(files: dict[str, Times]) -> list[str]:
    """The slowest files, worst first, then the rest and the sum; each as a line of a Markdown table.

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
