"""What a round knows before it trains: the errors among confirmed gate samples of a real replay."""

from pathlib import Path

import numpy as np

from mainstem.bench.cost.material import material_of
from mainstem.bench.cost.policies import Policy
from mainstem.bench.cost.replay import Replay
from mainstem.join import examples_of
from mainstem.learning import Position
from mainstem.learning.before import before_training
from mainstem.learning.hard_errors import HardErrors
from mainstem.scoring.schedule import NEVER
from mainstem.settings import Settings
from tests.bench.tiny_shop import STREAM, history, home


def test_errors_are_those_of_the_confirmed_gate_samples(tmp_path: Path) -> None:
    """The labels of the log are held against the confirmed ones, unless weights always count."""
    material = material_of(STREAM, 3, Settings(), history)
    policy = Policy(family="all", epochs=1)
    settings = material.settings.but(policy.all_settings)
    with home(tmp_path) as (store, versions):
        replay = Replay(material, policy, settings, store, versions)
        position = Position({0: len(material.placed)}, 0, NEVER)
        found = before_training(replay.active, [], position, store, settings)
        always = settings.but({"learning.weigh": "always"})
        assert before_training(replay.active, [], position, store, always).errors is None
    gate = [one for one in material.placed if one.part == "gate"]
    logits = replay.active.logits(examples_of(gate)).astype(np.float64)
    labels = np.array([(one.label, one.given) for one in gate], np.int64)
    assert found.errors is not None
    assert HardErrors.of(logits, *labels.T) == found.errors
    assert found.errors.wrong > 0
