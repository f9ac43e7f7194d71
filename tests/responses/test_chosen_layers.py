"""Responses of chosen layers."""

import re
from fnmatch import fnmatchcase

import pytest
import torch

from mainstem.errors import ModelError
from mainstem.responses import Probe
from tests.responses.families import bert
from tests.responses.truth import assert_agree, directions_of

CHOICES = {
    "the head": (["classifier"], ["classifier.*"]),
    "a layer and what is in it": (["bert.encoder.layer.1"], ["bert.encoder.layer.1.*"]),
    "by a pattern": (["*.query", "*.LayerNorm"], ["*.query.*", "*.LayerNorm.*"]),
    "the lowest": (["bert.embeddings.word_embeddings"], ["bert.embeddings.word_embeddings.*"]),
    "upper layers": (
        ["bert.encoder.layer.1.*", "bert.pooler", "classifier"],
        ["*.layer.1.*", "bert.pooler.*", "classifier.*"],
    ),
}


@pytest.mark.parametrize("method", ["responses", "training_step"])
@pytest.mark.parametrize(("layers", "names"), CHOICES.values(), ids=CHOICES)
def test_only_the_chosen_layers_count(layers: list[str], names: list[str], method: str) -> None:
    """Norms and dots are those of the chosen layers' parameters alone."""
    case = bert()
    directions = directions_of(case.model)
    chosen = {
        name
        for name, _ in case.model.named_parameters()
        if any(fnmatchcase(name, one) for one in names)
    }
    assert chosen
    true, ways = (
        [{name: one[name] for name in chosen} for one in each]
        for each in (case.gradients(), directions)
    )
    assert_agree(
        case.responses(Probe(case.model, directions=directions, layers=layers), method), true, ways
    )


def test_sketches_of_parts_add_up() -> None:
    """The sketches of layers add up to that of the model, since each layer has its own tables."""
    case = bert()
    whole, lower, upper = (
        case.responses(Probe(case.model, layers=layers, sketch=64)).sketch
        for layers in (["*"], ["bert.*"], ["classifier"])
    )
    assert (whole - lower - upper).norm() < 1e-5 * whole.norm()


@pytest.mark.parametrize(
    "more", [{"layers": ["classifier", "decoder.*"]}, {"per_sample": ["decoder.*"]}], ids=str
)
def test_a_pattern_that_fits_nothing_is_refused(more: dict[str, list[str]]) -> None:
    """A pattern that fits no layer is refused, and the error lists the layers of the model."""
    model = torch.nn.Sequential(torch.nn.Linear(2, 2))
    model.classifier = torch.nn.Linear(2, 2)
    message = "no layer with trained parameters fits 'decoder.*'; the model's are 0, classifier"
    with pytest.raises(ModelError, match=re.escape(message)):
        Probe(model, **more)


def test_a_frozen_layer_fits_no_pattern() -> None:
    """A layer that is not trained fits no pattern, since it has no response."""
    case = bert()
    case.model.bert.requires_grad_(False)
    with pytest.raises(
        ModelError,
        match=r"no layer with trained parameters fits 'bert'; the model's are classifier",
    ):
        Probe(case.model, layers=["bert"])


def test_layers_that_are_not_chosen_need_no_formula() -> None:
    """A layer without a formula may be left out."""
    model = torch.nn.Sequential(torch.nn.Conv1d(1, 1, 1), torch.nn.Flatten(), torch.nn.Linear(3, 2))
    found = Probe(model, layers=["2"]).responses(
        lambda: model(torch.ones(2, 1, 3)), torch.tensor([0, 1])
    )
    assert (found.norm > 0).all()
