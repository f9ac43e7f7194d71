"""One thread and an empty place for versions, for all tests in this folder."""

from pathlib import Path
from uuid import uuid4

import pytest

from mainstem.settings.urls import url_of
from tests.small_models import one_thread

__all__ = ["one_thread"]


@pytest.fixture(params=["file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty place of each kind."""
    return {"file": url_of("file", tmp_path / "versions"), "memory": f"memory://{uuid4()}"}[
        request.param
    ]
