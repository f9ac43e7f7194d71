"""An active version: the results of a pair do not depend on the pairs scored with it."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from mainstem.errors import ModelError
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.models.device import device_of
from mainstem.models.tokenizer import encode_pairs, pad
from mainstem.settings import Model, Responses, Settings
from tests.responses.truth import true_norms
from tests.small_models import LABELS, PAIRS, given_encoder, scratch_encoder, shake

# two batches of the five pairs
SETTINGS = Settings(responses=Responses(score_batch=2), model=Model(max_tokens=24, device="cpu"))
# as in the probe's own parity tests
CLOSE = {"rel": 1e-5, "abs": 1e-6}


@pytest.fixture(params=[scratch_encoder, given_encoder], ids=["scratch", "given"])
def encoder(request: pytest.FixtureRequest) -> CrossEncoder:
    """An encoder of each kind, with random weights everywhere."""
    encoder = request.param()
    shake(encoder.network)
    return encoder


def direct_logits(encoder: CrossEncoder) -> torch.Tensor:
    """Compute the logits of the pairs, one at a time."""
    encoded = encode_pairs(encoder.tokenizer, PAIRS, SETTINGS.model.max_tokens)
    with torch.no_grad():
        return torch.cat(
            [encoder.network.eval()(pad([one], encoder.padding_id)) for one in encoded]
        )


def test_responses_keep_the_order_of_the_samples(encoder: CrossEncoder) -> None:
    """Each sample gets its own norm, loss and margin, although pairs of like length go together."""
    found = ActiveVersion(encoder, SETTINGS).responses(PAIRS, LABELS)
    logits, labels = direct_logits(encoder), torch.tensor(LABELS)
    rows = torch.arange(len(LABELS))
    encoded = encode_pairs(encoder.tokenizer, PAIRS, SETTINGS.model.max_tokens)
    assert pytest.approx(true_norms(encoder.network, encoded, labels), **CLOSE) == found.norm
    assert (
        pytest.approx(F.cross_entropy(logits, labels, reduction="none").numpy(), **CLOSE)
        == found.loss
    )
    assert (
        pytest.approx((logits[rows, labels] - logits[rows, 1 - labels]).numpy(), **CLOSE)
        == found.margin
    )


def test_pairs_of_like_length_go_together(encoder: CrossEncoder) -> None:
    """Batches are made by length, so that little is computed on padding."""
    widths: list[int] = []
    encoder.network.register_forward_pre_hook(lambda _, given: widths.append(given[0].ids.shape[1]))
    ActiveVersion(encoder, SETTINGS).responses(PAIRS, LABELS)
    lengths = sorted(
        len(ids) for ids, _ in encode_pairs(encoder.tokenizer, PAIRS, SETTINGS.model.max_tokens)
    )
    # 48 tokens: three pairs of 11, two of 18
    assert [lengths[2], lengths[4]] == widths


@pytest.mark.parametrize("size", [1, 3, 64])
def test_the_size_of_a_pass_does_not_matter(encoder: CrossEncoder, size: int) -> None:
    """Any number of samples in a pass gives the same responses."""
    found = ActiveVersion(encoder, SETTINGS).responses(PAIRS, LABELS)
    other = ActiveVersion(encoder, SETTINGS.but({"responses.score_batch": size})).responses(
        PAIRS, LABELS
    )
    for name in ("norm", "loss", "margin"):
        assert pytest.approx(getattr(found, name), **CLOSE) == getattr(other, name)


def test_logits_are_those_of_a_direct_forward_pass(encoder: CrossEncoder) -> None:
    """Logits come in the order of the pairs, in double precision."""
    logits = ActiveVersion(encoder, SETTINGS).logits(PAIRS)
    assert pytest.approx(np.array(direct_logits(encoder).tolist()), **CLOSE) == logits
    assert np.float64 == logits.dtype


def test_logits_hold_without_dropout(encoder: CrossEncoder) -> None:
    """Logits are computed without dropout, even if the network is in training mode."""
    active = ActiveVersion(encoder, SETTINGS)
    encoder.network.train()
    first = active.logits(PAIRS)
    encoder.network.train()
    assert np.array_equal(first, active.logits(PAIRS))


def test_scoring_changes_no_weight(encoder: CrossEncoder) -> None:
    """Scoring changes no weight of the version."""
    before = [parameter.detach().clone() for parameter in encoder.network.parameters()]
    active = ActiveVersion(encoder, SETTINGS)
    active.responses(PAIRS, LABELS)
    active.logits(PAIRS)
    assert all(
        torch.equal(one, other)
        for one, other in zip(before, encoder.network.parameters(), strict=True)
    )


def test_no_samples_have_no_responses(encoder: CrossEncoder) -> None:
    """Without samples the results are empty."""
    active = ActiveVersion(encoder, SETTINGS)
    *parts, representation = dataclasses.astuple(active.responses([], []))
    assert [(0,), (0,), (0,), (0, 0), (0, 0), (0, 2)] == [part.shape for part in parts]
    assert representation is None
    assert (0, 2) == active.logits([]).shape


def test_a_network_without_a_formula_is_refused_before_scoring() -> None:
    """A network without a formula is refused at once, since its norms would be wrong."""
    encoder = scratch_encoder()
    encoder.network.head[1] = torch.nn.PReLU()
    with pytest.raises(
        ModelError, match=r"head\.1\.weight belongs to a PReLU, which has no formula"
    ):
        ActiveVersion(encoder, SETTINGS)


def test_a_device_that_is_named_is_taken() -> None:
    """Device `cpu` is the CPU even where there is a GPU."""
    assert torch.device("cpu") == device_of(SETTINGS)


WORDS = ("red", "white", "cups", "heart", "set", "woolly", "hottie")
TEXT = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(TEXT, TEXT), max_size=40), st.integers(1, 9), st.integers(8, 24))
def test_no_pass_holds_more_tokens_than_it_may(
    pairs: list[tuple[str, str]], size: int, max_tokens: int
) -> None:
    """A pass holds at most `score_batch` times `max_tokens` tokens, and no pair is lost."""
    active = small_active(size, max_tokens)
    encoded = encode_pairs(active.encoder.tokenizer, pairs, max_tokens)
    seen: list[int] = []
    for places, batch in active._batches(active.read(pairs), size * max_tokens):
        assert batch.ids.numel() <= size * max_tokens
        assert [ids for ids, _ in (encoded[place] for place in places)] == [
            row[mask == 1].tolist() for row, mask in zip(batch.ids, batch.mask, strict=True)
        ]
        seen += places.tolist()
    assert list(range(len(pairs))) == sorted(seen)


def test_short_pairs_fill_a_pass() -> None:
    """More short pairs than `score_batch` share a pass, so that it is nearly full."""
    active = small_active(4, 24)
    pairs = [("red", "cups")] * 50
    length = len(encode_pairs(active.encoder.tokenizer, pairs[:1], 24)[0][0])
    whole = 4 * 24 // length
    assert whole > 4
    sizes = [len(places) for places, _ in active._batches(active.read(pairs), 4 * 24)]
    assert [whole] * (50 // whole) + [50 % whole] * (50 % whole > 0) == sizes


def test_pairs_of_one_length_stay_in_their_order() -> None:
    """The results of many passes come back in the order of the pairs."""
    active = small_active(2, 24)
    pairs = [(WORDS[number % 7], " ".join(WORDS[: number % 5])) for number in range(40)]
    alone = np.concatenate([active.logits([pair]) for pair in pairs])
    together = active.responses(pairs, [1] * 40)
    assert pytest.approx(alone, **CLOSE) == active.logits(pairs)
    assert pytest.approx(alone[:, 1] - alone[:, 0], **CLOSE) == together.margin


def small_active(size: int, max_tokens: int) -> ActiveVersion:
    """Make an active version with passes of so many pairs of so many tokens."""
    encoder = given_encoder()
    shake(encoder.network)
    return ActiveVersion(
        encoder,
        Settings(
            responses=Responses(score_batch=size), model=Model(max_tokens=max_tokens, device="cpu")
        ),
    )
