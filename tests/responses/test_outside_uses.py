"""A weight used outside its layer is refused by name at once, and right as advised."""

import ast
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mainstem.errors import ModelError
from mainstem.objectives.losses import cross_entropy
from mainstem.responses import Probe
from tests.responses.families import bert
from tests.responses.oddities import IDS, LABELS, Net, alone, made, mean

METHODS = ["responses", "training_step"]


class Tied(nn.Module):
    """An embedding whose table is also the head, by a function."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.layer = nn.Embedding(9, 4), nn.Linear(4, 4)

    def forward(self, ids: Tensor) -> Tensor:
        return F.linear(self.layer(self.words(ids)).tanh().mean(1), self.words.weight)


class Aliased(Net):
    """A layer whose weight another module keeps in a list and multiplies with."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(4, 4), mean)
        self.others = [self.layer.weight]

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.layer(self.words(ids) @ self.others[0]).tanh().mean(1))


class Switched(Net):
    """A layer whose weight is also used in another way, once that is switched on."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(4, 4), mean)
        self.extra, self.is_on = nn.Linear(4, 4), False

    def forward(self, ids: Tensor) -> Tensor:
        read = self.layer(self.words(ids)).tanh().mean(1)
        return self.head(self.extra(read) @ self.layer.weight if self.is_on else read)


def checkpointed(layer: nn.Module, read: Tensor) -> Tensor:
    return checkpoint(lambda x: layer(x).tanh() @ layer.weight, read, use_reentrant=False).mean(1)


OUTSIDE: dict[str, Callable[[], nn.Module]] = {
    "tied by function": Tied,
    "an alias": Aliased,
    "after its layer": lambda: Net(nn.Linear(4, 4), lambda layer, x: mean(layer, x) @ layer.weight),
    "before its layer": lambda: Net(
        nn.Linear(4, 4), lambda layer, x: mean(layer, F.linear(x, layer.weight))
    ),
    "between two passes": lambda: Net(
        nn.Linear(4, 4), lambda layer, x: mean(layer, F.linear(layer(x), layer.weight))
    ),
    "a part of it": lambda: Net(nn.Linear(4, 4), lambda layer, x: mean(layer, x) * layer.weight[0]),
    "beside nothing": lambda: Net(
        nn.Linear(4, 4), lambda layer, x: mean(layer, x) + 0 * layer.weight.sum()
    ),
    "a tiny penalty": lambda: Net(
        nn.Linear(4, 4), lambda layer, x: mean(layer, x) + 1e-9 * layer.weight.square().sum()
    ),
    "a bias": lambda: Net(nn.Linear(4, 4), lambda layer, x: mean(layer, x) + layer.bias),
    "a scale": lambda: Net(nn.LayerNorm(4), lambda layer, x: mean(layer, x) * layer.weight),
    "in a checkpoint": lambda: Net(nn.Linear(4, 4), checkpointed),
}


def assert_right(model: nn.Module, probe: Probe, method: str) -> None:
    for ids in (IDS, IDS[:3]):
        found = getattr(probe, method)(lambda ids=ids: model(ids), LABELS[: len(ids)])
        assert pytest.approx(alone(model, ids), rel=1e-4) == found.norm.tolist()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("make", OUTSIDE.values(), ids=OUTSIDE)
def test_a_use_outside_is_refused_and_right_as_advised(
    make: Callable[[], nn.Module], method: str
) -> None:
    """The layer is named and nothing is left behind; with `per_sample` the norms are right."""
    model = made(make)
    owner = "words" if make is Tied else "layer"
    message = rf"^{owner}, a \w+, was run, but {owner}.\w+ was used outside of its layer"
    with pytest.raises(ModelError, match=message) as refused:
        getattr(Probe(model), method)(lambda: model(IDS), LABELS)
    assert all(one.grad is None and one.requires_grad for one in model.parameters())
    assert_right(
        model,
        Probe(model, per_sample=ast.literal_eval(str(refused.value).partition("per_sample=")[2])),
        method,
    )


@pytest.mark.parametrize("method", METHODS)
def test_what_autograd_may_form_needs_no_advice(method: str) -> None:
    """A layer whose gradients autograd may form needs no advice, whatever else uses its weight."""
    model = made(
        lambda: Net(
            nn.Conv1d(4, 4, 1),
            lambda layer, x: layer(x.transpose(1, 2)).tanh().mean(2) @ layer.weight[:, :, 0],
        )
    )
    assert_right(model, Probe(model, per_sample=["layer"]), method)


@pytest.mark.parametrize("method", METHODS)
def test_a_penalty_in_the_loss_is_a_use(method: str) -> None:
    """A penalty on a weight in the loss is part of each sample's gradient."""
    model = made(lambda: Net(nn.Linear(4, 4), mean))

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(logits, labels) + model.layer.weight.square().sum()

    with pytest.raises(
        ModelError, match=r"layer.weight was used outside of its layer.*per_sample=\['layer'\]"
    ):
        getattr(Probe(model), method)(lambda: model(IDS), LABELS, loss=loss)
    found = getattr(Probe(model, per_sample=["layer"]), method)(
        lambda: model(IDS), LABELS, loss=loss
    )
    true = [
        torch.stack(
            [one.square().sum() for one in torch.autograd.grad(each, list(model.parameters()))]
        )
        .sum()
        .sqrt()
        for each in (loss(model(IDS[[i]]), LABELS[[i]]).sum() for i in range(len(IDS)))
    ]
    assert pytest.approx([float(one) for one in true], rel=1e-4) == found.norm.tolist()


