"""Responses against torch.func: vmap over grad, a third way to per-sample gradients."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from mainstem.responses import Probe, gradient_of, length_of
from tests.responses.truth import assert_agree, directions_of, flat, stacked
from tests.small_models import shake


class Small(nn.Module):
    """Words, a norm, two linear layers with tokens between them, and a convolution over tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.norm = nn.Embedding(9, 6, padding_idx=0), nn.LayerNorm(6)
        self.wide, self.over, self.narrow = nn.Linear(6, 12), nn.Conv1d(12, 5, 2), nn.Linear(5, 3)

    def forward(self, ids: Tensor) -> Tensor:
        wide = F.gelu(self.wide(self.norm(self.words(ids))))  # (B, T, 12)
        return self.narrow(self.over(wide.transpose(1, 2)).amax(2))


@pytest.fixture
def model() -> Small:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Small()
    shake(model)
    return model


IDS = torch.randint(0, 9, (6, 5), generator=torch.Generator().manual_seed(2))
LABELS = torch.arange(6) % 3


def by_vmap(model: nn.Module) -> list[dict[str, Tensor]]:
    """Compute each sample's gradient with vmap."""
    weights = {name: one.detach().double() for name, one in model.named_parameters()}

    def loss(of: dict[str, Tensor], ids: Tensor, label: Tensor) -> Tensor:
        return F.cross_entropy(functional_call(model, of, (ids.unsqueeze(0),)), label.unsqueeze(0))

    formed = vmap(grad(loss), in_dims=(None, 0, 0))(weights, IDS, LABELS)
    return [{name: one[place] for name, one in formed.items()} for place in range(len(IDS))]


def test_norms_and_dots_are_those_of_torch_func(model: Small) -> None:
    """A model of mixed layers, one of them without a formula, has torch.func's norms and dots."""
    directions = directions_of(model)
    found = Probe(model, directions=directions, per_sample=["over"]).responses(
        lambda: model(IDS), LABELS
    )
    assert_agree(found, by_vmap(model), directions)


def test_the_mean_gradient_is_that_of_torch_func(model: Small) -> None:
    """`gradient_of` is the mean over samples, however they are batched."""
    mean = stacked(by_vmap(model)).mean(0)
    batches = [
        (lambda part=part: model(IDS[part]), LABELS[part]) for part in (slice(0, 4), slice(4, 6))
    ]
    found = gradient_of(model, batches)
    assert pytest.approx(mean.tolist(), rel=1e-5, abs=1e-6) == flat(found).tolist()
    assert pytest.approx(float(mean.norm()), rel=1e-5) == length_of(found)
    assert all(one.grad is None for one in model.parameters())
    assert {} == gradient_of(model, [])
