"""Partly trained models: adapters, biases, upper layers."""

import copy
import warnings

import pytest
import torch
from torch import nn

from mainstem.responses import Probe
from tests.responses.families import Case, bert
from tests.responses.truth import assert_agree, directions_of, stacked
from tests.small_models import shake


def with_adapters(*, shaken: bool) -> Case:
    """A BERT in which LoRA's pairs and the head are trained."""
    from peft import LoraConfig, get_peft_model

    case = bert()
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # peft warns
        warnings.simplefilter("ignore")
        torch.manual_seed(3)
        targets = LoraConfig(
            task_type="SEQ_CLS", r=4, lora_alpha=8, target_modules=["query", "value", "dense"]
        )
        model = get_peft_model(copy.deepcopy(case.model), targets).eval()
    if shaken:
        trained = nn.ParameterList([one for one in model.parameters() if one.requires_grad])
        shake(trained)
    return Case(model, case.texts, case.targets, case.answer)


def only(*parts: str) -> Case:
    """A BERT in which only parameters with one of these parts in their names are trained."""
    case = bert()
    for name, parameter in case.model.named_parameters():
        parameter.requires_grad_(any(part in name for part in parts))
    return case


PARTS = {
    "biases": ("bias",),
    "scales and shifts": ("LayerNorm",),
    "the upper layer": ("layer.1.", "pooler", "classifier"),
    "the lower layer": ("layer.0.",),
    "embeddings": ("embeddings",),
    "queries without biases": ("query.weight",),
    "the head": ("classifier",),
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_only_what_is_trained_counts(parts: tuple[str, ...]) -> None:
    """Norms and dots are those of the trained parameters, wherever they are in the model."""
    case = only(*parts)
    directions = directions_of(case.model)
    assert_agree(
        case.responses(Probe(case.model, directions=directions)), case.gradients(), directions
    )


@pytest.mark.parametrize("shaken", [False, True], ids=["as made", "trained"])
def test_adapters_have_autograds_responses(*, shaken: bool) -> None:
    """LoRA's responses are autograd's, also at first, when one of each pair has no gradient."""
    case = with_adapters(shaken=shaken)
    directions = directions_of(case.model)
    true = case.gradients()
    first = stacked({name: one[name] for name in one if "lora_A" in name} for one in true).norm(
        dim=1
    )
    assert [shaken] * len(true) == [bool(norm > 0) for norm in first]
    assert_agree(case.responses(Probe(case.model, directions=directions)), true, directions)
