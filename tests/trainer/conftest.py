"""One thread for all tests in this folder, a fresh history for each, and versions to score with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mainstem.models import ActiveVersion
from mainstem.versions import Versions
from tests.small_models import given_encoder, one_thread, shake
from tests.trainer.fakes import LONG, KillingStore
from tests.trainer.scorers import SETTINGS

__all__ = ["one_thread"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[KillingStore]:
    """An open, empty history that can be killed."""
    with KillingStore(f"chdb://{tmp_path / 'history'}") as opened:
        yield opened


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    """Three versions that say different things; the first has no direction."""
    made = Versions(f"file://{tmp_path_factory.mktemp('versions')}")
    for version in range(3):
        encoder = given_encoder(seed=version)
        shake(encoder.network, version)
        parent = version - 1 if version else None
        direction = (
            ActiveVersion(encoder, SETTINGS).gradient([(LONG, "red"), (LONG, "white cups")], [0, 1])
            if version
            else None
        )
        known = {
            "event_time": 0,
            "reason": "",
            "scale": 1.5 + version,
            "generation": 1,
            "direction": direction,
        }
        made.save(encoder, version=version, parent=parent, **known)
    return made
