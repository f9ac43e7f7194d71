"""Each layer's formula against autograd, one sample at a time, in float64."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers.models.llama.modeling_llama import LlamaRMSNorm
from transformers.models.t5.modeling_t5 import T5LayerNorm
from transformers.pytorch_utils import Conv1D

from mainstem.responses.formulas import Formula, embedding, formula_of, per_sample
from mainstem.responses.gram import RoundingCheck
from mainstem.responses.live import LiveTokens
from mainstem.responses.lookup import Lookup
from mainstem.responses.sketch import tables_of
from mainstem.responses.vector import Vector
from tests.responses.test_contributions import drawn

SIZES, SEEDS, BOTH = st.integers(1, 6), st.integers(0, 2**31), st.booleans()
BETWEEN = st.lists(SIZES, max_size=2)
"""Dimensions between batch and width: none, tokens, or a grid of tokens."""


def check(
    layer: nn.Module, a: Tensor, b: Tensor, formula: Formula | None = None, close: float = 1e-9
) -> None:
    """Compare norm and dot of each parameter's gradient of sum(b x output) with autograd.

    The gradient at the output is b.
    """
    layer = copy.deepcopy(layer).double()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    trained = dict(layer.named_parameters())
    rows = [
        torch.autograd.grad((layer(one_a.unsqueeze(0)) * one_b).sum(), list(trained.values()))
        for one_a, one_b in zip(a, b, strict=True)
    ]
    found = (formula or formula_of(layer))(layer, a, b, LiveTokens().of(b), trained)
    assert set(trained) == set(found)
    for place, (name, parameter) in enumerate(trained.items()):
        direction = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        true = torch.stack([row[place] for row in rows]).double()
        squares, dots = true.flatten(1).square().sum(1), (true * direction).flatten(1).sum(1)
        assert (
            pytest.approx(squares.tolist(), rel=close, abs=close)
            == found[name].squared(RoundingCheck()).tolist()
        ), name
        assert (
            pytest.approx(dots.tolist(), rel=close, abs=10 * close)
            == found[name].dot(direction).tolist()
        ), name


@settings(deadline=None, max_examples=50)
@given(SIZES, BETWEEN, SIZES, SIZES, BOTH, SEEDS)
def test_linear(
    samples: int, between: list[int], wide: int, narrow: int, bias: bool, seed: int
) -> None:
    """The formula holds for a linear layer, with or without bias, on rows, tokens or a grid."""
    check(
        nn.Linear(wide, narrow, bias=bias),
        drawn(seed, samples, *between, wide),
        drawn(seed + 1, samples, *between, narrow),
    )


@settings(deadline=None, max_examples=30)
@given(SIZES, BETWEEN, SIZES, SIZES, SEEDS)
def test_transposed_linear(
    samples: int, between: list[int], wide: int, narrow: int, seed: int
) -> None:
    """The formula holds for GPT-2's linear layer, whose weight is transposed."""
    check(
        Conv1D(narrow, wide),
        drawn(seed, samples, *between, wide),
        drawn(seed + 1, samples, *between, narrow),
    )


@settings(deadline=None, max_examples=50)
@given(SIZES, BETWEEN, SIZES, BOTH, SEEDS)
def test_layer_norm(samples: int, between: list[int], wide: int, bias: bool, seed: int) -> None:
    """The formula holds for a layer norm, with or without shift, on any number of dimensions."""
    check(
        nn.LayerNorm(wide, bias=bias),
        drawn(seed, samples, *between, wide),
        drawn(seed + 1, samples, *between, wide),
    )


NORMS = {
    "torch": lambda wide: nn.RMSNorm(wide, eps=1e-6),
    "torch, its own epsilon": nn.RMSNorm,
    "llama": LlamaRMSNorm,
    "t5": T5LayerNorm,
}


@pytest.mark.parametrize("kind", NORMS)
@settings(deadline=None, max_examples=20)
@given(SIZES, BETWEEN, SIZES, SEEDS)
def test_rms_norm(kind: str, samples: int, between: list[int], wide: int, seed: int) -> None:
    """The formula holds for RMS norms; those of transformers always compute the root in float32."""
    close = 1e-9 if kind.startswith("torch") else 1e-5
    check(
        NORMS[kind](wide),
        drawn(seed, samples, *between, wide),
        drawn(seed + 1, samples, *between, wide),
        close=close,
    )


@settings(deadline=None, max_examples=50)
@given(SIZES, SIZES, SIZES, st.none() | st.integers(0, 3), SEEDS)
def test_embedding(samples: int, tokens: int, wide: int, padding: int | None, seed: int) -> None:
    """The formula holds for an embedding with repeated words; a padding row has no gradient."""
    ids = torch.randint(0, 4, (samples, tokens), generator=torch.Generator().manual_seed(seed))
    check(nn.Embedding(4, wide, padding_idx=padding), ids, drawn(seed + 1, samples, tokens, wide))


def test_an_embedding_of_one_id_a_sample() -> None:
    """Ids of shape (B,), such as users, count as one token each."""
    check(nn.Embedding(4, 3), torch.tensor([2, 2, 0]), drawn(1, 3, 3))


@pytest.mark.parametrize("padding", [None, 3])
def test_a_table_that_is_read_for_each_two_tokens(padding: int | None) -> None:
    """A small table that is read often has its gradient formed, and a sketch as looked-up rows."""
    table, ids = nn.Embedding(4, 3, padding_idx=padding), torch.randint(0, 4, (2, 5, 5))
    came_back = drawn(2, 2, 5, 5, 3)
    check(table, ids, came_back)
    formed = embedding(table, ids, came_back, None, ["weight"])["weight"]
    looked_up = Lookup(ids.flatten(1), came_back.flatten(1, 2), padding)
    tables = tables_of({"weight": table.weight}, 32, 0)["weight"]
    assert isinstance(formed, Vector)
    torch.testing.assert_close(
        formed.sketch(tables), looked_up.sketch(tables), check_dtype=False, rtol=1e-4, atol=1e-5
    )


BY_AUTOGRAD = {
    "convolution": (nn.Conv1d(3, 4, 2), (3, 6), (4, 5)),
    "convolution of images": (nn.Conv2d(2, 3, 2, stride=2), (2, 4, 4), (3, 2, 2)),
    "group norm": (nn.GroupNorm(2, 4), (4, 5), (4, 5)),
    "layer norm over a table": (nn.LayerNorm((3, 4)), (3, 4), (3, 4)),
    "linear": (nn.Linear(3, 4), (5, 3), (5, 4)),
}


@pytest.mark.parametrize(("layer", "read", "gave"), BY_AUTOGRAD.values(), ids=BY_AUTOGRAD)
def test_a_layer_whose_gradients_are_formed(
    layer: nn.Module, read: tuple[int, ...], gave: tuple[int, ...]
) -> None:
    """Any layer that reads one tensor with the batch first has each sample's own gradient."""
    check(layer, drawn(3, 4, *read), drawn(4, 4, *gave), per_sample)
