"""Norms and dots of each family of models against autograd, over every trained parameter."""

from collections.abc import Callable

import pytest
import torch

from mainstem.responses import Probe
from tests.responses.families import FAMILIES, Case, bert
from tests.responses.truth import CLOSE, assert_agree, directions_of, stacked


@pytest.mark.parametrize("make", FAMILIES.values(), ids=FAMILIES)
def test_a_familys_responses_are_autograds(make: Callable[[], Case]) -> None:
    """In a ragged batch each norm and each dot with a direction is that of the sample alone."""
    case = make()
    directions = directions_of(case.model)
    found = case.responses(Probe(case.model, directions=directions))
    assert_agree(found, case.gradients(), directions)
    exact = [float(loss.detach()) for loss in case.losses(case.model)]
    assert pytest.approx(exact, rel=CLOSE) == found.loss.tolist()


@pytest.mark.parametrize("make", FAMILIES.values(), ids=FAMILIES)
def test_each_layer_is_right_by_itself(make: Callable[[], Case]) -> None:
    """With the probe on one layer at a time, each norm is that of the layer's own parameters."""
    case = make()
    true = case.gradients()
    shared = {id(one): 0 for one in case.model.parameters()}
    for _, one in case.model.named_parameters(remove_duplicate=False):
        shared[id(one)] += 1
    for name, layer in case.model.named_modules():
        own = [one for one in layer.parameters(recurse=False) if one.requires_grad]
        # a tied weight belongs to another layer too
        if not own or any(shared[id(one)] > 1 for one in own):
            continue
        names = [
            full for full, one in case.model.named_parameters() if any(one is each for each in own)
        ]
        norms = stacked({full: one[full] for full in names} for one in true).norm(dim=1)
        # subtle: what attention adds to all keys changes nothing, so its gradient is only rounding
        if norms.max() > 1e-9:
            found = case.responses(Probe(case.model, layers=[name]))
            assert pytest.approx(norms.tolist(), rel=1e-4, abs=1e-7) == found.norm.tolist(), name


def test_a_second_pass_says_the_same() -> None:
    """A pass leaves nothing that changes the next one, whatever its size."""
    case, other = bert(), bert(lengths=(4,))
    probe = Probe(case.model, directions=directions_of(case.model), sketch=64)
    first = case.responses(probe)
    probe.responses(lambda: case.model(other.texts[0].unsqueeze(0)).logits, torch.tensor([0]))
    again = case.responses(probe)
    for name in ("norm", "loss", "margin", "dots", "sketch"):
        assert torch.equal(getattr(first, name), getattr(again, name)), name


def test_arrays_hold_what_tensors_hold() -> None:
    """`numpy()` gives the same numbers as float32 arrays."""
    case = bert()
    found = case.responses(Probe(case.model, sketch=32))
    arrays = found.numpy()
    assert [4, 4, 4, (4, 0), (4, 32)] == [
        *(len(one) for one in (arrays.norm, arrays.loss, arrays.margin)),
        arrays.dots.shape,
        arrays.sketch.shape,
    ]
    assert found.sketch.tolist() == arrays.sketch.tolist()
    assert {"float32"} == {
        str(getattr(arrays, name).dtype) for name in ("norm", "loss", "margin", "dots", "sketch")
    }
