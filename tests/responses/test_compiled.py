"""Compiled models, traced by backend `eager`, which needs no C++ compiler."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from mainstem.errors import ModelError
from mainstem.responses import Probe
from tests.responses.truth import assert_agree, directions_of, gradients
from tests.small_models import shake

# warnings of the compiler
pytestmark = pytest.mark.filterwarnings("ignore")

IDS = torch.randint(0, 9, (4, 5), generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 1, 0])


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Drop what the compiler kept of other tests."""
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def small() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Embedding(9, 6), nn.Tanh(), nn.Flatten(), nn.Linear(30, 2))
    shake(model)
    return model


@pytest.mark.parametrize("method", ["responses", "training_step"])
@pytest.mark.parametrize("warm", [False, True], ids=["fresh", "run before"])
@pytest.mark.parametrize("which", ["inner", "compiled"])
def test_a_compiled_model_has_the_same_responses(method: str, which: str, *, warm: bool) -> None:
    """Norms and dots are autograd's, unless torch compiled the model before, which is refused."""
    model = small()
    true = gradients(
        model,
        lambda exact: (
            nn.functional.cross_entropy(exact(ids.unsqueeze(0)), label.view(1))
            for ids, label in zip(IDS, LABELS, strict=True)
        ),
    )
    compiled = torch.compile(model, backend="eager")
    if warm:
        compiled.train(method == "training_step")(IDS)
    probed = model if which == "inner" else compiled
    directions = directions_of(probed)
    probe = Probe(probed, directions=directions)
    # subtle: nothing changed since, so torch does not compile again, and no layer is heard
    if warm and method == "training_step":
        with pytest.raises(
            ModelError, match="run it inside `run`, and a compiled one for the first time there"
        ):
            probe.training_step(lambda: compiled(IDS), LABELS)
        return
    for _ in range(2):
        assert_agree(getattr(probe, method)(lambda: compiled(IDS), LABELS), true, directions)
