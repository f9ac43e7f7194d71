"""The probe refuses all that would make a norm wrong unnoticed."""

import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from mainstem.errors import ModelError
from mainstem.objectives.losses import cross_entropy, squared_error
from mainstem.responses import Probe
from tests.responses.families import FAMILIES, WORDS, made, t5


class Normed(nn.Linear):
    """A subclass of the linear layer that multiplies with another weight than its own."""

    def forward(self, read: Tensor) -> Tensor:
        return nn.functional.linear(read, nn.functional.normalize(self.weight), self.bias)


class Scaled(nn.Linear):
    """A linear layer with one more parameter."""

    def __init__(self) -> None:
        super().__init__(3, 2)
        self.scale = nn.Parameter(torch.ones(2))

    def forward(self, read: Tensor) -> Tensor:
        return super().forward(read) * self.scale


class Enlarged(nn.Embedding):
    """An embedding whose rows are multiplied, as in BART and Gemma."""

    def forward(self, ids: Tensor) -> Tensor:
        return super().forward(ids) * 4


REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "a convolution": (
        lambda: nn.Sequential(nn.Conv1d(1, 1, 1)),
        "0.weight belongs to a Conv1d, which has no formula here",
    ),
    "a batch norm": (
        lambda: nn.Sequential(nn.BatchNorm1d(2)),
        "0.weight belongs to a BatchNorm1d, which has no formula",
    ),
    "attention in one": (
        lambda: nn.MultiheadAttention(4, 2),
        "in_proj_weight belongs to a MultiheadAttention, which has no",
    ),
    "a bare parameter": (
        lambda: nn.ParameterList([torch.ones(1)]),
        "0 belongs to a ParameterList, which has no formula",
    ),
    "layer norm over a table": (
        lambda: nn.Sequential(nn.LayerNorm((3, 2))),
        "0.weight belongs to a LayerNorm, which has no",
    ),
    "RMS norm over a table": (
        lambda: nn.Sequential(nn.RMSNorm((3, 2))),
        "0.weight belongs to a RMSNorm, which has no formula",
    ),
    "rows by frequency": (
        lambda: nn.Embedding(3, 2, scale_grad_by_freq=True),
        "weight belongs to a Embedding, which has no",
    ),
    "rows cut to a length": (
        lambda: nn.Embedding(3, 2, max_norm=1.0),
        "weight belongs to a Embedding, which has no formula",
    ),
    "linear in name": (
        lambda: nn.Sequential(Normed(3, 2)),
        "0.weight belongs to a Normed, which has no formula",
    ),
    "linear and more": (
        lambda: nn.Sequential(Scaled()),
        "belongs to a Scaled, which has no formula",
    ),
    "embedding and more": (
        lambda: nn.Sequential(Enlarged(3, 2)),
        "0.weight belongs to a Enlarged, which has no formula",
    ),
    "nothing trained": (lambda: nn.Linear(2, 2).requires_grad_(False), "no trained parameter"),
    "nothing at all": (nn.ReLU, "no trained parameter"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_a_model_without_a_formula_is_refused_by_name(
    make: Callable[[], nn.Module], message: str
) -> None:
    """A trained parameter that no formula covers is named before anything is computed."""
    with pytest.raises(ModelError, match=re.escape(message)):
        Probe(make())


def test_a_table_of_relative_positions_is_refused() -> None:
    """The layer of T5's table, whose input has no batch, is named for batches of any size."""
    model = made("T5ForConditionalGeneration", t5())
    for samples in (3, 4):
        ids, labels = torch.full((samples, 4), 7), torch.full((samples, 4), 8)
        with pytest.raises((ValueError, ModelError), match="relative_attention_bias"):
            Probe(model).responses(
                lambda ids=ids, labels=labels: model(ids, labels=labels).logits[:, -1],
                torch.zeros(samples, dtype=torch.int64),
            )


def test_a_frozen_layer_needs_no_formula() -> None:
    """A layer that is not trained is not refused."""
    model = nn.Sequential(nn.Conv1d(1, 1, 1).requires_grad_(False), nn.Flatten(), nn.Linear(3, 2))
    found = Probe(model).responses(lambda: model(torch.ones(2, 1, 3)), torch.tensor([0, 1]))
    assert (2,) == found.norm.shape


@pytest.mark.parametrize("family", ["gpt-2, next token", "bert, masked tokens", "albert", "t5"])
def test_tied_and_repeated_layers_are_not_refused(family: str) -> None:
    """A weight in several layers, and a layer passed several times, are accepted."""
    Probe(FAMILIES[family]().model)


@pytest.mark.parametrize("method", ["responses", "training_step"])
def test_an_empty_batch_is_refused(method: str) -> None:
    """A batch without samples is refused."""
    model = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="a batch needs at least one sample; got none"):
        getattr(Probe(model), method)(
            lambda: model(torch.ones(0, 2)), torch.zeros(0, dtype=torch.int64)
        )