def shared() -> nn.Module:
    """Make two layers that share one weight."""
    model = Net(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)), mean)
    model.layer[1].weight = model.layer[0].weight
    return model


RIGHT: dict[str, Callable[[], nn.Module]] = {
    "one weight in two layers": shared,
    "its numbers only": lambda: Net(
        nn.Linear(4, 4), lambda layer, x: mean(layer, x) @ layer.weight.detach()
    ),
    "a layer that reads twice": lambda: Net(
        nn.Linear(4, 4), lambda layer, x: mean(layer, x) + mean(layer, x.tanh())
    ),
    "a checkpoint": lambda: Net(
        nn.Linear(4, 4), lambda layer, x: checkpoint(mean, layer, x, use_reentrant=False)
    ),
    "a checkpoint, reentrant": lambda: Net(
        nn.Linear(4, 4), lambda layer, x: checkpoint(mean, layer, x, use_reentrant=True)
    ),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("make", RIGHT.values(), ids=RIGHT)
def test_what_layers_do_alone_is_no_use_outside(make: Callable[[], nn.Module], method: str) -> None:
    """Shared weights, detached weights and checkpoints are right, and not refused."""
    model = made(make)
    probe, true = Probe(model), alone_by_backward(model)
    for _ in range(2):
        assert (
            pytest.approx(true, rel=1e-4)
            == getattr(probe, method)(lambda: model(IDS), LABELS).norm.tolist()
        )


def alone_by_backward(model: nn.Module) -> list[float]:
    """Compute each sample's norm in a pass of its own that a reentrant checkpoint allows."""
    norms = []
    for one, label in zip(IDS, LABELS, strict=True):
        model.zero_grad()
        F.cross_entropy(model(one.unsqueeze(0)), label.view(1)).backward()
        norms.append(
            float(
                torch.stack([part.grad.square().sum() for part in model.parameters()]).sum().sqrt()
            )
        )
    return norms


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
# warnings of the compiler
@pytest.mark.filterwarnings("ignore")
def test_a_compiled_model_is_seen_through(backend: str, method: str) -> None:
    """Compiling hides no outside use of a weight, and invents none."""
    for make, is_refused in ((Tied, True), (lambda: Net(nn.Linear(4, 4), mean), False)):
        torch._dynamo.reset()
        model = made(make)
        compiled: Any = torch.compile(model, backend=backend)
        if is_refused:
            with pytest.raises(ModelError, match=r"words\.weight was used outside of its layer"):
                getattr(Probe(model), method)(lambda compiled=compiled: compiled(IDS), LABELS)
        else:
            found = getattr(Probe(model), method)(lambda compiled=compiled: compiled(IDS), LABELS)
            assert pytest.approx(alone(model), rel=1e-4) == found.norm.tolist()
    torch._dynamo.reset()


@pytest.mark.parametrize("method", METHODS)
def test_a_use_under_autocast_is_seen(method: str) -> None:
    """Autocast's cast of a weight serves all its uses, and hides none of them."""
    for make, is_refused in ((Tied, True), (lambda: Net(nn.Linear(4, 4), mean), False)):
        model = made(make)
        run = torch.autocast("cpu", torch.bfloat16)(lambda model=model: model(IDS))
        if is_refused:
            with pytest.raises(ModelError, match=r"words\.weight was used outside of its layer"):
                getattr(Probe(model), method)(run, LABELS)
        else:
            assert (
                pytest.approx(alone(model), rel=0.05)
                == getattr(Probe(model), method)(run, LABELS).norm.tolist()
            )


@pytest.mark.parametrize("method", METHODS)
def test_another_way_through_the_model_is_looked_at_when_it_is_taken(method: str) -> None:
    """An outside use in a new branch is found in the first pass that takes the branch."""
    model = made(Switched)
    probe = Probe(model)
    for _ in range(2):
        getattr(probe, method)(lambda: model(IDS), LABELS)
    model.is_on = True
    with pytest.raises(ModelError, match=r"layer\.weight was used outside of its layer"):
        getattr(probe, method)(lambda: model(IDS), LABELS)


def test_a_first_pass_runs_the_model_once_and_says_the_same_as_a_second() -> None:
    """A first pass runs the model once, and a second gives the same numbers bit for bit."""
    case, runs = bert(), []
    ids, mask, targets = case.batch()

    def run() -> Tensor:
        runs.append(1)
        return case.model(ids, attention_mask=mask).logits

    probe = Probe(case.model, sketch=64)
    first, second = probe.responses(run, targets), probe.responses(run, targets)
    assert 2 == len(runs)
    assert first.norm.tolist() == second.norm.tolist()
    assert torch.equal(first.sketch, second.sketch)


@pytest.mark.parametrize("method", METHODS)
def test_hooks_on_gradients_run_in_a_training_step_only(method: str) -> None:
    """A hook on accumulated gradients runs in a training step, and not in `responses`."""
    model, heard = made(lambda: Net(nn.Linear(4, 4), mean)), list[Tensor]()
    for one in model.parameters():
        one.register_post_accumulate_grad_hook(heard.append)
    getattr(Probe(model), method)(lambda: model(IDS), LABELS)
    assert (len(list(model.parameters())) if method == "training_step" else 0) == len(heard)
