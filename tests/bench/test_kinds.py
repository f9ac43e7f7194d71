"""The bench of kinds of a visit."""

import pytest

from mainstem.bench.kinds import kind_ratios
from mainstem.models import ActiveVersion
from mainstem.settings import Model, Settings
from tests.learning.samples import stored
from tests.small_models import one_thread, scratch_encoder, shake

__all__ = ["one_thread"]


def test_each_kind_is_measured_beside_full_visits() -> None:
    """A full visit is 1 of itself, and its norms are its own, without error."""
    encoder = scratch_encoder()
    shake(encoder.network)
    active = ActiveVersion(encoder, Settings(model=Model(max_tokens=24, device="cpu")), sketch=64)
    words = ("red cup", "white heart", "holder", "blue pot of tea", "set", "t-light holder of 6")
    samples = [
        stored(number, item_text=f"{words[number % 6]} {words[number % 5]}", label=number % 2)
        for number in range(40)
    ]
    found = kind_ratios(active, samples, rounds=2)
    assert ["full", "last", "forward"] == list(found)
    assert (1, 1) == (found["full"]["time"], found["full"]["spearman"])
    assert pytest.approx(0, abs=1e-6) == found["full"]["error"]
    assert all(one["lowest"] <= one["time"] <= one["highest"] for one in found.values())
