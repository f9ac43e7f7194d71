"""A batch in pieces teaches what the whole batch teaches."""

import copy
from uuid import UUID

import numpy as np
import pytest
import torch

from mainstem.join import examples_of
from mainstem.learning.training.batch_loss import BatchLoss
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.learning.training.gradient import StepGradient
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.settings import Settings
from tests.learning.samples import learnable
from tests.learning.stepping import still
from tests.small_models import given_encoder

QUESTIONS = [0] * 3 + [1] * 2 + [2] * 7 + [3] * 4 + [4] * 7  # the second has equal labels
SAMPLES = [
    one._replace(
        weight=0.25 + one.offset % 3,
        label=label,
        targets=(float(label),),
        question_id=UUID(int=question),
    )
    for one, question in zip(learnable(23), QUESTIONS, strict=True)
    for label in [0 if question == 1 else one.label]
]
SETTINGS = Settings.of({"model.device": "cpu", "model.max_tokens": 24})


def gradients(encoder: CrossEncoder, pieces: int, **objectives: object) -> list[torch.Tensor]:
    """Return the gradient of each parameter for one batch of all samples."""
    named = {f"objectives.{name}": value for name, value in objectives.items()}
    settings = SETTINGS.but(named | {"learning.accumulate": pieces})
    network = copy.deepcopy(encoder.network).train()
    child = CrossEncoder(network, encoder.tokenizer)
    read = ActiveVersion(child, settings).read(examples_of(SAMPLES))
    loss_of = BatchLoss(read, settings.objectives, [float(one.offset) for one in SAMPLES])
    gradient = StepGradient(network, settings)
    loss = gradient(read, np.arange(len(SAMPLES)), loss_of)
    return [loss, *(one.grad for one in network.parameters() if one.grad is not None)]


@pytest.mark.parametrize("pieces", [2, 4, 5, 100])
@pytest.mark.parametrize(
    "objectives",
    [
        {},
        {"listwise": 2.0, "listwise_loss": "softmax"},
        {"listwise": 2.0, "listwise_loss": "lambda", "by_importance": 0.5},
        {"names": "click,purchase", "alphas": "1,0.5", "listwise": 1.0, "imbalance": "weights"},
    ],
)
def test_pieces_add_up_to_the_gradient_of_the_whole_batch(
    objectives: dict[str, object], pieces: int
) -> None:
    """Weights, uneven last pieces and whole questions give the loss and gradient of one batch."""
    encoder = still(given_encoder())
    whole, apart = gradients(encoder, 1, **objectives), gradients(encoder, pieces, **objectives)
    for one, other in zip(whole, apart, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("listwise", [0.0, 1.0])
def test_a_training_in_pieces_ends_with_the_weights_of_one_in_whole_batches(
    listwise: float,
) -> None:
    """After two passes no weight differs by more than 1e-5, and all have moved much further."""
    parent, found = still(given_encoder()), []
    for pieces in (1, 3):
        given = {"learning.epochs": 2, "learning.train_batch": 8, "objectives.listwise": listwise}
        settings = SETTINGS.but(given | {"learning.accumulate": pieces})
        found.append(without_keys(fine_tune(parent, SAMPLES, [], settings, seed=1).encoder))
    assert distance(*found) <= 1e-5
    assert distance(found[0], without_keys(parent)) > 1e-4


def without_keys(encoder: CrossEncoder) -> list[torch.Tensor]:
    """Return the weights but for the biases of keys, on which no loss depends.

    Their gradient is rounding alone, which AdamW scales up.
    """
    named = encoder.network.named_parameters()
    return [one.detach() for name, one in named if not name.endswith("key.bias")]


def distance(some: list[torch.Tensor], others: list[torch.Tensor]) -> float:
    """Return the largest difference of two weights."""
    pairs = zip(some, others, strict=True)
    return max(float((one - other).abs().max()) for one, other in pairs)


def test_by_default_a_batch_is_one_piece() -> None:
    """Nothing is split unless a user asks for it."""
    assert 1 == Settings().learning.accumulate
