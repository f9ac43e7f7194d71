"""Behaviour and examination beside the words: what they add, and responses over them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mainstem.errors import ModelError
from mainstem.models import ActiveVersion, CrossEncoder, alignments_of
from mainstem.objectives import Examples
from mainstem.settings import Model, Responses, Settings
from tests.small_models import LABELS, PAIRS, given_encoder, scratch_encoder, shake

# two batches of the five pairs
SETTINGS = Settings(responses=Responses(score_batch=2), model=Model(max_tokens=24, device="cpu"))
CLOSE = {"rel": 1e-4, "abs": 1e-5}
NAMES = ("bought", "age", "price")
FEATURES = [(0.5, -1.0, 3.0), (), (-2.5, 0.1, 0.0), (1.9, 2.1, -0.3), (0.0, 0.0, 1.0)]
POSITIONS = [1, 0, 7, 50, 900]
EXAMPLES = Examples.of(PAIRS, LABELS, features=FEATURES, positions=POSITIONS)
KINDS = {"scratch": scratch_encoder, "given": given_encoder}


def made(make: Callable[..., CrossEncoder]) -> CrossEncoder:
    return make(features=NAMES, examined=(1,))


@pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
def encoder(request: pytest.FixtureRequest) -> CrossEncoder:
    """An encoder of each kind with both towers, with random weights everywhere."""
    encoder = made(request.param)
    shake(encoder.network)
    return encoder


def gradients(encoder: CrossEncoder) -> list[dict[str, torch.Tensor]]:
    """Return autograd's gradient of each example's loss, by parameter."""
    network, read = encoder.network.eval(), ActiveVersion(encoder, SETTINGS).read(EXAMPLES)
    found = []
    for place, label in enumerate(LABELS):
        loss = F.cross_entropy(network(read.batch([place], examined=True)), torch.tensor([label]))
        parameters = dict(network.named_parameters())
        parts = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
        found.append(
            {
                name: torch.zeros_like(one) if part is None else part
                for (name, one), part in zip(parameters.items(), parts, strict=True)
            }
        )
    return found


def flat(gradient: dict[str, torch.Tensor], *within: str) -> np.ndarray:
    return torch.cat(
        [
            gradient[name].flatten().double()
            for name in sorted(gradient)
            if not within or name.startswith(within)
        ]
    ).numpy()


def test_responses_over_features_and_towers_are_those_of_autograd(encoder: CrossEncoder) -> None:
    """Norms, alignments and the trusted gradient are autograd's, with features and positions."""
    own = gradients(encoder)
    direction = {name: 3 * own[0][name] - 2 * own[3][name] for name in own[0]}
    active = ActiveVersion(encoder, SETTINGS, direction=direction, sketch=1024)
    found = active.responses(EXAMPLES)
    rows = np.array([flat(one) for one in own])
    lengths = np.linalg.norm(rows, axis=1)
    along = flat(direction) / np.linalg.norm(flat(direction))
    assert pytest.approx(lengths, **CLOSE) == found.norm
    assert pytest.approx(rows @ along / lengths, **CLOSE) == alignments_of(found)
    sketch = found.sketch.astype(np.float64)
    error = (sketch @ sketch.T - rows @ rows.T) / np.outer(lengths, lengths)
    assert np.abs(error).max() < 0.25
    assert pytest.approx(rows.mean(axis=0), **CLOSE) == flat(active.gradient(EXAMPLES))
    for tower in ("behaviour.", "examination."):
        assert np.abs(flat(own[0], tower)).max() > 0


def test_responses_over_the_towers_alone_are_those_of_autograd(encoder: CrossEncoder) -> None:
    """Fewer layers, among them the towers, give autograd's norms over these layers."""
    settings = SETTINGS.but({"responses.response_layers": "behaviour.*,examination.*"})
    found = ActiveVersion(encoder, settings).responses(EXAMPLES)
    own = [flat(one, "behaviour.", "examination.") for one in gradients(encoder)]
    assert pytest.approx(np.linalg.norm(own, axis=1), **CLOSE) == found.norm


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_a_lower_precision_is_close_with_towers(encoder: CrossEncoder, precision: str) -> None:
    """Norms in half precision differ by a few percent from autograd's."""
    settings = SETTINGS.but({"responses.precision": precision})
    true = [np.linalg.norm(flat(one)) for one in gradients(encoder)]
    assert (
        pytest.approx(true, rel=0.05) == ActiveVersion(encoder, settings).responses(EXAMPLES).norm
    )


def test_the_check_of_a_model_runs_its_towers(encoder: CrossEncoder) -> None:
    """A model with towers passes the check, and one that uses a tower's weight twice does not."""
    ActiveVersion(encoder, SETTINGS).check()
    network = encoder.network
    inner = network.forward
    weight = network.examination.read.weight
    network.forward = lambda batch: inner(batch) + weight[0, :2]
    with pytest.raises(ModelError, match=r"examination\.read\.weight along .* used outside"):
        ActiveVersion(encoder, SETTINGS).check()


def test_unknown_features_are_at_their_mean(encoder: CrossEncoder) -> None:
    """No features, features of 0 and behaviour that is taken out give the same logits."""
    active = ActiveVersion(encoder, SETTINGS)
    zeros = replace(EXAMPLES, features=np.zeros((5, 3), np.float32))
    without = active.logits(PAIRS)
    assert np.array_equal(without, active.logits(zeros))
    assert np.array_equal(without, active.logits(EXAMPLES, behaviour=False))
    assert (np.abs(without - active.logits(EXAMPLES)).max(axis=1) > 1e-3).tolist() == [
        True,
        False,  # its features are unknown
        True,
        True,
        True,
    ]


def test_a_position_counts_only_where_it_is_asked_for(encoder: CrossEncoder) -> None:
    """The tower adds to a yes alone; an unknown position adds nothing, and 50 is as far as 900."""
    active = ActiveVersion(encoder, SETTINGS)
    added = active.logits(EXAMPLES, examined=True) - active.logits(EXAMPLES)
    weight = encoder.network.examination.read.weight[0].tolist()
    assert (
        pytest.approx([weight[0], 0.0, weight[6], weight[49], weight[49]], **CLOSE) == added[:, 1]
    )
    assert [0.0] * 5 == added[:, 0].tolist()


def test_a_given_model_starts_as_it_was_given() -> None:
    """Both towers start at zero beside a given model, and the behaviour part can learn."""
    plain, both = given_encoder(), made(given_encoder)
    expected = ActiveVersion(plain, SETTINGS).logits(PAIRS)
    active = ActiveVersion(both, SETTINGS)
    assert np.array_equal(expected, active.logits(EXAMPLES, examined=True))
    assert active.gradient(EXAMPLES)["beside.weight"].abs().max() > 0


def test_a_model_of_words_alone_reads_no_features(encoder: CrossEncoder) -> None:
    """A version from before there was behaviour scores samples that have features by the words."""
    words = KINDS["scratch" if encoder.from_scratch else "given"]()
    active = ActiveVersion(words, SETTINGS)
    assert np.array_equal(active.logits(PAIRS), active.logits(EXAMPLES, examined=True))


def test_another_number_of_features_is_refused(encoder: CrossEncoder) -> None:
    """Features of another number than the model reads are an error that names the model's."""
    other = Examples.of(PAIRS, LABELS, features=[(0.5,)] * 5)
    with pytest.raises(ModelError, match=r"reads 3 features, bought, age, price; got 1 of each"):
        ActiveVersion(encoder, SETTINGS).logits(other)
