"""Gradient checkpointing gives the same responses and still saves its memory."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils.checkpoint import checkpoint

from mainstem.errors import ModelError
from mainstem.objectives.losses import cross_entropy
from mainstem.responses import Probe
from tests.responses.families import bert
from tests.responses.truth import CLOSE, assert_agree, directions_of, flat, gradients
from tests.small_models import shake

MODES = {"kept": None, "not reentrant": False, "reentrant": True}
"""Torch's two ways of checkpointing, and None for no checkpointing."""


class Blocks(nn.Module):
    """Words and checkpointed blocks, the last of which is passed twice."""

    def __init__(self, reentrant: bool | None) -> None:
        super().__init__()
        self.words, self.head, self.reentrant = nn.Embedding(9, 6), nn.Linear(6, 2), reentrant
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 6)) for _ in range(3)
        )

    def forward(self, ids: Tensor) -> Tensor:
        read = self.words(ids)
        for block in [*self.blocks, self.blocks[-1]]:
            read = (
                block(read)
                if self.reentrant is None
                else checkpoint(block, read, use_reentrant=self.reentrant)
            )
        return self.head(read.mean(1))


def blocks(reentrant: bool | None) -> Blocks:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Blocks(reentrant)
    shake(model)
    return model


IDS = torch.randint(0, 9, (4, 5), generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 1, 0])


def true_gradients(layers: tuple[str, ...] = ("",)) -> list[dict[str, Tensor]]:
    """Compute gradients by autograd, without checkpointing, of parameters with these prefixes."""
    found = gradients(
        blocks(None),
        lambda exact: (
            cross_entropy(exact(ids.unsqueeze(0)), label.view(1))[0]
            for ids, label in zip(IDS, LABELS, strict=True)
        ),
    )
    return [{name: one[name] for name in one if name.startswith(layers)} for one in found]


@pytest.mark.parametrize("method", ["responses", "training_step"])
@pytest.mark.parametrize("reentrant", MODES.values(), ids=MODES)
def test_responses_are_the_same(reentrant: bool | None, method: str) -> None:
    """Norms and dots are autograd's with or without checkpointing, also of a block passed twice."""
    model = blocks(reentrant)
    directions = directions_of(model)
    found = getattr(Probe(model, directions=directions), method)(lambda: model(IDS), LABELS)
    assert_agree(found, true_gradients(), directions)


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
@pytest.mark.parametrize("reentrant", MODES.values(), ids=MODES)
def test_chosen_layers_in_a_checkpoint_are_not_lost(reentrant: bool | None) -> None:
    """Chosen layers in a checkpoint count although its input has no gradient, or are refused."""
    model = blocks(reentrant)
    true = true_gradients(("blocks.", "head."))
    ones = {name: torch.ones_like(one) for name, one in true[0].items()}
    if reentrant:
        with pytest.raises(ModelError, match="checkpoint with use_reentrant=False"):
            Probe(model, layers=["blocks", "head"]).responses(lambda: model(IDS), LABELS)
        return
    found = Probe(model, directions=[ones], layers=["blocks", "head"]).responses(
        lambda: model(IDS), LABELS
    )
    assert_agree(found, true, [ones])


@pytest.mark.parametrize("reentrant", [False, True], ids=["not reentrant", "reentrant"])
def test_transformers_own_checkpointing(*, reentrant: bool) -> None:
    """`gradient_checkpointing_enable` changes no responses and no gradients, dropout included."""

    def step(*, checkpointed: bool) -> tuple[Any, Tensor]:
        case = bert(hidden_dropout_prob=0.2)
        case.model.train()
        if checkpointed:
            case.model.gradient_checkpointing_enable(
                gradient_checkpointing_kwargs={"use_reentrant": reentrant}
            )
        torch.manual_seed(5)
        found = case.responses(
            Probe(case.model, directions=directions_of(case.model), sketch=32), "training_step"
        )
        return found, flat(
            {name: one.grad for name, one in case.model.named_parameters() if one.grad is not None}
        )

    (plain, filled), (found, again) = step(checkpointed=False), step(checkpointed=True)
    for name in ("norm", "loss", "dots", "sketch"):
        assert (getattr(plain, name) - getattr(found, name)).norm() <= CLOSE * getattr(
            plain, name
        ).norm(), name
    assert (filled - again).norm() <= CLOSE * filled.norm()


class Seen:
    """The input of a layer at each of its runs, known for as long as it is in memory."""

    def __init__(self, layer: nn.Module) -> None:
        self.refs: list[StorageWeakRef] = []
        layer.register_forward_pre_hook(self)

    def __call__(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self.refs.append(StorageWeakRef(inputs[0].untyped_storage()))

    def held(self) -> list[bool]:
        """Whether each input is still in memory."""
        return [not one.expired() for one in self.refs]


@pytest.mark.parametrize("method", ["responses", "training_step"])
@pytest.mark.parametrize(
    ("reentrant", "expected"), [(None, True), (False, False), (True, False)], ids=MODES
)
def test_what_is_inside_a_block_is_not_kept_until_the_backward_pass(
    reentrant: bool | None, method: str, expected: bool
) -> None:
    """Between the passes the inputs of layers inside a checkpointed block are not in memory."""
    model, held = blocks(reentrant), []
    inner = Seen(model.blocks[0][2])

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        held.extend(inner.held())
        return cross_entropy(logits, labels)

    getattr(Probe(model), method)(lambda: model(IDS), LABELS, loss=loss)
    assert [expected] == held


@pytest.mark.parametrize("method", ["responses", "training_step", "without a probe"])
def test_what_was_computed_again_is_dropped_after_its_backward_pass(method: str) -> None:
    """When the first block is computed again, the recomputed inputs of the second are gone."""
    model, held = blocks(reentrant=False), []
    probe = Probe(model)
    # the first pass of a probe goes backward once more, to see where the batch is
    if method != "without a probe":
        getattr(probe, method)(lambda: model(IDS), LABELS)
    second = Seen(model.blocks[1][2])
    model.blocks[0].register_forward_pre_hook(lambda *_: held.append(second.held()))
    if method == "without a probe":
        cross_entropy(model(IDS), LABELS).sum().backward()
    else:
        getattr(probe, method)(lambda: model(IDS), LABELS)
    assert [[], [False, False]] == held
