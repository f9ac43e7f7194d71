"""Fixtures for tests of the stream programs: an empty history and a broker with empty topics."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mainstem.kafka import Broker
from mainstem.store import Store
from mainstem.streams.topics import make_topics
from tests.streams.replayed import SETTINGS


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Empty history."""
    with Store(f"chdb://{tmp_path}/history") as opened:
        yield opened


@pytest.fixture
def broker(events_url: str) -> Broker:
    """Broker whose topics are empty and belong to one test."""
    made = Broker.parse(events_url)
    make_topics(made, SETTINGS.join)
    return made
