"""Writing in place: into a layer's output it is allowed, into a layer's input it is an error."""

import pytest
import torch
from torch import Tensor, nn

from mainstem.objectives.losses import cross_entropy
from mainstem.responses import Probe
from tests.responses.truth import assert_agree, directions_of, gradients

ROWS = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 1, 0])


def small(between: nn.Module) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 5), between, nn.Linear(5, 2))


class Overwritten(nn.Module):
    """Writes into the input of its first or its second layer."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.first, self.second, self.place = nn.Linear(3, 5), nn.Linear(5, 2), place

    def forward(self, rows: Tensor) -> Tensor:
        rows = rows * 1
        middle = self.first(rows) * 2
        answer = self.second(middle)
        (rows, middle)[self.place].add_(1.0)
        return answer


@pytest.mark.parametrize("method", ["responses", "training_step"])
@pytest.mark.parametrize("place", [0, 1], ids=["first", "second"])
def test_writing_into_what_a_layer_read_is_an_error(place: int, method: str) -> None:
    """Autograd refuses it, since the norm would be computed from the wrong numbers."""
    model = Overwritten(place)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        getattr(Probe(model), method)(lambda: model(ROWS), LABELS)


@pytest.mark.parametrize("method", ["responses", "training_step"])
@pytest.mark.parametrize(
    "between", [nn.ReLU(inplace=True), nn.Dropout(0.0, inplace=True)], ids=["activation", "dropout"]
)
def test_writing_into_what_a_layer_gave_is_allowed(between: nn.Module, method: str) -> None:
    """An activation in place changes no gradient."""
    model = small(between)
    true = gradients(
        model,
        lambda exact: (
            cross_entropy(exact(row.double()[None]), label[None])[0]
            for row, label in zip(ROWS, LABELS, strict=True)
        ),
    )
    directions = directions_of(model)
    found = getattr(Probe(model, directions=directions), method)(lambda: model(ROWS), LABELS)
    assert_agree(found, true, directions)
