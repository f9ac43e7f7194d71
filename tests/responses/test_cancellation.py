"""Where gradients of tokens cancel, rounding gives neither a wrong norm nor a negative square."""

import math

import pytest
import torch
from torch import Tensor, nn

from mainstem.responses import Probe
from mainstem.responses.gram import RoundingCheck, gram
from mainstem.responses.lookup import Lookup
from mainstem.responses.outer import Outer, is_gram_cheaper


def nearly_cancelling(
    left_over: float, samples: int = 8, tokens: int = 8, width: int = 64
) -> tuple[Tensor, Tensor]:
    """Make tokens that read the same and whose gradients add up to a small share of each."""
    generator = torch.Generator().manual_seed(7)
    left = torch.randn(samples, tokens, width, generator=generator)
    left -= left.mean(1, keepdim=True)
    left[:, 0] += left_over * torch.randn(samples, width, generator=generator)
    return left, torch.ones(samples, tokens, width)


@pytest.mark.parametrize("left_over", [1e-2, 1e-3, 1e-4])
def test_tokens_that_cancel_are_taken_directly(left_over: float) -> None:
    """The norm is right to 1e-4 or float32's limit, where the Gram route alone is far off."""
    left, right = nearly_cancelling(left_over)
    assert is_gram_cheaper(8, 64, 64)
    true = torch.einsum("btp,btd->bpd", left.double(), right.double()).flatten(1).norm(dim=1)
    found = Outer(left, right).squared(RoundingCheck()).sqrt().double()
    assert ((found - true) / true).abs().max() < max(1e-4, 6e-8 / left_over * 8)
    if left_over < 1e-3:
        alone = (gram(left) * gram(right)).sum((1, 2)).clamp_min(0).sqrt().double()
        assert ((alone - true) / true).abs().max() > 0.05


def test_what_cancels_beside_much_more_is_left_as_it_is() -> None:
    """Where other layers' squares are far larger than rounding, nothing is computed again."""
    left, right = nearly_cancelling(1e-3)

    def refuse(which: Tensor) -> Tensor:
        msg = f"formed {len(which)}"
        raise AssertionError(msg)

    products = gram(left) * gram(right)
    kept = RoundingCheck(torch.full((8,), 1e9)).checked(products.sum((1, 2)), products, refuse)
    assert kept.tolist() == products.sum((1, 2)).tolist()
    with pytest.raises(AssertionError, match="formed 8"):
        RoundingCheck().checked(products.sum((1, 2)), products, refuse)


@pytest.mark.parametrize("kind", ["outer", "lookup"])
def test_tokens_that_cancel_never_leave_less_than_nothing(kind: str) -> None:
    """Where gradients of tokens cancel, rounding makes no negative square and so no NaN."""
    left, right = nearly_cancelling(0, samples=500)
    lookup = Lookup(torch.zeros(500, 8, dtype=torch.int64), left)
    found = (Outer(left, right) if kind == "outer" else lookup).squared(RoundingCheck())
    assert found.min() >= 0
    # of 8 x 8 sums of 64 products
    assert pytest.approx(0, abs=0.1) == found.max().item()


def test_joined_embeddings_that_cancel_are_formed_one_by_one() -> None:
    """Where gradients cancel except for padding, the rows of each are formed without padding."""
    cancelling, _ = nearly_cancelling(1e-4)
    values = torch.cat([cancelling, torch.ones(8, 2, 64)], 1)
    ids = torch.zeros(8, 10, dtype=torch.int64)
    ids[:, -2:] = 3
    joined = Lookup(ids, values, padding=3).join(Lookup(ids + 1, values, padding=4))
    true = 2 * cancelling.double().sum(1).square().sum(1)
    assert pytest.approx(true.tolist(), rel=1e-2) == joined.squared(RoundingCheck()).tolist()
    gram_alone = 2 * gram(cancelling).sum((1, 2))
    assert (gram_alone / true - 1).abs().max() > 0.1


class Difference(nn.Module):
    """The difference of two texts read by one layer, most of whose gradient cancels."""

    def __init__(self) -> None:
        super().__init__()
        self.read = nn.Linear(16, 2, bias=False)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        return (self.read(one) - self.read(other)).sum(1)


@pytest.mark.parametrize("apart", [0.0, 1e-3], ids=["equal", "nearly equal"])
def test_passes_through_one_layer_that_cancel(apart: float) -> None:
    """Where two passes through a layer cancel, the norm is finite and right to float32's limit."""
    model, generator = Difference(), torch.Generator().manual_seed(0)
    with torch.no_grad():
        model.read.weight.copy_(torch.randn(2, 16, generator=generator))
    one, labels = torch.randn(64, 7, 16, generator=generator), torch.arange(64) % 2
    other = one + apart * torch.randn(64, 7, 16, generator=generator)
    found = Probe(model).responses(lambda: model(one, other), labels).norm.double()
    logits = (one - other).double().sum(1) @ model.read.weight.double().T
    pull = logits.softmax(1) - nn.functional.one_hot(labels, 2)
    # by hand: an outer product of the two
    true = pull.norm(dim=1) * (one - other).double().sum(1).norm(dim=1)
    assert not found.isnan().any()
    # of what cancels: seven tokens of sixteen numbers, read twice
    size = math.sqrt(7 * 16) * 7
    assert (found - true).abs().max() < 1e-5 * size
