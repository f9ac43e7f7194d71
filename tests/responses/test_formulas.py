"""Each formula against autograd, in float64, where rounding is no excuse."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mainstem.responses.formulas import (
    embedding_squared_norm,
    gram,
    is_gram_cheaper,
    layer_norm_squared_norm,
    linear_squared_norm,
)

SIZES = st.integers(1, 6)
SEEDS = st.integers(0, 2**31)
CLOSE = {"rel": 1e-9, "abs": 1e-12}


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_autograd(layer: nn.Module, a: Tensor, b: Tensor) -> list[float]:
    """Squared norm of each sample's gradient of sum(b x output), which has b as its gradient at the output."""
    found = []
    for one_a, one_b in zip(a, b, strict=True):
        gradients = torch.autograd.grad((layer(one_a) * one_b).sum(), layer.parameters())
        found.append(sum(float(gradient.square().sum()) for gradient in gradients))
    return found


@settings(deadline=None, max_examples=50)
@given(SIZES, st.integers(0, 9), SIZES, SIZES, st.booleans(), SEEDS)
def test_linear(samples: int, tokens: int, wide: int, narrow: int, bias: bool, seed: int) -> None:  # noqa: FBT001
    """A linear layer, with or without bias, on rows (0 tokens here) or on few or many tokens."""
    layer = nn.Linear(wide, narrow, bias=bias, dtype=torch.float64)
    middle = (tokens,) if tokens else ()
    a, b = drawn(seed, samples, *middle, wide), drawn(seed + 1, samples, *middle, narrow)
    assert pytest.approx(by_autograd(layer, a, b), **CLOSE) == linear_squared_norm(layer, a, b).tolist()


@settings(deadline=None, max_examples=50)
@given(SIZES, st.lists(SIZES, max_size=2), SIZES, st.booleans(), SEEDS)
def test_layer_norm(samples: int, between: list[int], wide: int, bias: bool, seed: int) -> None:  # noqa: FBT001
    """A layer norm, with or without shift, on (B, D), (B, T, D) and (B, ..., D), whatever its scale is."""
    layer = nn.LayerNorm(wide, bias=bias, dtype=torch.float64)
    nn.init.normal_(layer.weight)
    a, b = drawn(seed, samples, *between, wide), drawn(seed + 1, samples, *between, wide)
    assert pytest.approx(by_autograd(layer, a, b), **CLOSE) == layer_norm_squared_norm(layer, a, b).tolist()


@settings(deadline=None, max_examples=50)
@given(SIZES, SIZES, SIZES, st.none() | st.integers(0, 3), SEEDS)
def test_embedding(samples: int, tokens: int, wide: int, padding: int | None, seed: int) -> None:
    """An embedding whose words repeat, with or without a padding row, which has no gradient."""
    layer = nn.Embedding(4, wide, padding_idx=padding, dtype=torch.float64)
    ids = torch.randint(0, 4, (samples, tokens), generator=torch.Generator().manual_seed(seed))
    b = drawn(seed + 1, samples, tokens, wide)
    assert pytest.approx(by_autograd(layer, ids, b), **CLOSE) == embedding_squared_norm(layer, ids, b).tolist()


@settings(deadline=None, max_examples=20)
@given(SIZES, SIZES, SEEDS)
def test_a_gram_that_is_there_is_used(samples: int, tokens: int, seed: int) -> None:
    """Handing the input's Gram products over changes nothing but the work."""
    layer = nn.Linear(12, 12, dtype=torch.float64)
    a, b = drawn(seed, samples, tokens, 12), drawn(seed + 1, samples, tokens, 12)
    assert torch.equal(linear_squared_norm(layer, a, b), linear_squared_norm(layer, a, b, gram(a)))


@pytest.mark.parametrize(
    ("tokens", "wide", "narrow", "cheaper"),
    [(384, 768, 768, True), (385, 768, 768, False), (614, 768, 3072, True), (615, 768, 3072, False), (1, 2, 2, True)],
)
def test_the_cheaper_route_is_taken(tokens: int, wide: int, narrow: int, cheaper: bool) -> None:  # noqa: FBT001
    """The Gram route is taken while T^2 (D + P) <= T D P: up to 384 tokens at 768 x 768, up to 614 at 768 x 3072."""
    assert cheaper == is_gram_cheaper(nn.Linear(wide, narrow, device="meta"), tokens)


def linear(a: Tensor, b: Tensor) -> Tensor:
    return linear_squared_norm(nn.Linear(64, 64, bias=False), a, b)


def embedding(a: Tensor, b: Tensor) -> Tensor:
    return embedding_squared_norm(nn.Embedding(1, 64), torch.zeros(a.shape[:2], dtype=torch.int64), b)


@pytest.mark.parametrize("formula", [linear, embedding])
def test_tokens_that_cancel_never_leave_less_than_nothing(formula: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Where the gradients of a sample's tokens cancel, float32 rounding makes no negative square, so no NaN norm."""
    b = drawn(7, 500, 8, 64).float()
    found = formula(torch.ones(500, 8, 64), b - b.mean(1, keepdim=True))
    assert found.min() >= 0
    assert pytest.approx(0, abs=0.1) == found.max().item()  # of 8 x 8 sums of 64 products
