"""Models in half precision, against autograd in float64 of the same model in float32.

bfloat16 has 8 bits: each rounding is off by up to 2^-9 = .002. In a pass through these two layers
and back a number is rounded some 60 times, independently: .002 x 60^(1/2) = .015, and a norm over
many numbers is off by rather less. The limit is .02. float16 has 11 bits, so its limit is an eighth
of that.
"""

from typing import Any

import pytest
import torch

from mainstem.responses import Probe
from tests.responses.families import FAMILIES
from tests.responses.truth import of_one, stacked

LIMIT = {torch.bfloat16: 0.02, torch.float16: 0.02 / 8}


@pytest.mark.parametrize("kind", LIMIT, ids=str)
@pytest.mark.parametrize("family", ["bert", "albert", "gpt-2, next token", "llama, next token"])
def test_a_model_in_half_precision(family: str, kind: torch.dtype) -> None:
    """Norms are right up to the rounding of the passes, and all results are float32."""
    case = FAMILIES[family]()
    norms = stacked(case.gradients()).norm(dim=1)
    case.model.to(kind)
    found = case.responses(Probe(case.model, directions=[{}], sketch=32))
    assert (found.norm / norms - 1).abs().max() < LIMIT[kind]
    assert {torch.float32} == {
        getattr(found, name).dtype for name in ("norm", "loss", "margin", "dots", "sketch")
    }


@pytest.mark.parametrize("method", ["responses", "training_step"])
@pytest.mark.parametrize("kind", LIMIT, ids=str)
@pytest.mark.parametrize("family", ["bert", "gpt-2, next token"])
def test_a_pass_under_autocast(family: str, kind: torch.dtype, method: str) -> None:
    """Norms are as right with weights in float32 and products in half precision."""
    case = FAMILIES[family]()
    norms = stacked(case.gradients()).norm(dim=1)
    with torch.autocast("cpu", kind):
        found = case.responses(Probe(case.model), method)
    assert (found.norm / norms - 1).abs().max() < LIMIT[kind]


@pytest.mark.parametrize("kind", LIMIT, ids=str)
@pytest.mark.parametrize("family", ["bert", "gpt-2, next token", "t5"])
def test_the_probe_adds_no_error_of_its_own(family: str, kind: torch.dtype) -> None:
    """Norms differ from autograd's in the same precision by less than one rounding."""
    case = FAMILIES[family]()
    trained = {name: one for name, one in case.model.named_parameters() if one.requires_grad}
    with torch.autocast("cpu", kind):
        norms = stacked(of_one(loss, trained) for loss in case.losses(case.model)).norm(dim=1)
        found = case.responses(Probe(case.model))
    assert (found.norm / norms - 1).abs().max() < torch.finfo(kind).eps / 2


@pytest.mark.parametrize("family", ["bert", "gpt-2, next token"])
def test_autocast_reaches_no_product_of_the_probe(family: str) -> None:
    """Autocast around a model that switches it off changes no response, tied weights included."""
    case = FAMILIES[family]()
    probe = Probe(case.model)
    expected, inner = case.responses(probe).norm, case.model.forward

    def forward(*args: Any, **inputs: Any) -> Any:
        with torch.autocast("cpu", enabled=False):
            return inner(*args, **inputs)

    case.model.forward = forward
    with torch.autocast("cpu", torch.bfloat16):
        found = case.responses(probe).norm
    assert pytest.approx(expected.tolist(), rel=1e-6) == found.tolist()


def test_a_loss_scale_is_divided_out_again() -> None:
    """Weights of 1024 keep small gradients within float16's range, and do not change responses."""
    case = FAMILIES["bert"]()
    norms = stacked(case.gradients()).norm(dim=1)
    case.model.half()
    found = case.responses(Probe(case.model), "training_step", weights=torch.full((4,), 1024.0))
    assert (found.norm / norms - 1).abs().max() < LIMIT[torch.float16]
    filled = torch.cat(
        [one.grad.flatten().float() for one in case.model.parameters() if one.grad is not None]
    ).norm()
    assert 100 * norms.max() < filled
