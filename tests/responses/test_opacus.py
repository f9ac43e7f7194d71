"""Responses against Opacus: its per-sample gradients and its ghost clipping norms."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mainstem.responses import Probe
from tests.responses.families import Case, bert
from tests.responses.truth import CLOSE, assert_agree, directions_of, stacked

# Opacus warns of how its hooks fire and of deprecated functions
pytestmark = pytest.mark.filterwarnings("ignore")


def still() -> Case:
    """A BERT without dropout, because Opacus works in train mode only."""
    return bert(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)


def positions(ids: Tensor) -> Tensor:
    """Return positions with a row for each sample: Opacus cannot tell samples apart in (1, T)."""
    return torch.arange(ids.shape[1]).expand_as(ids).contiguous()


def backward(model: nn.Module, case: Case) -> None:
    ids, mask, labels = case.batch()
    logits = model(
        input_ids=ids,
        attention_mask=mask,
        token_type_ids=torch.zeros_like(ids),
        position_ids=positions(ids),
    ).logits
    F.cross_entropy(logits, labels, reduction="sum").backward()


def per_sample(case: Case) -> list[dict[str, Tensor]]:
    """Compute each sample's gradient with Opacus."""
    from opacus import GradSampleModule

    wrapped = GradSampleModule(copy.deepcopy(case.model).train(), loss_reduction="sum")
    backward(wrapped, case)
    formed = {
        name.removeprefix("_module."): one.grad_sample for name, one in wrapped.named_parameters()
    }
    return [{name: one[place] for name, one in formed.items()} for place in range(len(case.texts))]


def test_norms_and_dots_are_those_of_opacus() -> None:
    """Norms and dots are those of the gradients that GradSampleModule forms."""
    case = still()
    directions = directions_of(case.model)
    assert_agree(
        case.responses(Probe(case.model, directions=directions)), per_sample(case), directions
    )


def test_norms_are_those_of_ghost_clipping() -> None:
    """Norms are those of Opacus's fast gradient clipping."""
    from opacus.grad_sample import GradSampleModuleFastGradientClipping

    case = still()
    wrapped = GradSampleModuleFastGradientClipping(
        copy.deepcopy(case.model).train(),
        loss_reduction="sum",
        max_grad_norm=1.0,
        use_ghost_clipping=True,
    )
    backward(wrapped, case)
    assert (
        pytest.approx(wrapped.get_norm_sample().tolist(), rel=CLOSE)
        == case.responses(Probe(case.model)).norm.tolist()
    )


def test_dots_of_sketches_are_near_those_of_opacus() -> None:
    """With 1024 floats cosines of samples are off by less than 4 / sqrt(1024)."""
    case = still()
    rows = F.normalize(stacked(per_sample(case)))
    sketch = F.normalize(case.responses(Probe(case.model, sketch=1024)).sketch.double())
    assert (sketch @ sketch.T - rows @ rows.T).abs().max() < 4 / 1024**0.5
