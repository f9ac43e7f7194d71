"""One thread for all tests in this folder, and a fresh history for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models import one_thread
from tests.trainer.fakes import KillingStore

__all__ = ["one_thread"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[KillingStore]:
    """An open, empty history that can be killed."""
    with KillingStore(f"chdb://{tmp_path / 'history'}") as opened:
        yield opened
