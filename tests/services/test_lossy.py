"""The door directly reads what Faust loses, so nothing is missing with it and much without it."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import excerpt_lines
from tests.services.lossy import deploy, embedded
from tests.small_models import save_bert

DROP = 0.3
SPEED = "12000x"  # many small fetches

Expected = tuple[str, set[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 5,000 events of shoppers, with the items first."""
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    path.write_bytes(b"".join(excerpt_lines(5000 + 1836)))
    return path


@pytest.fixture(scope="module")
def expected(log: Path, tmp_path_factory: pytest.TempPathFactory) -> Expected:
    """Return hash and samples of the embedded loop."""
    model = save_bert(
        tmp_path_factory.mktemp("model") / "bert", num_hidden_layers=1, hidden_size=32
    )
    return embedded(
        log, tmp_path_factory.mktemp("homes") / "home", MAINSTEM_MODEL__MODEL=str(model)
    )


def test_with_the_door_nothing_is_lost(
    events_url: str, store_url: str, tmp_path: Path, log: Path, expected: Expected
) -> None:
    """With the door, a deployment that loses fetches balances and has the embedded hash."""
    expected_hash, samples = expected
    found = deploy(
        events_url, store_url, tmp_path / "stack", log, samples, drop=DROP, door=True, speed=SPEED
    )
    assert found.fetches > 10
    assert found.in_balance
    assert (0, 0, 0) == (found.lost, found.other, found.doubled)
    assert expected_hash == found.hash


def test_without_the_door_much_is_lost(
    events_url: str, store_url: str, tmp_path: Path, log: Path, expected: Expected
) -> None:
    """Without the door the same losses leave samples missing, which the audit reports."""
    expected_hash, samples = expected
    found = deploy(
        events_url, store_url, tmp_path / "stack", log, samples, drop=DROP, door=False, speed=SPEED
    )
    assert found.fetches > 10
    assert found.lost > len(samples) / 20
    assert not found.in_balance
    assert expected_hash != found.hash
