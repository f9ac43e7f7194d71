"""Choices of what to score again, held against scoring everything again."""

from pathlib import Path

import numpy as np
import pytest

from mainstem.bench.rescoring import CHOICES, Taken, compare_rescoring, taken_up
from mainstem.responses import Responses
from mainstem.scoring.answered import Answered
from mainstem.settings import Standing
from mainstem.store import Store
from tests.learning.samples import stored

VERSIONS = [Taken(0, 0), Taken(1, 60), Taken(2, 120)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A history of 180 samples, a third of them canaries; three versions scored all there were."""
    opened = Store(f"chdb://{tmp_path / 'history'}")
    random = np.random.default_rng(0)
    ability = random.exponential(size=180)
    for version, _ in VERSIONS:
        count = 60 * (version + 1)
        samples = [
            stored(n, part="stream" if n % 3 else "canary", offset=n, label=n % 2)
            for n in range(count)
        ]
        norm = (ability[:count] * random.lognormal(sigma=0.5, size=count)).astype(np.float32)
        none = np.zeros((count, 0), np.float32)
        found = Responses(norm, norm, random.normal(size=count).astype(np.float32), none, none)
        Answered.by(version, 1.0, samples, found).keep(opened)
    return opened


def test_a_budget_for_everything_agrees_with_everything(store: Store) -> None:
    """Every choice then makes all visits, and below that no choice makes more than its budget."""
    with store:
        found = compare_rescoring(store, VERSIONS, Standing(canary_minimum=5), [10, 1000])
    assert [*CHOICES, *CHOICES] == [row["choice"] for row in found]
    for row in found[len(CHOICES) :]:
        assert (1, 1, 1) == (row["importance"], row["standings"], row["core"])
        assert 40 + 80 == row["again"]
    for row in found[: len(CHOICES)]:
        assert 20 == row["again"]
        assert 0 < row["importance"] < 1


def test_versions_are_those_of_the_promoted_rounds(store: Store) -> None:
    """Version 0 is there from the start, and each other one from its round on."""
    with store:
        for version, position, promoted in [(1, 60, 1), (2, 120, 1), (3, 150, 0)]:
            kept = {"version": version, "offsets": [position], "promoted": promoted}
            store.write("rounds", {name: [value] for name, value in kept.items()})
        assert VERSIONS == taken_up(store)
