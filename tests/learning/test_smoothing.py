"""Label smoothing, against PyTorch's own."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mainstem.join import examples_of
from mainstem.learning.training.batch_loss import BatchLoss
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.learning.training.smoothing import smoothed
from mainstem.models import ActiveVersion
from mainstem.objectives.layout import Layout
from mainstem.objectives.pointwise import loss_of
from mainstem.settings import Objectives, Settings
from tests.learning.samples import learnable
from tests.learning.scripted import SETTINGS, weights
from tests.small_models import given_encoder

LOGITS = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_a_single_answer_has_the_smoothed_cross_entropy_of_pytorch(share: float) -> None:
    """The loss and its gradient are those of `cross_entropy` with `label_smoothing`."""
    layout = Layout.of(Objectives(classes="a,b,c"))
    labels = torch.tensor([0, 1, 2, 1, 0])
    ours, theirs = (LOGITS.clone().requires_grad_() for _ in range(2))
    found = smoothed(loss_of(layout), layout, share)(ours, labels)
    true = F.cross_entropy(theirs, labels, reduction="none", label_smoothing=share)
    found.sum().backward()
    true.sum().backward()
    torch.testing.assert_close(found, true)
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_objectives_of_one_logit_are_smoothed_as_two_classes() -> None:
    """No and yes are the classes (0, logit); an unknown target costs nothing; alphas count."""
    layout = Layout.of(Objectives(names="click,answer", classes="a,b,c", alphas="0.5,2"))
    logits = torch.cat([LOGITS[:, :1], LOGITS], dim=1)
    targets = torch.tensor([[1.0, 2.0], [0.0, -1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, 0.0]])
    found = smoothed(loss_of(layout), layout, 0.2)(logits, targets)
    each = []
    for (click, answer), row in zip(targets.long(), logits, strict=True):
        pairs = ((0.5, F.pad(row[:1], (1, 0)), click), (2.0, row[1:], answer))
        each.append(
            sum(
                alpha * F.cross_entropy(own, target, label_smoothing=0.2)
                for alpha, own, target in pairs
                if target >= 0
            )
        )
    torch.testing.assert_close(found, torch.stack([torch.as_tensor(one) for one in each]))


def test_a_grade_moves_towards_one_half() -> None:
    """A target between no and yes has the binary cross-entropy of (1 - s) q + s / 2."""
    layout = Layout.of(Objectives(names="relevance"))
    grades = torch.tensor([[0.0], [0.25], [0.5], [0.75], [1.0]])
    found = smoothed(loss_of(layout), layout, 0.4)(LOGITS[:, :1], grades)
    true = F.binary_cross_entropy_with_logits(
        LOGITS[:, 0], 0.6 * grades[:, 0] + 0.2, reduction="none"
    )
    torch.testing.assert_close(found, true)


def test_a_loss_of_the_order_is_not_smoothed() -> None:
    """Smoothing moves the pointwise part of a batch's loss alone."""
    found = {}
    for listwise in (0.0, 3.0):
        settings = Settings.of({"model.device": "cpu", "objectives.listwise": listwise})
        read = ActiveVersion(given_encoder(), settings).read(examples_of(learnable(5)))
        for share in (0.0, 0.5):
            loss = BatchLoss(read, settings.objectives, smoothing=share)
            found[listwise, share] = loss(LOGITS[:, :2], np.arange(5)).item()
    assert pytest.approx(found[3.0, 0.5] - found[0.0, 0.5]) == found[3.0, 0.0] - found[0.0, 0.0]
    assert found[3.0, 0.0] != found[0.0, 0.0]


def test_smoothing_is_off_by_default_and_changes_a_training() -> None:
    """A share above 0 gives other weights."""
    assert 0 == Settings().learning.label_smoothing
    plain, soft = (
        weights(
            fine_tune(
                given_encoder(),
                learnable(16),
                [],
                SETTINGS.but({"learning.label_smoothing": share, "learning.epochs": 1}),
                seed=1,
            ).encoder.network
        )
        for share in (0.0, 0.3)
    )
    assert not torch.equal(plain, soft)
