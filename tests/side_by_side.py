"""How the tests are divided among workers: `pytest -n auto`, which `make test` says; plain `pytest` runs them one by one.

A worker takes the tests of one file, or of one group, at a time. What takes longest comes first, so that no worker
is left alone with it at the end.
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
    """The group of a test, or its file.

    Example:
        >>> group_of("tests/test_ids.py::test_one[a::b]"), group_of("tests/services/test_found.py::test_two")
        ('tests/test_ids.py', 'deployments')
    """
    file = nodeid.partition("::")[0]
    return next((group for start, group in GROUPS.items() if file.startswith(start)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """As many workers as there are cores to use; on one core none, which is plain pytest."""
    workers = min(available_threads(), MOST)
    return workers if workers > 1 else 0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole files or groups, in the order of the collection."""
    from xdist.scheduler.loadscope import LoadScopeScheduling  # not there where nothing is shared

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Workers inherit the environment: one thread each, unless it says how many."""
    if config.getoption("numprocesses", None):
        os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Bring what takes longest to the front, where workers share the tests."""
    if hasattr(config, "workerinput"):
        ranks = {group: rank for rank, group in enumerate(FIRST)}
        items.sort(key=lambda item: ranks.get(group_of(item.nodeid), len(ranks)))
