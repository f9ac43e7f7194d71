"""What options cost, and that a training without them is what it was before there were any."""

import copy

import numpy as np
import pytest
import torch

from mainstem.join import examples_of
from mainstem.learning.training.batch_loss import BatchLoss
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.learning.training.gradient import StepGradient
from mainstem.learning.training.steps import train_step
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.process.stopwatch import SPENT
from tests.learning.samples import learnable
from tests.learning.scripted import weights
from tests.learning.stepping import SAMPLES, settings
from tests.small_models import given_encoder, scratch_encoder


@pytest.mark.parametrize("make", [given_encoder, scratch_encoder])
def test_a_step_without_options_is_a_plain_step_to_the_last_bit(make: object) -> None:
    """Forward, backward, clipping and AdamW, written out by hand, give the very same weights."""
    found = []
    for is_plain in (True, False):
        child = CrossEncoder(copy.deepcopy(make().network).train(), make().tokenizer)
        network, given = child.network, settings()
        read = ActiveVersion(child, given).read(examples_of(SAMPLES))
        loss_of = BatchLoss(read, given.objectives)
        network.train()
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
        gradient = StepGradient(network, given)
        torch.manual_seed(3)
        for places in (np.array([0, 3, 1]), np.array([5, 4, 2])):
            if is_plain:
                logits = network(read.batch(places, examined=True))
                labels = torch.tensor([SAMPLES[place].label for place in places])
                weight = torch.tensor([SAMPLES[place].weight for place in places])
                each = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
                optimizer.zero_grad()
                (each * weight).mean().backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
            else:
                train_step(network, read, places, optimizer, loss_of, gradient)
        found.append(weights(network))
    assert torch.equal(*found)


@pytest.mark.parametrize(
    ("options", "passes"),
    [
        ({}, 1),
        ({"accumulate": 4, "label_smoothing": 0.1, "train_precision": "bfloat16"}, 1),
        ({"r_drop": 1.0}, 2),
        ({"adversarial": "fgm", "adversarial_steps": 5}, 2),
        ({"adversarial": "pgd", "adversarial_steps": 3}, 4),
        ({"r_drop": 1.0, "adversarial": "pgd", "adversarial_steps": 2, "accumulate": 3}, 4),
    ],
)
def test_passes_that_an_option_adds_are_counted(options: dict[str, object], passes: int) -> None:
    """A training costs a forward-equivalent for each token of each pass that is made."""
    given = settings(epochs=1, train_batch=8, **options)
    encoder, called = given_encoder(), []
    handle = encoder.network.model.bert.register_forward_hook(lambda *_: called.append(1))
    with SPENT.counting() as costs:
        fine_tune(encoder, learnable(16), [], given, seed=1)
    handle.remove()
    read = sum(ActiveVersion(encoder, given).read(examples_of(learnable(16))).lengths.tolist())
    cost = costs["train"]
    assert (16 * passes, read * passes) == (cost.samples, cost.tokens)
    assert pytest.approx(read * passes) == cost.forward_equivalents
    pieces = int(options.get("accumulate", 1))
    assert 2 * passes * pieces == len(called)  # two steps


def test_options_repeat_themselves_with_a_seed() -> None:
    """All of them together give the very same weights again."""
    given = settings(
        epochs=1,
        train_batch=8,
        r_drop=1.0,
        adversarial="pgd",
        label_smoothing=0.1,
        accumulate=2,
        train_precision="bfloat16",
    )
    parent = scratch_encoder()
    first, again = (
        weights(fine_tune(parent, learnable(16), [], given, seed=4).encoder.network)
        for _ in range(2)
    )
    assert torch.equal(first, again)
