"""What the probe refuses: all that would make a norm wrong without a sign of it."""

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from mainstem.errors import ModelError
from mainstem.responses import Probe
from tests.models import given_encoder
from tests.responses.truth import batch_of, encoded_of, labels_of


class Tied(nn.Module):
    """Words in and words out by one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(9, 4)
        self.answer = nn.Linear(4, 9, bias=False)
        self.answer.weight = self.words.weight


class Twice(nn.Module):
    """One layer that is passed twice."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, rows: Tensor) -> Tensor:
        return self.layer(self.layer(rows))


def bias_only() -> nn.Module:
    model = nn.Sequential(nn.Linear(2, 2))
    model[0].weight.requires_grad_(False)
    return model


REFUSED = {
    "a convolution": (nn.Sequential(nn.Conv1d(1, 1, 1)), r"0\.weight belongs to a Conv1d, which has no formula"),
    "a bare parameter": (nn.ParameterList([torch.ones(1)]), r"0 belongs to a ParameterList"),
    "tied weights": (Tied(), r"answer\.weight is tied to words\.weight"),
    "nothing trained": (nn.Linear(2, 2).requires_grad_(False), "no trained parameter"),
    "nothing at all": (nn.ReLU(), "no trained parameter"),
    "half a layer": (bias_only(), r"0\.weight is frozen but not the rest of its Linear"),
    "norm over a table": (nn.Sequential(nn.LayerNorm((3, 2))), r"0\.weight belongs to a LayerNorm over 2 dimensions"),
}


@pytest.mark.parametrize(("model", "message"), REFUSED.values(), ids=REFUSED)
def test_a_model_without_a_formula_is_refused_by_name(model: nn.Module, message: str) -> None:
    """A trained parameter that the formulas do not cover exactly once is named before anything is computed."""
    with pytest.raises(ModelError, match=message):
        Probe(model)


def test_a_frozen_layer_needs_no_formula() -> None:
    """A layer that is not trained has no gradient to leave out."""
    model = nn.Sequential(nn.Conv1d(1, 1, 1).requires_grad_(False), nn.Flatten(), nn.Linear(3, 2))
    found = Probe(model).responses(lambda: model(torch.ones(2, 1, 3)), torch.tensor([0, 1]))
    assert (2,) == found.norm.shape


def test_an_empty_batch_is_refused() -> None:
    """No samples make no batch."""
    model = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="a batch needs at least one sample; got none"):
        Probe(model).responses(lambda: model(torch.ones(0, 2)), torch.zeros(0, dtype=torch.int64))


def test_positions_that_the_samples_share_are_refused() -> None:
    """Position ids of shape (1, T) mix the samples' gradients beyond repair, so the layer that read them is named."""
    network = given_encoder().network
    batch = batch_of(encoded_of([4, 7], network.config.vocab_size))
    shared = dataclasses.replace(batch, positions=batch.positions[:1])
    with pytest.raises(ValueError, match="Embedding saw 1 rows where the batch differs; give every input B rows"):
        Probe(network).responses(lambda: network(shared), labels_of(2))


def test_a_layer_passed_twice_is_refused() -> None:
    """The two passes' gradients add up before the norm is taken, which no formula here does, so the layer is named."""
    model = Twice()
    with pytest.raises(ModelError, match="Linear was passed twice"):
        Probe(model).responses(lambda: model(torch.ones(2, 2)), torch.tensor([0, 1]))
