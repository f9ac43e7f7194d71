"""What a pass of the probe leaves behind: nothing."""

import pytest
import torch
from torch import nn

from mainstem.responses import Probe
from tests.models import scratch_encoder
from tests.responses.truth import batch_of, encoded_of, labels_of


def left_behind(model: nn.Module) -> dict[str, object]:
    """All that a pass could have changed."""
    return {
        "weights": [parameter.detach().clone() for parameter in model.parameters()],
        "gradients": [parameter.grad for parameter in model.parameters()],
        "trained": [parameter.requires_grad for parameter in model.parameters()],
        "modes": [layer.training for layer in model.modules()],
        "hooks": [len(layer._forward_hooks) + len(layer._backward_hooks) for layer in model.modules()],
    }


def same(before: dict[str, object], after: dict[str, object]) -> bool:
    """Whether nothing was changed."""
    weights = zip(before.pop("weights"), after.pop("weights"), strict=True)
    return before == after and all(torch.equal(one, other) for one, other in weights)


def half_frozen(*, training: bool) -> nn.Module:
    """The model made here, its word embedding frozen, and one layer held in eval mode."""
    network = scratch_encoder().network.train(training)
    network.bert.embeddings.word_embeddings.requires_grad_(False)
    network.head[2].eval()
    return network


@pytest.mark.parametrize("training", [True, False])
def test_a_pass_leaves_the_model_as_it_was(*, training: bool) -> None:
    """After a pass there are no gradients and no hooks; weights, what is frozen, and every layer's mode are as before."""
    network = half_frozen(training=training)
    before = left_behind(network)
    encoded = encoded_of([4, 7], network.config.vocab_size)
    Probe(network).responses(lambda: network(batch_of(encoded)), labels_of(2))
    assert same(before, left_behind(network))


def test_a_pass_that_fails_leaves_the_model_as_it_was() -> None:
    """An error on the way changes no more than success does."""
    network = half_frozen(training=True)
    before = left_behind(network)

    def broken() -> torch.Tensor:
        network(batch_of(encoded_of([4, 7], network.config.vocab_size)))
        msg = "out of memory"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="out of memory"):
        Probe(network).responses(broken, labels_of(2))
    assert same(before, left_behind(network))


def test_a_pass_works_where_gradients_are_switched_off() -> None:
    """The probe switches gradients on for itself, and leaves them off for its caller."""
    model = nn.Linear(2, 2)
    with torch.no_grad():
        found = Probe(model).responses(lambda: model(torch.ones(1, 2)), torch.tensor([0]))
        assert not torch.is_grad_enabled()
    assert found.norm[0] > 0