@pytest.mark.parametrize("method", ["responses", "training_step"])
def test_a_loss_of_the_whole_batch_is_refused(method: str) -> None:
    """A mean over samples is refused, since every gradient would be B times too small."""
    model = nn.Linear(2, 2)
    message = r"a loss gives one number for each of the 3 samples; got shape \(\)"
    with pytest.raises(ValueError, match=message):
        getattr(Probe(model), method)(
            lambda: model(torch.ones(3, 2)),
            torch.tensor([0, 1, 0]),
            loss=nn.functional.cross_entropy,
        )


class Crosswise(nn.Module):
    """A layer that reads tokens first and the batch second."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.read = nn.Embedding(WORDS, 4), nn.Linear(4, 2)

    def forward(self, ids: Tensor) -> Tensor:
        return self.read(self.words(ids).transpose(0, 1)).sum(0)


def test_a_layer_whose_first_dimension_is_not_the_batch_is_named() -> None:
    """A layer whose rows are not the samples is refused by name."""
    model = Crosswise()
    message = (
        "read, a Linear, saw 5 rows where the batch has 2; give every input one row for each sample"
    )
    with pytest.raises(ValueError, match=message):
        Probe(model).responses(
            lambda: model(torch.ones(2, 5, dtype=torch.int64)), torch.tensor([0, 1])
        )


DIRECTIONS = {
    "an unknown name": (
        {"weigth": torch.ones(2, 2)},
        "a direction has 'weigth', which is no parameter of the model",
    ),
    "another shape": (
        {"weight": torch.ones(2, 3)},
        "a direction has shape (2, 3) for weight; it must be (2, 2)",
    ),
}


@pytest.mark.parametrize(("direction", "message"), DIRECTIONS.values(), ids=DIRECTIONS)
def test_a_direction_that_is_not_of_the_model_is_refused(
    direction: dict[str, Tensor], message: str
) -> None:
    """A direction with an unknown parameter or another shape is refused by name."""
    with pytest.raises(ModelError, match=re.escape(message)):
        Probe(nn.Linear(2, 2), directions=[{}, direction])


def test_a_pass_without_the_layers_is_refused() -> None:
    """A model other than the one that runs has no responses."""
    model, other = nn.Linear(2, 2), nn.Linear(2, 2).requires_grad_(False)
    with pytest.raises(ModelError, match=r"the model was run without any of the layers \[''\]"):
        Probe(model).responses(lambda: other(torch.ones(1, 2)), torch.tensor([0]))


def test_weights_of_another_shape_are_refused() -> None:
    """A column of weights is refused, since it would weigh every sample with every weight."""
    model = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="weights"):
        Probe(model).training_step(
            lambda: model(torch.ones(2, 2)), torch.tensor([0, 1]), weights=torch.ones(2, 1)
        )


def test_only_cross_entropy_has_a_margin() -> None:
    """Another loss has NaN for a margin."""
    model, targets = nn.Linear(2, 2), torch.zeros(1, 2)
    found = Probe(model).responses(lambda: model(torch.ones(1, 2)), targets, loss=squared_error)
    assert found.margin.isnan().all()
    of_labels = Probe(model).responses(
        lambda: model(torch.ones(1, 2)), torch.tensor([0]), loss=cross_entropy
    )
    assert not of_labels.margin.isnan().any()


class Outside(nn.Module):
    """An embedding whose weight is also used outside the layer."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(9, 4)

    def forward(self, ids: Tensor) -> Tensor:
        return self.words(ids).sum(1) @ self.words.weight.T


def test_a_weight_that_is_used_outside_of_its_layer_is_found_by_a_check() -> None:
    """The check finds that the responses do not add up to the gradient of an ordinary pass."""
    model, ids, labels = Outside(), torch.tensor([[1, 2], [3, 3], [4, 5]]), torch.tensor([0, 1, 1])
    with pytest.raises(ModelError, match="is a weight used outside of its layer"):
        Probe(model).check(lambda: model(ids), labels)


def test_a_model_that_is_seen_whole_passes_the_check() -> None:
    """Where responses add up to the ordinary gradient, the check passes and changes nothing."""
    model = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(8, 2))
    ids = torch.tensor([[1, 2], [3, 3], [4, 5]])
    probe = Probe(model)
    probe.check(lambda: model(ids), torch.tensor([0, 1, 1]))
    assert (3, 0) == probe.responses(lambda: model(ids), torch.tensor([0, 1, 1])).dots.shape
