"""What a scoring pass keeps beside responses: logits, and what the head of the model read."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from torch import Tensor, nn

from mainstem.models import ActiveVersion, CrossEncoder, initial_encoder
from mainstem.models.encoder import PairReader
from mainstem.models.kept import MOST_LOGITS
from mainstem.models.tokenizer import encode_pairs, pad
from mainstem.objectives import Examples
from mainstem.settings import Model, Responses, Settings
from tests.small_models import LABELS, PAIRS, given_encoder, scratch_encoder, shake, tokenizer

# passes of two, so that five pairs are put together again
SETTINGS = Settings(responses=Responses(score_batch=2), model=Model(max_tokens=24, device="cpu"))
KEEPING = SETTINGS.but({"responses.representations": True})
FIGURES = ("norm", "loss", "margin", "dots", "sketch", "logits")


@pytest.fixture(params=[scratch_encoder, given_encoder], ids=["scratch", "given"])
def encoder(request: pytest.FixtureRequest) -> CrossEncoder:
    """An encoder of each kind, with random weights everywhere."""
    encoder = request.param()
    shake(encoder.network)
    return encoder


def test_an_outside_softmax_of_the_logits_gives_the_loss(encoder: CrossEncoder) -> None:
    """The logits of a pair are those of its loss and margin, whatever its weight."""
    found = ActiveVersion(encoder, SETTINGS).responses(PAIRS, LABELS)
    assert (np.float32, (5, 2)) == (found.logits.dtype, found.logits.shape)
    rows = np.arange(5)
    losses = -log_softmax(found.logits.astype(float), axis=1)[rows, LABELS]
    assert pytest.approx(losses, rel=1e-5, abs=1e-6) == found.loss
    others = found.logits[rows, 1 - np.array(LABELS)]
    assert np.array_equal(found.logits[rows, LABELS] - others, found.margin)
    weighed = ActiveVersion(encoder, SETTINGS).responses(PAIRS, LABELS, [3.0] * 5)
    assert np.array_equal(found.logits, weighed.logits)


def test_logits_are_those_of_the_position() -> None:
    """The examination tower counts, because the loss was taken with it."""
    encoder = scratch_encoder(examined=(1,))
    shake(encoder.network)
    active = ActiveVersion(encoder, SETTINGS)
    examples = Examples.of(PAIRS, LABELS, positions=range(1, 6))
    expected = active.answers(examples, examined=True)
    assert pytest.approx(expected, rel=1e-5, abs=1e-6) == active.responses(examples).logits


@pytest.mark.parametrize(("classes", "kept"), [(MOST_LOGITS, True), (MOST_LOGITS + 1, False)])
def test_more_than_eight_logits_are_not_kept(classes: int, kept: bool) -> None:
    """A model with many classes keeps no logits."""
    settings = SETTINGS.but({"objectives.classes": ",".join("abcdefghi"[:classes])})
    encoder = initial_encoder(tokenizer(), 64, 0, classes)
    found = ActiveVersion(encoder, settings).responses(PAIRS, LABELS)
    assert kept == (found.logits is not None)


def test_without_samples_there_are_no_logits_to_keep(encoder: CrossEncoder) -> None:
    """No samples have logits of shape (0, C), and no representation."""
    found = ActiveVersion(encoder, KEEPING).responses([], [])
    assert ((0, 2), None) == (found.logits.shape, found.representation)


def direct(encoder: CrossEncoder, pair: tuple[str, str]) -> Tensor:
    """Compute what the head reads of a pair, from the layers below it."""
    network = encoder.network.eval()
    batch = pad(encode_pairs(encoder.tokenizer, [pair], 24), encoder.padding_id)
    words = {
        "input_ids": batch.ids,
        "attention_mask": batch.mask,
        "token_type_ids": batch.segments,
    }
    if not isinstance(network, PairReader):
        return network.model.bert(**words).pooler_output[0]
    read = network.bert(**words).last_hidden_state[0]
    first, second = (
        read[(batch.segments[0] == one) & (batch.mask[0] > 0)].mean(0) for one in (0, 1)
    )
    return torch.cat([first, second, first * second, (first - second).abs()])


def test_a_representation_is_what_the_head_reads(encoder: CrossEncoder) -> None:
    """It is what the layers below the head give, in half precision, in the order of the pairs."""
    found = ActiveVersion(encoder, KEEPING).responses(PAIRS, LABELS).representation
    with torch.no_grad():
        expected = np.stack([direct(encoder, pair).numpy() for pair in PAIRS])
    assert (np.float16, expected.shape) == (found.dtype, found.shape)
    assert pytest.approx(expected, rel=2e-3, abs=1e-3) == found.astype(float)


def test_the_head_makes_the_logits_of_the_representation(encoder: CrossEncoder) -> None:
    """The head, run by itself on the kept numbers, gives the kept logits."""
    found = ActiveVersion(encoder, KEEPING).responses(PAIRS, LABELS)
    network = encoder.network.eval()
    head: nn.Module = network.head if isinstance(network, PairReader) else network.model.classifier
    with torch.no_grad():
        logits = head(torch.from_numpy(found.representation).float()).numpy()
    assert pytest.approx(logits, rel=2e-2, abs=2e-2) == found.logits


def test_keeping_representations_changes_no_bit_of_the_responses(encoder: CrossEncoder) -> None:
    """Responses, logits included, are the same with representations and without."""
    direction = ActiveVersion(encoder, SETTINGS).gradient(PAIRS[:2], LABELS[:2])
    off, on = (
        ActiveVersion(encoder, settings, direction=direction, sketch=32).responses(PAIRS, LABELS)
        for settings in (SETTINGS, KEEPING)
    )
    assert (None, 5) == (off.representation, len(on.representation))
    for name in FIGURES:
        assert np.array_equal(getattr(off, name), getattr(on, name)), name
    again = ActiveVersion(encoder, SETTINGS, direction=direction, sketch=32)
    assert np.array_equal(on.norm, again.responses(PAIRS, LABELS).norm)
    assert not any(module._forward_pre_hooks for module in encoder.network.modules())


def test_numbers_beyond_half_precision_are_cut(encoder: CrossEncoder) -> None:
    """A representation is finite, however large the numbers that the head reads."""
    read: list[Tensor] = []
    network = encoder.network.eval()
    head = network.head if isinstance(network, PairReader) else network.model.dropout
    width = 4 * network.config.hidden_size
    with encoder.representing(read), torch.no_grad():
        head(torch.full((1, width), -1e6))
    assert [-65504.0] == read[0].unique().tolist()


def test_all_fields_of_responses_are_known_here() -> None:
    """A field that is added to responses must be put together from passes, too."""
    found = ActiveVersion(scratch_encoder(), KEEPING).responses(PAIRS, LABELS)
    named = [one.name for one in dataclasses.fields(found)]
    assert [*FIGURES, "representation"] == named
    assert all(5 == len(getattr(found, name)) for name in named)
