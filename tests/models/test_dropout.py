"""Dropout by masks of 16 bits does what torch's does."""

import pytest
import torch
from torch import nn

from mainstem.models.dropout import QuickDropout
from tests.small_models import given_encoder, scratch_encoder


@pytest.mark.parametrize("p", [0.01, 0.1, 0.5, 0.9])
def test_each_element_is_dropped_with_its_probability(p: float) -> None:
    """Each place of a 64-bit number, and so each element, is dropped equally often; means stay."""
    torch.manual_seed(0)
    dropped = QuickDropout(p)(torch.ones(20_000, 4))
    error = 5 * (p * (1 - p) / 20_000) ** 0.5
    assert pytest.approx([p] * 4, abs=error) == (dropped == 0).float().mean(0).tolist()
    assert pytest.approx([1.0] * 4, abs=error / (1 - p)) == dropped.mean(0).tolist()


def test_elements_are_dropped_independently() -> None:
    """Elements that come of one 64-bit number are no more often dropped together than others."""
    torch.manual_seed(0)
    dropped = (QuickDropout(0.5)(torch.ones(20_000, 4)) == 0).float()
    correlation = torch.corrcoef(dropped.T) - torch.eye(4)
    assert correlation.abs().max() < 0.04


def test_the_gradient_has_the_mask_of_the_output() -> None:
    """What was dropped has no gradient, and the rest that of its scale."""
    torch.manual_seed(0)
    given = torch.rand(7, 3, requires_grad=True)
    out = QuickDropout(0.25)(given)
    out.sum().backward()
    assert torch.equal(out, given * given.grad)


def test_a_seed_repeats_its_masks_and_evaluation_drops_nothing() -> None:
    """Masks are of torch's seed, the next one differs, and a share of 0 changes nothing."""
    layer, ones, found = QuickDropout(0.3), torch.ones(50), []
    for _ in range(2):
        torch.manual_seed(1)
        found.append([layer(ones).tolist() for _ in range(2)])
    assert found[0] == found[1]
    assert found[0][0] != found[0][1]
    assert ones.equal(layer.eval()(ones))
    assert ones.equal(QuickDropout(0.0)(ones))


def test_all_dropout_of_a_network_is_quick() -> None:
    """Networks of both kinds keep the shares of their configuration."""
    for encoder in (scratch_encoder(features=("a",)), given_encoder(features=("a",))):
        found = [one for one in encoder.network.modules() if isinstance(one, nn.Dropout)]
        assert {(QuickDropout, 0.1)} == {(type(one), one.p) for one in found}
