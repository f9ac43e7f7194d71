"""The probe on both kinds of network: short and long texts, company, padding."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mainstem.models import CrossEncoder
from mainstem.responses import Probe
from mainstem.responses.outer import is_gram_cheaper
from tests.responses.truth import (
    CLOSE,
    assert_agree,
    batch_of,
    directions_of,
    encoded_of,
    labels_of,
    true_gradients,
)
from tests.small_models import given_encoder, scratch_encoder, shake

LENGTHS = {
    # every layer of either model takes the Gram route
    "gram": [8, 5, 7, 2, 3],
    # every layer takes the direct route
    "direct": [104, 11, 60, 2, 37],
    "one": [23],
}


def scratch() -> CrossEncoder:
    return scratch_encoder(max_tokens=128)


@pytest.fixture(params=[scratch, given_encoder], ids=["scratch", "given"])
def network(request: pytest.FixtureRequest) -> nn.Module:
    """A network of each kind, with random weights everywhere."""
    network = request.param().network
    shake(network)
    return network


def words_of(network: nn.Module) -> int:
    return network.config.vocab_size


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_responses_are_those_of_autograd(network: nn.Module, lengths: list[int]) -> None:
    """Each norm and dot in a padded batch is that of the sample's own gradient."""
    encoded, labels = encoded_of(lengths, words_of(network)), labels_of(len(lengths))
    directions = directions_of(network)
    found = Probe(network, directions=directions).responses(
        lambda: network(batch_of(encoded)), labels
    )
    assert_agree(found, true_gradients(network, encoded, labels), directions)


def test_the_lengths_take_the_routes_they_are_meant_to(network: nn.Module) -> None:
    """Layers that read tokens take the Gram route at the short lengths and not at the long ones."""
    linear = [
        (layer.out_features, layer.in_features)
        for name, layer in network.named_modules()
        # the others read one row per sample
        if isinstance(layer, nn.Linear) and ".encoder." in name
    ]
    assert {True} == {is_gram_cheaper(max(LENGTHS["gram"]), *sizes) for sizes in linear}
    assert {False} == {is_gram_cheaper(max(LENGTHS["direct"]), *sizes) for sizes in linear}


@pytest.mark.parametrize(
    ("tokens", "p", "d", "cheaper"),
    [
        (384, 768, 768, True),
        (385, 768, 768, False),
        (614, 3072, 768, True),
        (615, 768, 3072, False),
        (1, 2, 2, True),
    ],
)
def test_the_cheaper_route_is_taken(tokens: int, p: int, d: int, cheaper: bool) -> None:
    """The Gram route is taken while T^2 (D + P) <= T D P, as worked by hand for some sizes."""
    assert cheaper == is_gram_cheaper(tokens, p, d)


def test_loss_and_margin_are_those_of_torch(network: nn.Module) -> None:
    """Loss is the cross-entropy in nats, margin the label's logit less the other, in eval mode."""
    encoded, labels = encoded_of(LENGTHS["gram"], words_of(network)), labels_of(5)
    found = Probe(network.train()).responses(lambda: network(batch_of(encoded)), labels)
    with torch.no_grad():
        logits = network.eval()(batch_of(encoded))
    rows = torch.arange(5)
    margins = logits[rows, labels] - logits[rows, 1 - labels]
    assert (
        pytest.approx(F.cross_entropy(logits, labels, reduction="none").tolist(), rel=CLOSE)
        == found.loss.tolist()
    )
    assert pytest.approx(margins.tolist(), rel=CLOSE, abs=CLOSE) == found.margin.tolist()


def test_company_and_padding_do_not_matter(network: nn.Module) -> None:
    """A sample has the same norm and sketch alone, in any company and order, and under padding."""
    encoded, labels = encoded_of([9, 4, 30], words_of(network)), labels_of(3)
    probe = Probe(network, sketch=64)
    alone = [
        probe.responses(lambda one=one: network(batch_of([one])), label.unsqueeze(0))
        for one, label in zip(encoded, labels, strict=True)
    ]
    norms, sketches = (
        torch.cat([getattr(one, name) for one in alone]) for name in ("norm", "sketch")
    )
    turned = probe.responses(lambda: network(batch_of(encoded[::-1])), labels.flip(0))
    wide = probe.responses(lambda: network(batch_of(encoded, width=50)), labels)
    for norm, sketch in ((turned.norm.flip(0), turned.sketch.flip(0)), (wide.norm, wide.sketch)):
        assert pytest.approx(norms.tolist(), rel=CLOSE) == norm.tolist()
        assert (sketches - sketch).norm(dim=1).div(norms).max() < CLOSE
