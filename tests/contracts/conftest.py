"""An empty history of each kind, for all tests in this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mainstem.store import Store


@pytest.fixture(params=["chdb", "clickhouse"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty history of each kind."""
    return (
        f"chdb://{tmp_path / 'history'}"
        if request.param == "chdb"
        else request.getfixturevalue("store_url")
    )


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open, empty history of each kind."""
    with Store(url) as opened:
        yield opened
