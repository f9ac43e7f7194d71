"""Training in 16 bits: what is lowered, what stays in float32, and where it is refused."""

from pathlib import Path

import pytest
import torch
from torch import nn

from mainstem.errors import SettingError
from mainstem.learning import Learner
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.learning.training.precision import Precision
from mainstem.settings import Settings
from tests.learning.scripted import HELD_OUT, SAMPLES, SETTINGS, weights
from tests.learning.stepping import settings
from tests.small_models import given_encoder, scratch_encoder


@pytest.mark.parametrize("make", [given_encoder, scratch_encoder])
def test_bfloat16_trains_on_a_cpu_nearly_the_same_weights(make: object) -> None:
    """The weights stay in float32, and differ from those of float32 by less than they moved."""
    parent = make()
    start = weights(parent.network)
    full, lower = (
        fine_tune(
            parent,
            SAMPLES,
            HELD_OUT,
            SETTINGS.but({"learning.train_precision": name, "learning.epochs": 1}),
            seed=1,
        )
        for name in ("float32", "bfloat16")
    )
    assert {torch.float32} == {one.dtype for one in lower.encoder.network.parameters()}
    one, other = weights(full.encoder.network), weights(lower.encoder.network)
    assert 0 < (one - other).norm() < 0.5 * (one - start).norm()


def test_only_forward_passes_compute_in_the_precision() -> None:
    """Products of matrices are lowered inside of the context, and not outside."""
    found = []
    layer, precision = nn.Linear(2, 2), Precision(settings(train_precision="bfloat16"))
    with precision.lowered():
        found.append(layer(torch.ones(1, 2)).dtype)
    found.append(layer(torch.ones(1, 2)).dtype)
    assert [torch.bfloat16, torch.float32] == found


def test_float16_is_refused_without_a_gpu(tmp_path: Path) -> None:
    """A learner refuses it before it begins, and says what to set."""
    with pytest.raises(SettingError, match=r"needs a GPU.*MAINSTEM_LEARNING__TRAIN_PRECISION"):
        Learner(tmp_path, tmp_path, settings(train_precision="float16"))


@pytest.mark.parametrize("size", [1.0, float("inf")])
def test_a_scaled_step_is_the_plain_step_and_one_that_overflows_is_left_out(size: float) -> None:
    """The scaler of float16, here on a CPU, changes no step; infinite gradients change nothing."""
    steps = []
    for scaler in (None, torch.amp.GradScaler("cpu")):
        layer = nn.Linear(1, 1, bias=False)
        nn.init.ones_(layer.weight)
        optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1, fused=True)
        precision = Precision(settings())
        precision._scaler = scaler
        precision.scaled(layer(torch.tensor([[3.0]])).sum() * size).backward()
        length = precision.step(optimizer, list(layer.parameters()), 1.0)
        steps.append((layer.weight.item(), length.item()))
    if size == 1:
        assert pytest.approx(steps[0]) == steps[1]
        assert 3.0 == pytest.approx(steps[1][1])
    else:
        assert (1.0, 0.0) == steps[1]


def test_float32_is_the_default() -> None:
    """Nothing is lowered unless a user asks for it."""
    assert "float32" == Settings().learning.train_precision
