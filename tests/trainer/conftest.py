"""Fixtures for the tests of the trainer: one thread, a fresh history and versions to score with."""

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
    """Open, empty history that can kill its program."""
    with KillingStore(f"chdb://{tmp_path / 'history'}") as opened:
        yield opened


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    """Three versions with different answers; version 0 has no direction."""
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
