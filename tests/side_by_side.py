"""Divide the tests among workers, as `make test` does with `pytest -n auto`.

Plain `pytest` runs the tests one by one. A worker takes the tests of one file or group at a time,
those that take longest first, so that no worker is left alone with them at the end.
"""

import os
from typing import Any, Final

import pytest

from mainstem.process.threads import available_threads

MOST: Final = 4  # each worker holds up to 2 GB, with the servers that it starts
GROUPS: Final = {
    "tests/services/": "deployments",  # six programs and two servers at a time are enough
}
"""Tests under these paths are run by one worker, one after another."""
FIRST: Final = (
    "tests/loop/test_demo.py",
    "deployments",
)
"""Files and groups that take minutes, the longest first: see `python -m tests.times`."""


def group_of(nodeid: str) -> str:
    """Return the group of a test, or its file.

    Example:
        >>> group_of("tests/test_ids.py::test_one[a::b]")
        'tests/test_ids.py'
        >>> group_of("tests/services/test_found.py::test_two")
        'deployments'
    """
    file = nodeid.partition("::")[0]
    return next((group for start, group in GROUPS.items() if file.startswith(start)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Use as many workers as there are free cores, or plain pytest on one core."""
    workers = min(available_threads(), MOST)
    return workers if workers > 1 else 0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole files or groups in the order of the collection."""
    from xdist.scheduler.loadscope import LoadScopeScheduling  # not there where nothing is shared

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Give each worker one thread, unless the environment says how many."""
    if config.getoption("numprocesses", None):
        os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Move the tests that take longest to the front."""
    if hasattr(config, "workerinput"):
        ranks = {group: rank for rank, group in enumerate(FIRST)}
        items.sort(key=lambda item: ranks.get(group_of(item.nodeid), len(ranks)))
