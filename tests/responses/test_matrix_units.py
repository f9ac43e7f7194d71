"""Factors in bfloat16, as a GPU gets them, computed on a CPU in float32."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from mainstem.bench.responses_case import Case, batch_of, model_of
from mainstem.responses import Probe, gradient_of, listener
from mainstem.responses import gram as gram_file
from mainstem.responses import outer as outer_file
from mainstem.responses import products as products_file
from mainstem.responses import sketch as sketch_file
from mainstem.responses.live import LiveTokens


@pytest.fixture
def matrix_units(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the CPU take bfloat16 as a GPU does; return the names of the products it computes."""
    called: list[str] = []
    mm, bmm = torch.mm, torch.bmm

    def on(name: str, plain: Any) -> Any:
        def multiplied(left: Tensor, right: Tensor, **given: Any) -> Tensor:
            if given.pop("out_dtype", None) is None:
                return plain(left, right, **given)
            called.append(name)
            assert left.dtype == right.dtype == torch.bfloat16
            return plain(left.float(), right.float(), **given)

        return multiplied

    monkeypatch.setattr(torch, "mm", on("mm", mm))
    monkeypatch.setattr(torch, "bmm", on("bmm", bmm))
    for file in (products_file, gram_file, outer_file, listener):
        monkeypatch.setattr(file, "is_for_matrix_units", lambda x: x.dtype == torch.bfloat16)
    # on a GPU all tokens are taken
    monkeypatch.setattr(LiveTokens, "of", lambda *_: None)
    monkeypatch.setattr(sketch_file, "waves", sketch_file.waves_by_table)
    monkeypatch.setattr(outer_file, "waves", sketch_file.waves_by_table)
    return called


@pytest.mark.parametrize("tokens", [1, 12, 80])
def test_factors_in_bfloat16_say_what_float32_says(tokens: int, matrix_units: list[str]) -> None:
    """Norms, dots and sketches from bfloat16 factors are those of the same numbers in float32."""
    case = Case("2x64", batch=6, tokens=max(tokens, 2), vocabulary=100)
    model = model_of(case).eval()
    inputs, labels = batch_of(case, 100)
    if tokens == 1:
        inputs = {name: one[:, :1] for name, one in inputs.items()}
    direction = gradient_of(model, [(lambda: model(**inputs).logits, labels)])
    found = [_responses(copy.deepcopy(model), inputs, labels, direction)]
    used = sorted(set(matrix_units))
    with pytest.MonkeyPatch.context() as without:
        for file in (products_file, gram_file, outer_file, listener):
            without.setattr(file, "is_for_matrix_units", lambda _: False)
        found.append(_responses(copy.deepcopy(model), inputs, labels, direction))
    units, plain = found
    length = torch.stack([one.square().sum() for one in direction.values()]).sum().sqrt()
    assert used == (["mm"] if tokens == 1 else ["bmm", "mm"])
    # the layer's input is rounded, as the layer does it
    assert torch.allclose(units.norm, plain.norm, rtol=2e-3, atol=0)
    assert ((units.dots - plain.dots).abs()[:, 0] / plain.norm / length).max() < 5e-3
    assert ((units.sketch - plain.sketch).norm(dim=1) / plain.sketch.norm(dim=1)).max() < 5e-3


def _responses(
    model: Any, inputs: dict[str, Tensor], labels: Tensor, direction: dict[str, Tensor]
) -> Any:
    probe = Probe(model, directions=[direction], sketch=64)
    with torch.autocast("cpu", torch.bfloat16):
        return probe.responses(lambda: model(**inputs).logits, labels)
