"""For all tests in this folder: one thread, and an empty place for versions."""

from pathlib import Path
from uuid import uuid4

import pytest

from mainstem.settings.urls import url_of
from tests.small_models import one_thread

__all__ = ["one_thread"]


@pytest.fixture(params=["file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place of each kind."""
    return {"file": url_of("file", tmp_path / "versions"), "memory": f"memory://{uuid4()}"}[
        request.param
    ]
