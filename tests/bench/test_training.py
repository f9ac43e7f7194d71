"""The bench of fine-tuning measures two ways of the same epoch, and changes no model."""

from collections.abc import Callable

import pytest
import torch

from mainstem.bench.training import train_ratio
from mainstem.models import CrossEncoder
from mainstem.settings import Learning, Model, Settings
from tests.learning.samples import learnable
from tests.small_models import given_encoder, one_thread, scratch_encoder

__all__ = ["one_thread"]

SETTINGS = Settings(learning=Learning(train_batch=8), model=Model(max_tokens=24, device="cpu"))


@pytest.mark.parametrize("make", [scratch_encoder, given_encoder])
def test_fine_tuning_is_measured_beside_a_plain_loop(make: Callable[..., CrossEncoder]) -> None:
    """Both take the same samples, with features and positions, and the model stays as it is."""
    encoder = make(features=("a", "b"), examined=(1,))
    before = [one.detach().clone() for one in encoder.network.parameters()]
    samples = [
        one._replace(features=(0.5, -1.0), position=1 + place % 9)
        for place, one in enumerate(learnable(20))
    ]
    found = train_ratio(encoder, samples, SETTINGS, times=1)
    assert pytest.approx(found["plain_seconds"] / found["seconds"]) == found["ratio"]
    assert (20, True) == (found["samples"], found["seconds"] > 0)
    assert all(map(torch.equal, before, encoder.network.parameters()))
