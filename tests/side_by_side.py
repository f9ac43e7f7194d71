"""A pytest plugin that divides the tests among workers when pytest runs with `-n`.

`make test` runs `pytest -n auto`; plain `pytest` runs the tests one after the other. A worker takes
all tests of one file, or of one group of files, at a time. The longest files come first, so that no
worker is left alone with one of them at the end.
"""

import os
from typing import Any, Final

import pytest

from mainstem.process.threads import available_threads

MOST: Final = 4  # a worker needs up to 2 GB of memory, with the servers that it starts
GROUPS: Final = {
    "tests/services/": "deployments",  # two deployments at once would need 8 GB of memory
}
"""One worker runs all tests whose path begins with the same key."""
FIRST: Final = (
    "tests/loop/test_demo.py",
    "deployments",
)
"""Files and groups that take minutes, the longest first. `python -m tests.times` measures them."""


def group_of(nodeid: str) -> str:
    """The group of a test, or its file if it belongs to no group.

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
    """One worker for each available core; none on a single core, where plain pytest is faster."""
    workers = min(available_threads(), MOST)
    return workers if workers > 1 else 0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A scheduler that hands out whole files or groups, in the order of collection."""
    # plain pytest must work without xdist
    from xdist.scheduler.loadscope import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Let each worker compute with one thread, unless the environment sets a number."""
    if config.getoption("numprocesses", None):
        os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Move the longest files to the front if several workers share the tests."""
    if hasattr(config, "workerinput"):
        ranks = {group: rank for rank, group in enumerate(FIRST)}
        items.sort(key=lambda item: ranks.get(group_of(item.nodeid), len(ranks)))
