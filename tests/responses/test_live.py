"""Tokens whose gradient is zero are left out, and no others."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mainstem.responses import Probe
from mainstem.responses.live import Live, LiveTokens

MASKS = st.integers(1, 5).flatmap(
    lambda tokens: st.lists(st.lists(st.booleans(), min_size=tokens, max_size=tokens), min_size=1)
)


@settings(deadline=None, max_examples=50)
@given(MASKS)
def test_what_is_left_out_is_only_what_is_not_live(mask: list[list[bool]]) -> None:
    """Trimmed or as rows, each live token is there with its sample and can be put back."""
    live = Live(torch.tensor(mask))
    tokens = torch.arange(1.0, live.mask.numel() + 1).view(*live.mask.shape, 1)
    marked = tokens * live.mask.unsqueeze(2)
    assert marked.sum((1, 2)).tolist() == live.trimmed(marked).sum((1, 2)).tolist()
    assert tokens[live.mask].tolist() == live.rows(tokens).tolist()
    assert live.mask.nonzero()[:, 0].tolist() == live.sample.tolist()
    assert torch.equal(marked, live.product(tokens, torch.eye(tokens.shape[2])))


def test_tokens_are_left_out_where_it_is_worth_it() -> None:
    """A nearly full batch is left whole, and layers with the same live tokens share the result."""
    finder, full = LiveTokens(), torch.ones(2, 10, 3)
    assert finder.of(full) is None
    half = full.clone()
    half[:, 5:] = 0
    first = finder.of(half)
    assert [[True] * 5 + [False] * 5] * 2 == first.mask.tolist()
    assert first is finder.of(half * 2)
    one_more = half.clone()
    one_more[0, 7, 2] = 1e-3
    assert [True] * 5 + [False, False, True, False, False] == finder.of(one_more).mask[0].tolist()


class Summed(nn.Module):
    """Two linear layers whose output is summed over tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 3, bias=False), nn.Linear(3, 2, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x)).sum(1)


def test_a_sample_with_nan_has_nan_responses() -> None:
    """A sample with a NaN has NaN for norm, dots and sketch, and its neighbours have numbers."""
    model, x = Summed(), torch.ones(2, 4, 3)
    x[0] = float("nan")
    directions = [{name: torch.ones_like(one) for name, one in model.named_parameters()}]
    found = Probe(model, directions=directions, sketch=32).responses(
        lambda: model(x), torch.tensor([0, 1])
    )
    for name in ("norm", "dots", "sketch"):
        assert [True, False] == getattr(found, name).reshape(2, -1).isnan().any(1).tolist(), name


def test_a_token_that_is_no_number_is_not_left_out() -> None:
    """A token with a NaN gradient is live, so that the sample's norm is NaN."""
    left = torch.zeros(2, 5, 3)
    left[:, 0] = 1
    left[0, 3] = float("nan")
    assert [[True, False, False, True, False], [True] + [False] * 4] == LiveTokens().of(
        left
    ).mask.tolist()
