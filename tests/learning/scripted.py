"""Training under scripted losses, for tests of fine-tuning."""

import numpy as np
import pytest
import torch
from torch import nn

from mainstem.learning.training import fine_tuning as training
from mainstem.learning.training.fine_tuning import Training, fine_tune
from mainstem.models import ActiveVersion
from mainstem.settings import Learning, Model, Settings
from tests.learning.samples import learnable
from tests.named import named
from tests.small_models import given_encoder

SETTINGS = Settings(
    learning=Learning(epochs=3, train_batch=8), model=Model(max_tokens=24, device="cpu")
)
SAMPLES, HELD_OUT = learnable(48), learnable(20, start=48)


class ScriptedEvaluations:
    """Replaces `loss_on`: returns the given losses and records the weights it sees."""

    def __init__(self, losses: list[float | None]) -> None:
        self.losses = losses
        self.shown: list[torch.Tensor] = []

    def __call__(
        self, active: ActiveVersion, _held_out: object
    ) -> tuple[float | None, np.ndarray | None]:
        self.shown.append(weights(active.encoder.network))
        loss = self.losses[len(self.shown) - 1]
        return loss, None if loss is None else np.full((1, 2), loss)


def weights(network: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten().clone() for parameter in network.parameters()])


def train(
    losses: list[float | None], monkeypatch: pytest.MonkeyPatch, **more: int
) -> tuple[Training, list[torch.Tensor]]:
    """Train under the given losses; return the training and the weights after each pass."""
    script = ScriptedEvaluations(losses)
    monkeypatch.setattr(training, "loss_on", script)
    settings = Settings.of(
        named(**({"epochs": len(losses), "train_batch": 8, "device": "cpu"} | more))
    )
    return fine_tune(given_encoder(), SAMPLES[:16], HELD_OUT, settings, seed=1), script.shown
