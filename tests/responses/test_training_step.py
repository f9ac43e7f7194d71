"""The responses that a training step gives."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mainstem.errors import ModelError
from mainstem.responses import Probe
from tests.responses.families import FAMILIES, Case, bert
from tests.responses.truth import CLOSE, assert_agree, directions_of, flat, of_one, stacked

WEIGHTS = torch.tensor([0.5, 2.0, 0.01, 30.0])


def still(case: Case) -> Case:
    """Put the model in train mode, without dropout."""
    case.model.train()
    for layer in case.model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
        for name in ("dropout_prob", "attn_dropout", "attention_dropout", "dropout"):
            if isinstance(getattr(layer, name, None), float):
                setattr(layer, name, 0.0)
    return case


def gradients_now(case: Case, seed: int) -> tuple[Tensor, Tensor]:
    """Compute losses and each sample's gradient, in one pass in the model's present mode."""
    torch.manual_seed(seed)
    ids, mask, labels = case.batch()
    losses = F.cross_entropy(case.answer(case.model, ids, mask, labels), labels, reduction="none")
    trained = dict(case.model.named_parameters())
    return losses.detach(), stacked(of_one(loss, trained, retain_graph=True) for loss in losses)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["mean", "weighted"])
@pytest.mark.parametrize("family", ["bert", "albert", "gpt-2"])
def test_gradients_are_filled_as_backward_fills_them(family: str, weights: Tensor | None) -> None:
    """`.grad` is that of the mean loss or weighted sum, and a second step adds to it."""
    case = still(FAMILIES[family]())
    _, rows = gradients_now(case, 0)
    expected = (rows * (torch.full((4, 1), 0.25) if weights is None else weights.unsqueeze(1))).sum(
        0
    )
    probe = Probe(case.model, directions=directions_of(case.model), sketch=64)
    for steps in (1, 2):
        case.responses(probe, "training_step", weights=weights)
        filled = flat(
            {name: one.grad for name, one in case.model.named_parameters() if one.grad is not None}
        )
        assert (filled - steps * expected).norm() < CLOSE * steps * expected.norm()


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["mean", "weighted"])
@pytest.mark.parametrize("make", FAMILIES.values(), ids=FAMILIES)
def test_responses_are_those_of_a_pass_without_training(
    make: Callable[[], Case], weights: Tensor | None
) -> None:
    """Without dropout a step and a pass agree in all numbers, and weights are divided out."""
    case = still(make())
    weights = None if weights is None else weights[: len(case.texts)]
    probe = Probe(case.model, directions=directions_of(case.model), sketch=64)
    measured, trained = (
        case.responses(probe),
        case.responses(probe, "training_step", weights=weights),
    )
    for name in ("norm", "loss", "dots", "sketch"):
        one, other = getattr(measured, name), getattr(trained, name)
        assert (one - other).norm() <= CLOSE * one.norm(), name


def test_dropout_is_that_of_the_step() -> None:
    """Responses in a step have the dropout of the step, and the probe draws no random numbers."""
    case = bert(hidden_dropout_prob=0.3, attention_probs_dropout_prob=0.3)
    still_there = case.responses(Probe(case.model)).norm
    case.model.train()
    losses, rows = gradients_now(case, 11)
    after = torch.get_rng_state()
    directions = directions_of(case.model)
    probe = Probe(case.model, directions=directions, sketch=32)
    torch.manual_seed(11)
    found = case.responses(probe, "training_step")
    assert torch.equal(after, torch.get_rng_state())
    assert pytest.approx(losses.tolist(), rel=CLOSE) == found.loss.tolist()
    assert pytest.approx(rows.norm(dim=1).tolist(), rel=CLOSE) == found.norm.tolist()
    ways = torch.stack([flat(one) for one in directions])
    assert (found.dots - rows @ ways.T).abs().max() < CLOSE * rows.norm(dim=1).max() * ways.norm(
        dim=1
    ).max()
    assert (still_there / found.norm - 1).abs().max() > 0.05


def test_weights_of_one_for_each_sample_are_the_sum() -> None:
    """With weights of 1 the gradient is that of the summed loss."""
    model, rows = nn.Linear(3, 2), torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 1, 0, 1])
    expected = torch.autograd.grad(
        F.cross_entropy(model(rows), labels, reduction="sum"), model.weight
    )[0]
    Probe(model).training_step(lambda: model(rows), labels, weights=torch.ones(5))
    assert (
        pytest.approx(expected.flatten().tolist(), rel=CLOSE)
        == model.weight.grad.flatten().tolist()
    )


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan")])
def test_a_weight_that_is_not_above_0_is_refused(bad: float) -> None:
    """Such a weight is refused, since each norm is divided by its sample's weight."""
    model = nn.Linear(3, 2)
    with pytest.raises(ValueError, match="weights are above 0"):
        Probe(model).training_step(
            lambda: model(torch.ones(2, 3)), torch.tensor([0, 1]), weights=torch.tensor([1.0, bad])
        )


def test_a_step_that_passes_no_layer_is_refused() -> None:
    """Outputs computed before the step are refused, rather than given norms of 0."""
    model = nn.Linear(3, 2)
    output = model(torch.ones(2, 3))
    with pytest.raises(ModelError, match="the model was run without any of the layers"):
        Probe(model).training_step(lambda: output, torch.tensor([0, 1]))


def test_a_frozen_layer_gets_no_gradient() -> None:
    """A frozen layer gets no `.grad`, and no norm includes it."""
    case = still(bert())
    case.model.bert.embeddings.requires_grad_(False)
    true, directions = case.gradients(), directions_of(case.model)
    found = case.responses(Probe(case.model, directions=directions), "training_step")
    assert_agree(found, true, directions)
    assert {None} == {one.grad for one in case.model.bert.embeddings.parameters()}
