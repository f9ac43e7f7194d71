"""A pass of the probe leaves nothing behind, except the gradients of a training step."""

import threading

import pytest
import torch
from torch import nn

from mainstem.responses import Probe, gradient_of
from tests.responses.truth import batch_of, encoded_of, labels_of
from tests.small_models import scratch_encoder


def left_behind(model: nn.Module) -> dict[str, object]:
    """Return all that a pass could have changed."""
    return {
        "weights": [parameter.detach().clone() for parameter in model.parameters()],
        "gradients": [parameter.grad for parameter in model.parameters()],
        "trained": [parameter.requires_grad for parameter in model.parameters()],
        "modes": [layer.training for layer in model.modules()],
        "hooks": [
            len(layer._forward_hooks) + len(layer._forward_pre_hooks) + len(layer._backward_hooks)
            for layer in model.modules()
        ],
        "buffers": [buffer.tolist() for buffer in model.buffers()],
    }


def same(before: dict[str, object], after: dict[str, object]) -> bool:
    """Whether nothing was changed."""
    weights = zip(before.pop("weights"), after.pop("weights"), strict=True)
    return before == after and all(torch.equal(one, other) for one, other in weights)


def half_frozen(*, training: bool) -> nn.Module:
    """The scratch model with its word embedding frozen and one layer held in eval mode."""
    network = scratch_encoder().network.train(training)
    network.bert.embeddings.word_embeddings.requires_grad_(False)
    network.head[2].eval()
    return network


def run(network: nn.Module) -> torch.Tensor:
    return network(batch_of(encoded_of([4, 7], network.config.vocab_size)))


@pytest.mark.parametrize("training", [True, False])
def test_a_pass_leaves_the_model_as_it_was(*, training: bool) -> None:
    """A pass leaves no gradients and no hooks, and weights, frozen parts and modes as before."""
    network = half_frozen(training=training)
    before = left_behind(network)
    Probe(network, sketch=32).responses(lambda: run(network), labels_of(2))
    assert same(before, left_behind(network))


def test_a_direction_leaves_the_model_as_it_was() -> None:
    """The mean gradient is returned, not left in the model."""
    network = half_frozen(training=True)
    before = left_behind(network)
    gradient_of(network, [(lambda: run(network), labels_of(2))])
    assert same(before, left_behind(network))


def test_a_training_step_leaves_gradients_and_nothing_else() -> None:
    """After a step trained parameters have a gradient, and all else is as before."""
    network = half_frozen(training=True)
    before = left_behind(network)
    Probe(network).training_step(lambda: run(network), labels_of(2))
    after = left_behind(network)
    filled = [gradient is not None for gradient in after["gradients"]]
    assert before.pop("trained") == filled == after.pop("trained")
    del before["gradients"], after["gradients"]
    assert same(before, after)


@pytest.mark.parametrize("method", ["responses", "training_step"])
@pytest.mark.parametrize("where", ["on the way", "in the loss", "on the way back"])
def test_a_pass_that_fails_leaves_the_model_as_it_was(where: str, method: str) -> None:
    """A pass that fails changes nothing, and the next pass is right."""
    network = half_frozen(training=True)
    before, probe, labels = left_behind(network), Probe(network), labels_of(2)

    def fail(*_: object) -> None:
        msg = "out of memory"
        raise RuntimeError(msg)

    def broken() -> torch.Tensor:
        output = run(network)
        if where == "on the way":
            fail()
        if where == "on the way back":
            output.register_hook(fail)
        return output

    with pytest.raises(RuntimeError, match="out of memory"):
        getattr(probe, method)(broken, labels, **({"loss": fail} if where == "in the loss" else {}))
    assert same(before, left_behind(network))
    again, fresh = (
        one.responses(lambda: run(network), labels).norm.tolist() for one in (probe, Probe(network))
    )
    assert fresh == again


def test_a_pass_works_where_gradients_are_switched_off() -> None:
    """The probe switches gradients on for itself and leaves them off for its caller."""
    model = nn.Linear(2, 2)
    with torch.no_grad():
        found = Probe(model).responses(lambda: model(torch.ones(1, 2)), torch.tensor([0]))
        assert not torch.is_grad_enabled()
    assert found.norm[0] > 0
    assert not found.norm.requires_grad


def test_two_threads_do_not_share_a_probe() -> None:
    """A second pass during the first is an error, and the first one is right."""
    model, errors = nn.Linear(2, 2), []
    probe = Probe(model)

    def second() -> None:
        try:
            probe.responses(lambda: model(torch.ones(1, 2)), torch.tensor([0]))
        except RuntimeError as error:
            errors.append(str(error))

    def first() -> torch.Tensor:
        other = threading.Thread(target=second)
        other.start()
        other.join()
        return model(torch.ones(1, 2))

    norm = probe.responses(first, torch.tensor([0])).norm.tolist()
    assert ["the probe is in use by another thread; give each its own"] == errors
    assert norm == probe.responses(lambda: model(torch.ones(1, 2)), torch.tensor([0])).norm.tolist()
