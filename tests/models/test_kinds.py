"""Kinds of a visit: cheaper norms against autograd, and what all kinds agree on."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mainstem.kinds import Kind
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.models.encoder import PairReader
from mainstem.models.kinds import layers_of
from mainstem.settings import Model, Responses, Settings
from tests.models.test_several_objectives import (
    CLOSE,
    EXAMPLES,
    SETTINGS,
    given,
    gradients,
    losses_of,
    scratch,
)
from tests.small_models import bert_config, given_encoder, scratch_encoder, shake, tokenizer

PLAIN = [scratch_encoder, given_encoder]


@pytest.fixture(params=[scratch, given])
def encoder(request: pytest.FixtureRequest) -> CrossEncoder:
    """An encoder of each kind with both towers and two objectives, with random weights."""
    found: CrossEncoder = request.param()
    shake(found.network)
    return found


def norms_over(each: list[dict[str, Tensor]], layers: Sequence[str]) -> list[float]:
    """Return the norm of each gradient over the parameters inside some layers."""
    return [
        torch.cat(
            [
                part.flatten().double()
                for name, part in gradient.items()
                if any(name.startswith(f"{layer}.") for layer in layers)
            ]
        )
        .norm()
        .item()
        for gradient in each
    ]


def test_the_layers_of_each_kind_are_the_last_ones() -> None:
    """The head alone, or with it the last block and the towers, of both families of model."""
    assert ("head",) == layers_of(scratch(), Kind.FORWARD)
    assert ("model.classifier", "beside") == layers_of(given(), Kind.FORWARD)
    assert ("bert.encoder.layer.1", "behaviour", "examination", "head") == layers_of(
        scratch(), Kind.LAST
    )
    assert (
        "model.bert.encoder.layer.1",
        "model.bert.pooler",
        "behaviour",
        "examination",
        "model.classifier",
        "beside",
    ) == layers_of(given(), Kind.LAST)


@pytest.mark.parametrize("make", PLAIN)
def test_a_model_without_towers_has_the_kinds_too(make: Callable[[], CrossEncoder]) -> None:
    """Towers that a model lacks are not looked for."""
    found = layers_of(make(), Kind.LAST)
    assert not {"behaviour", "examination", "beside"} & set(found)


@pytest.mark.parametrize("kind", [Kind.LAST, Kind.FORWARD])
def test_a_cheaper_norm_is_that_of_autograd_over_its_layers(
    encoder: CrossEncoder, kind: Kind
) -> None:
    """With features, the examination tower and two objectives, each norm is autograd's."""
    each = gradients(encoder, losses_of(encoder))
    found = ActiveVersion(encoder, SETTINGS).responses(EXAMPLES, kind=kind)
    assert pytest.approx(norms_over(each, layers_of(encoder, kind)), **CLOSE) == found.norm


def test_the_norm_of_a_given_head_is_that_of_an_outer_product() -> None:
    """The last linear layer's norm is the pull at the logits times the length of what it read."""
    encoder = given_encoder()
    shake(encoder.network)
    active = ActiveVersion(encoder, Settings(model=Model(max_tokens=24, device="cpu")))
    examples = active.read(EXAMPLES.pairs).examples
    read: list[Tensor] = []
    with encoder.representing(read):
        logits = active.answers(examples)
    probabilities = torch.tensor(logits).softmax(1)
    pull = probabilities - torch.nn.functional.one_hot(torch.tensor([1, 0, 1, 1, 0]), 2)
    inputs = torch.cat([read[0].double(), torch.ones(5, 1)], 1)
    lengths = (pull.norm(dim=1), inputs.norm(dim=1))
    found = active.responses(EXAMPLES.pairs, [1, 0, 1, 1, 0], kind=Kind.FORWARD)
    # representations are kept in float16, in the order of length; so the products are compared
    order = np.argsort(active.read(EXAMPLES.pairs).lengths, kind="stable")
    expected = lengths[0][order] * lengths[1]
    assert pytest.approx(expected.numpy(), rel=1e-3) == found.norm[order]


def test_all_kinds_agree_on_what_the_forward_pass_gives(encoder: CrossEncoder) -> None:
    """Loss, margin, logits and representation do not depend on the kind of the visit."""
    kept = Responses(score_batch=2, representations=True)
    active = ActiveVersion(encoder, Settings(**_groups(), responses=kept), sketch=64)
    full, *others = (active.responses(EXAMPLES, kind=kind) for kind in Kind)
    for other in others:
        for name in ("loss", "margin", "logits", "representation"):
            assert pytest.approx(getattr(full, name), rel=1e-5, abs=1e-5, nan_ok=True) == getattr(
                other, name
            )


def test_only_a_full_response_points_somewhere(encoder: CrossEncoder) -> None:
    """A cheaper response has no dots and no sketch, whatever the version has."""
    direction = ActiveVersion(encoder, SETTINGS).gradient(EXAMPLES)
    active = ActiveVersion(encoder, SETTINGS, direction=direction, sketch=64)
    shapes = [
        (found.dots.shape, found.sketch.shape)
        for found in (active.responses(EXAMPLES, kind=kind) for kind in Kind)
    ]
    assert [((5, 1), (5, 64)), ((5, 0), (5, 0)), ((5, 0), (5, 0))] == shapes


def test_a_weight_is_a_factor_of_a_cheaper_norm(encoder: CrossEncoder) -> None:
    """Norms of all kinds are linear in the weight of the loss."""
    active = ActiveVersion(encoder, SETTINGS)
    weights = [1.0, 0.5, 3.0, 0.0, 2.0]
    pairs, labels = EXAMPLES.pairs, [1, 0, 1, 1, 0]
    plain = active.responses(pairs, labels, kind=Kind.LAST)
    weighed = active.responses(pairs, labels, weights, kind=Kind.LAST)
    assert pytest.approx(plain.norm * np.array(weights), **CLOSE) == weighed.norm


def test_a_model_that_is_given_without_a_head_ends_in_ours() -> None:
    """The cheapest norm of such a model is over the head that we made."""
    from transformers import BertModel

    body = BertModel(bert_config(num_labels=2), add_pooling_layer=False)
    encoder = CrossEncoder(PairReader(body.config, given=body), tokenizer())
    found = ActiveVersion(encoder, SETTINGS).responses(EXAMPLES, kind=Kind.FORWARD)
    assert ("head",) == layers_of(encoder, Kind.FORWARD)
    assert (found.norm > 0).all()


def test_the_check_of_a_model_runs_the_kinds_that_are_asked_for(encoder: CrossEncoder) -> None:
    """A model passes the check of its cheaper responses."""
    asked = Responses(score_batch=2, first_visit="forward", next_visit="last")
    ActiveVersion(encoder, Settings(**_groups(), responses=asked)).check()


def _groups() -> dict[str, Any]:
    return {"model": SETTINGS.model, "objectives": SETTINGS.objectives}
