"""One gradient of a training step on all samples at once, for tests of the options."""

import copy

import numpy as np
import torch
from torch import nn

from mainstem.join import examples_of
from mainstem.learning.training.batch_loss import BatchLoss
from mainstem.learning.training.gradient import StepGradient
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.settings import Settings
from tests.learning.samples import learnable

SAMPLES = [one._replace(weight=0.5 + one.offset % 3) for one in learnable(6)]
PLACES = np.arange(len(SAMPLES))


def settings(**learning: object) -> Settings:
    """Return settings of training, on the CPU."""
    named = {f"learning.{name}": value for name, value in learning.items()}
    return Settings.of({"model.device": "cpu", "model.max_tokens": 24, **named})


def still(encoder: CrossEncoder) -> CrossEncoder:
    """Return an encoder without dropout."""
    for part in encoder.network.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    return encoder


def gradient_of(encoder: CrossEncoder, **learning: object) -> tuple[float, dict[str, torch.Tensor]]:
    """Return the loss of one batch of all samples, and the gradient by parameter name."""
    child = CrossEncoder(copy.deepcopy(encoder.network).train(), encoder.tokenizer)
    given = settings(**learning)
    read = ActiveVersion(child, given).read(examples_of(SAMPLES))
    loss_of = BatchLoss(read, given.objectives, smoothing=given.learning.label_smoothing)
    torch.manual_seed(0)
    loss = StepGradient(child.network, given)(read, PLACES, loss_of)
    named = child.network.named_parameters()
    return loss.item(), {name: one.grad for name, one in named if one.grad is not None}
