"""Against Opacus: its per-sample gradients, and its ghost clipping norms, which form no gradients either."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mainstem.responses import Probe
from tests.responses.families import Case, bert
from tests.responses.truth import CLOSE, assert_agree, directions_of, stacked

pytestmark = pytest.mark.filterwarnings(
    "ignore"
)  # Opacus's own: how its hooks fire, and what it deprecates


def still() -> Case:
    """A BERT without dropout: Opacus works in train mode only."""
    return bert(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)


def positions(ids: Tensor) -> Tensor:
    """One row for each sample: of (1, T) Opacus cannot tell samples apart."""
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
    """Opacus's gradient of each sample."""
    from opacus import GradSampleModule

    wrapped = GradSampleModule(copy.deepcopy(case.model).train(), loss_reduction="sum")
    backward(wrapped, case)
    formed = {
        name.removeprefix("_module."): one.grad_sample for name, one in wrapped.named_parameters()
    }
    return [{name: one[place] for name, one in formed.items()} for place in range(len(case.texts))]


def test_norms_and_dots_are_those_of_opacus() -> None:
    """Its GradSampleModule forms each sample's gradient; norms and dots are the same."""
    case = still()
    directions = directions_of(case.model)
    assert_agree(
        case.responses(Probe(case.model, directions=directions)), per_sample(case), directions
    )


def test_norms_are_those_of_ghost_clipping() -> None:
    """Opacus's fast gradient clipping takes the same norms by layer."""
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
    """With 1024 floats the cosine of two samples is off by less than 4 of its standard errors, 1 / sqrt(1024) each."""
    case = still()
    rows = F.normalize(stacked(per_sample(case)))
    sketch = F.normalize(case.responses(Probe(case.model, sketch=1024)).sketch.double())
    assert (sketch @ sketch.T - rows @ rows.T).abs().max() < 4 / 1024**0.5
