"""The probe against autograd, over every trained parameter of both kinds of model.

Tolerance 1e-5: a float32 is off by 6e-8, and a norm here is a sum of some 10^4 products, whose errors grow with the root
of their number: 6e-8 x 10^2 = 6e-6. A term that is forgotten or counted twice is off by more than 1e-3 (the tests of
single layers see to that).
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mainstem.responses import Probe
from mainstem.responses.formulas import is_gram_cheaper
from mainstem.versions import CrossEncoder
from tests.models import given_encoder, scratch_encoder, shake
from tests.responses.truth import batch_of, encoded_of, labels_of, true_norms, true_squares

CLOSE = 1e-5
LENGTHS = {
    "gram": [8, 5, 7, 2, 3],  # every layer of either model takes the Gram route
    "direct": [104, 11, 60, 2, 37],  # none does
    "one": [23],
}


def scratch() -> CrossEncoder:
    return scratch_encoder(max_tokens=128)


@pytest.fixture(params=[scratch, given_encoder], ids=["scratch", "given"])
def network(request: pytest.FixtureRequest) -> nn.Module:
    """A network of each kind, with weights that all matter."""
    network = request.param().network
    shake(network)
    return network


def words_of(network: nn.Module) -> int:
    return network.config.vocab_size


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_norms_are_those_of_autograd(network: nn.Module, lengths: list[int]) -> None:
    """Each sample's norm in a padded batch is the norm of its own gradient over every parameter."""
    encoded, labels = encoded_of(lengths, words_of(network)), labels_of(len(lengths))
    found = Probe(network).responses(lambda: network(batch_of(encoded)), labels)
    assert pytest.approx(true_norms(network, encoded, labels), rel=CLOSE) == found.norm


def test_the_lengths_take_the_routes_they_are_meant_to(network: nn.Module) -> None:
    """Each layer that reads tokens goes by the Gram route at the short lengths and by the direct one at the long ones."""
    linear = [
        layer
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Linear) and ".encoder." in name  # the others read one row a sample
    ]
    assert {True} == {is_gram_cheaper(layer, max(LENGTHS["gram"])) for layer in linear}
    assert {False} == {is_gram_cheaper(layer, max(LENGTHS["direct"])) for layer in linear}


@pytest.mark.parametrize("route", ["gram", "direct"])
def test_each_layer_is_right_by_itself(network: nn.Module, route: str) -> None:
    """With all other layers frozen, the norm is that of one layer's gradient: no layer hides behind a larger one."""
    encoded, labels = encoded_of(LENGTHS[route][:2], words_of(network)), labels_of(2)
    squares, batch = true_squares(network, encoded, labels), batch_of(encoded)
    layers = {name: layer for name, layer in network.named_modules() if list(layer.parameters(recurse=False))}
    for name, layer in layers.items():
        network.requires_grad_(False)
        layer.requires_grad_(True)
        own = sum(squares[f"{name}.{parameter}"] for parameter, _ in layer.named_parameters())
        found = Probe(network).responses(lambda: network(batch), labels)
        assert pytest.approx(own.sqrt().tolist(), rel=CLOSE) == found.norm, name


def test_loss_and_margin_are_those_of_torch(network: nn.Module) -> None:
    """Loss is the cross-entropy in nats, margin the label's logit less the other one, both in eval mode."""
    encoded, labels = encoded_of(LENGTHS["gram"], words_of(network)), labels_of(5)
    found = Probe(network.train()).responses(lambda: network(batch_of(encoded)), labels)
    with torch.no_grad():
        logits = network.eval()(batch_of(encoded))
    rows = torch.arange(5)
    assert pytest.approx(F.cross_entropy(logits, labels, reduction="none").numpy(), rel=CLOSE) == found.loss
    assert pytest.approx((logits[rows, labels] - logits[rows, 1 - labels]).numpy(), rel=CLOSE, abs=CLOSE) == found.margin


def test_company_and_padding_do_not_matter(network: nn.Module) -> None:
    """A sample has the same norm alone, among others in any order, and under more padding."""
    encoded, labels = encoded_of([9, 4, 30], words_of(network)), labels_of(3)
    probe = Probe(network)
    alone = [
        probe.responses(lambda one=one: network(batch_of([one])), label.unsqueeze(0)).norm[0]
        for one, label in zip(encoded, labels, strict=True)
    ]
    turned = probe.responses(lambda: network(batch_of(encoded[::-1])), labels.flip(0)).norm[::-1]
    wide = probe.responses(lambda: network(batch_of(encoded, width=50)), labels).norm
    assert pytest.approx(alone, rel=CLOSE) == turned
    assert pytest.approx(alone, rel=CLOSE) == wide


def test_a_second_pass_says_the_same(network: nn.Module) -> None:
    """Nothing of a pass is left for the next one, whatever its size."""
    encoded, labels = encoded_of([9, 4, 30], words_of(network)), labels_of(3)
    probe = Probe(network)
    first = probe.responses(lambda: network(batch_of(encoded)), labels)
    probe.responses(lambda: network(batch_of(encoded[:1])), labels[:1])
    again = probe.responses(lambda: network(batch_of(encoded)), labels)
    assert np.array_equal(first.norm, again.norm)


def test_more_than_two_classes_have_the_same_formulas() -> None:
    """With five classes the norm is autograd's, and the margin is taken from the largest other logit."""
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 5))
    rows, labels = torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.2, -1.0]]), torch.tensor([4, 0])
    found = Probe(model).responses(lambda: model(rows), labels)
    logits = model(rows)
    losses = F.cross_entropy(logits, labels, reduction="none")
    norms = [
        torch.cat([g.flatten() for g in torch.autograd.grad(loss, model.parameters(), retain_graph=True)]).norm().item()
        for loss in losses
    ]
    others = torch.stack([logits[0, :4].max(), logits[1, 1:].max()])
    assert pytest.approx(norms, rel=CLOSE) == found.norm
    assert pytest.approx((logits[[0, 1], labels] - others).tolist(), rel=CLOSE) == found.margin
