"""R-Drop: the answers of two passes are drawn together."""

import pytest
import torch
import torch.nn.functional as F

from mainstem.learning.training.r_drop import divergence
from mainstem.objectives.layout import Layout
from mainstem.settings import Objectives, Settings
from tests.learning.stepping import gradient_of, still
from tests.small_models import given_encoder, scratch_encoder

GENERATOR = torch.Generator().manual_seed(2)
FIRST, SECOND = (torch.randn(4, 3, generator=GENERATOR) for _ in range(2))


def test_the_divergence_is_the_mean_of_both_directions() -> None:
    """It is half of KL(p1 | p2) + KL(p2 | p1), by PyTorch's `kl_div`."""
    layout, labels = Layout.of(Objectives(classes="a,b,c")), torch.tensor([0, 1, 2, 0])
    one, other = F.log_softmax(FIRST, dim=1), F.log_softmax(SECOND, dim=1)
    there, back = (
        F.kl_div(target, own, reduction="none", log_target=True).sum(1)
        for own, target in ((one, other), (other, one))
    )
    torch.testing.assert_close(divergence(layout, FIRST, SECOND, labels), (there + back) / 2)


def test_objectives_add_up_where_their_targets_are_known() -> None:
    """Each logit is a yes or no, with the alpha of its objective; unknown targets add nothing."""
    layout = Layout.of(Objectives(names="click,purchase", alphas="1,0.5"))
    targets = torch.tensor([[1.0, 0.0], [0.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    p, q = FIRST[:, :2].sigmoid(), SECOND[:, :2].sigmoid()
    each = (p - q) * (torch.log(p / q) - torch.log((1 - p) / (1 - q))) / 2
    true = (each * (targets >= 0) * torch.tensor([1.0, 0.5])).sum(1)
    torch.testing.assert_close(divergence(layout, FIRST[:, :2], SECOND[:, :2], targets), true)


@pytest.mark.parametrize("make", [given_encoder, scratch_encoder])
def test_without_dropout_it_adds_nothing(make: object) -> None:
    """Two equal passes have the loss and the gradient of one."""
    encoder = still(make())
    plain, given = gradient_of(encoder), gradient_of(encoder, r_drop=4.0)
    assert pytest.approx(plain[0], rel=1e-6) == given[0]
    for name, one in plain[1].items():
        torch.testing.assert_close(given[1][name], one, rtol=1e-4, atol=1e-7)


def test_with_dropout_it_adds_the_factor_times_the_divergence() -> None:
    """The loss grows linearly with the factor, because the draws of the dropout are the same."""
    encoder = scratch_encoder()
    one, two, three = (gradient_of(encoder, r_drop=factor)[0] for factor in (1.0, 2.0, 3.0))
    assert two > one
    assert pytest.approx(two - one, rel=1e-3) == three - two


def test_it_is_off_by_default() -> None:
    """One pass is made unless a user asks for two."""
    assert 0 == Settings().learning.r_drop
