"""Where a response points, and how passes fit into the memory of a device."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mainstem.errors import ModelError
from mainstem.models import ActiveVersion, CrossEncoder, alignments_of
from mainstem.models.device import precision_of
from mainstem.models.tokenizer import encode_pairs, pad
from mainstem.settings import Model, Responses, Settings
from mainstem.versions import Versions, load_active
from tests.small_models import LABELS, PAIRS, given_encoder, scratch_encoder, shake

# two batches of the five pairs
SETTINGS = Settings(responses=Responses(score_batch=2), model=Model(max_tokens=24, device="cpu"))
CLOSE = {"rel": 1e-4, "abs": 1e-5}


@pytest.fixture(params=[scratch_encoder, given_encoder], ids=["scratch", "given"])
def encoder(request: pytest.FixtureRequest) -> CrossEncoder:
    """An encoder of each kind, with random weights everywhere."""
    encoder = request.param()
    shake(encoder.network)
    return encoder


def gradients(encoder: CrossEncoder) -> Iterator[dict[str, Tensor]]:
    """Yield autograd's gradient of each pair, by parameter."""
    encoded = encode_pairs(encoder.tokenizer, PAIRS, SETTINGS.model.max_tokens)
    for one, label in zip(encoded, LABELS, strict=True):
        encoder.network.eval().zero_grad()
        F.cross_entropy(
            encoder.network(pad([one], encoder.padding_id)), torch.tensor([label])
        ).backward()
        yield {
            name: part.grad.clone()
            for name, part in encoder.network.named_parameters()
            if part.grad is not None
        }
    encoder.network.zero_grad()


def flat(gradient: Mapping[str, Tensor], within: str = "") -> np.ndarray:
    """Flatten a gradient in float64, over the parameters whose names begin with `within`."""
    return torch.cat(
        [gradient[name].flatten().double() for name in sorted(gradient) if name.startswith(within)]
    ).numpy()


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


WEIGHTS = [1.0, 0.5, 3.0, 0.0, 1e-3]


def test_a_weight_is_a_factor_of_the_loss(encoder: CrossEncoder) -> None:
    """Norm, loss, dot and sketch are those of the weighted loss, and the margin is unweighted."""
    direction = ActiveVersion(encoder, SETTINGS).gradient(PAIRS[:2], LABELS[:2])
    active = ActiveVersion(encoder, SETTINGS, direction=direction, sketch=64)
    plain, weighed = active.responses(PAIRS, LABELS), active.responses(PAIRS, LABELS, WEIGHTS)
    own = [weight * flat(one) for weight, one in zip(WEIGHTS, gradients(encoder), strict=True)]
    along = flat(direction) / np.linalg.norm(flat(direction))
    assert pytest.approx([np.linalg.norm(one) for one in own], **CLOSE) == weighed.norm.astype(
        float
    )
    assert pytest.approx([float(one @ along) for one in own], **CLOSE) == weighed.dots[:, 0].astype(
        float
    )
    assert pytest.approx(plain.sketch * np.array(WEIGHTS)[:, None], **CLOSE) == weighed.sketch
    assert pytest.approx(plain.loss * np.array(WEIGHTS), **CLOSE) == weighed.loss
    assert np.array_equal(plain.margin, weighed.margin)
    one = active.responses(PAIRS, LABELS, [1.0] * 5)
    assert all(
        np.array_equal(*pair)
        for pair in zip(dataclasses.astuple(plain), dataclasses.astuple(one), strict=True)
    )


def test_the_gradient_of_weighted_samples_is_that_of_their_losses(encoder: CrossEncoder) -> None:
    """It is the mean of autograd's weighted gradients, and weights of 1 change no bit."""
    active = ActiveVersion(encoder, SETTINGS)
    mean = np.mean(
        [weight * flat(one) for weight, one in zip(WEIGHTS, gradients(encoder), strict=True)],
        axis=0,
    )
    assert pytest.approx(mean, **CLOSE) == flat(active.gradient(PAIRS, LABELS, WEIGHTS))
    assert np.array_equal(
        flat(active.gradient(PAIRS, LABELS)), flat(active.gradient(PAIRS, LABELS, [1.0] * 5))
    )


def test_the_gradient_is_the_mean_of_the_samples_own(encoder: CrossEncoder) -> None:
    """The trusted gradient is autograd's mean over samples, and is empty without samples."""
    found = ActiveVersion(encoder, SETTINGS).gradient(PAIRS, LABELS)
    mean = np.mean([flat(one) for one in gradients(encoder)], axis=0)
    assert set(found) == {name for name, _ in encoder.network.named_parameters()}
    assert pytest.approx(mean, **CLOSE) == flat(found)
    assert {} == ActiveVersion(encoder, SETTINGS).gradient([], [])


def test_an_alignment_is_the_cosine_with_the_direction(encoder: CrossEncoder) -> None:
    """Alignments are autograd's cosines, in the order of samples, for a direction of any length."""
    one, *_, other = gradients(encoder)
    direction = {name: 3 * one[name] - 2 * other[name] for name in one}
    found = alignments_of(
        ActiveVersion(encoder, SETTINGS, direction=direction).responses(PAIRS, LABELS)
    )
    assert (
        pytest.approx([cosine(flat(own), flat(direction)) for own in gradients(encoder)], **CLOSE)
        == found
    )
    assert (np.abs(found) <= 1).all()


def test_a_sample_is_aligned_with_its_own_gradient(encoder: CrossEncoder) -> None:
    """A direction made of one sample has alignment 1 with it, and -1 when it is reversed."""
    active = ActiveVersion(encoder, SETTINGS)
    for pair, label in zip(PAIRS, LABELS, strict=True):
        own = active.gradient([pair], [label])
        for sign in (1.0, -1.0):
            pointed = ActiveVersion(
                encoder, SETTINGS, direction={name: sign * part for name, part in own.items()}
            )
            [found] = alignments_of(pointed.responses([pair], [label]))
            assert pytest.approx(sign, abs=1e-5) == found
            assert abs(found) <= 1


def test_without_a_direction_there_are_no_alignments(encoder: CrossEncoder) -> None:
    """With no direction, an empty one or one of length 0, alignments are missing."""
    nothing = {name: torch.zeros_like(one) for name, one in encoder.network.named_parameters()}
    for direction in (None, {}, nothing):
        found = ActiveVersion(encoder, SETTINGS, direction=direction).responses(PAIRS, LABELS)
        assert (5, 0) == found.dots.shape
        assert np.isnan(alignments_of(found)).all()


def test_responses_over_some_layers_are_aligned_over_those() -> None:
    """Norms and alignments cover only the named layers, though the direction covers all."""
    encoder = scratch_encoder()
    shake(encoder.network)
    settings = SETTINGS.but({"responses.response_layers": "head"})
    one, *_, other = gradients(encoder)
    direction = {name: one[name] + other[name] for name in one}
    found = ActiveVersion(encoder, settings, direction=direction).responses(PAIRS, LABELS)
    own = [flat(gradient, "head.") for gradient in gradients(encoder)]
    assert pytest.approx([np.linalg.norm(one) for one in own], **CLOSE) == found.norm
    assert pytest.approx(
        [cosine(one, flat(direction, "head.")) for one in own], **CLOSE
    ) == alignments_of(found)


def test_sketches_keep_the_order_of_the_samples(encoder: CrossEncoder) -> None:
    """Each sample has its own sketch, the same alone as in company; by default there is none."""
    active = ActiveVersion(encoder, SETTINGS, sketch=64)
    together = active.responses(PAIRS, LABELS).sketch
    alone = np.concatenate(
        [
            active.responses([pair], [label]).sketch
            for pair, label in zip(PAIRS, LABELS, strict=True)
        ]
    )
    assert (5, 64) == together.shape
    assert pytest.approx(alone, rel=1e-3, abs=1e-4) == together
    assert (5, 0) == ActiveVersion(encoder, SETTINGS).responses(PAIRS, LABELS).sketch.shape


def test_sketches_with_many_floats_give_back_lengths_and_dots(encoder: CrossEncoder) -> None:
    """With 1,024 floats the dots of sketches are autograd's within a tenth or so of the lengths."""
    sketch = (
        ActiveVersion(encoder, SETTINGS, sketch=1024)
        .responses(PAIRS, LABELS)
        .sketch.astype(np.float64)
    )
    own = np.array([flat(gradient) for gradient in gradients(encoder)])
    lengths = np.linalg.norm(own, axis=1)
    error = (sketch @ sketch.T - own @ own.T) / np.outer(lengths, lengths)
    # a standard error of sqrt(2 / 1024) = .044, and a few more for ties between layers
    assert np.abs(error).max() < 0.25


def run_out_of_memory(encoder: CrossEncoder, tokens: int) -> list[int]:
    """Let passes of more tokens fail; the returned list collects the tokens of the others."""
    done: list[int] = []

    def look(_: object, given: tuple) -> None:
        if given[0].ids.numel() > tokens:
            msg = "CUDA out of memory"
            raise torch.OutOfMemoryError(msg)
        done.append(given[0].ids.numel())

    encoder.network.register_forward_pre_hook(look)
    return done


def test_a_pass_that_does_not_fit_is_halved_and_stays_so(encoder: CrossEncoder) -> None:
    """When memory runs out, smaller passes give the same responses, and later ones start small."""
    pairs, labels = PAIRS * 4, LABELS * 4
    settings = SETTINGS.but({"responses.score_batch": 64})
    expected = ActiveVersion(encoder, settings, sketch=32).responses(pairs, labels)
    done = run_out_of_memory(encoder, 100)
    active = ActiveVersion(encoder, settings, sketch=32)
    found = active.responses(pairs, labels)
    for name in ("norm", "loss", "margin", "sketch"):
        assert pytest.approx(getattr(expected, name), **CLOSE) == getattr(found, name)
    assert 1 < len(done) <= 9
    kept, halved = len(done), active._tokens
    assert 50 <= halved <= 100
    active.responses(pairs, labels)
    assert (halved, max(done[kept:]) <= halved) == (active._tokens, True)


def test_one_sample_that_does_not_fit_is_told(encoder: CrossEncoder) -> None:
    """If even one sample does not fit, the error names the device, the length and the setting."""
    run_out_of_memory(encoder, 8)
    with pytest.raises(
        ModelError,
        match=r"memory of cpu is too small .* of one sample of 11 tokens; "
        r"set MAINSTEM_MODEL__MAX_TOKENS",
    ):
        ActiveVersion(encoder, SETTINGS).responses(PAIRS, LABELS)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_a_lower_precision_is_close_to_the_full_one(encoder: CrossEncoder, precision: str) -> None:
    """Norms in half precision differ from those in float32 by a few percent, but are not equal."""
    full = ActiveVersion(encoder, SETTINGS).responses(PAIRS, LABELS)
    half = ActiveVersion(encoder, SETTINGS.but({"responses.precision": precision})).responses(
        PAIRS, LABELS
    )
    assert pytest.approx(full.norm, rel=0.05) == half.norm
    assert not np.array_equal(full.norm, half.norm)
    assert {np.dtype(np.float32)} == {
        getattr(half, name).dtype for name in ("norm", "loss", "margin", "dots", "sketch")
    }


def test_a_cpu_computes_in_float32_unless_told() -> None:
    """Precision `auto` is float32 on a CPU, and a named precision is used."""
    assert torch.float32 == precision_of(SETTINGS)
    assert torch.bfloat16 == precision_of(SETTINGS.but({"responses.precision": "bfloat16"}))


def test_a_saved_version_comes_back_ready_for_the_stream(
    encoder: CrossEncoder, tmp_path: Path
) -> None:
    """A loaded version has the direction it was saved with and the sketches of the settings."""
    versions = Versions(f"file://{tmp_path}")
    direction = ActiveVersion(encoder, SETTINGS).gradient(PAIRS[:2], LABELS[:2])
    versions.save(encoder, version=0, parent=None, event_time=0, reason="")
    versions.save(encoder, version=1, parent=0, event_time=0, reason="", direction=direction)
    expected = ActiveVersion(encoder, SETTINGS, direction=direction, sketch=64).responses(
        PAIRS, LABELS
    )
    found = load_active(versions, 1, SETTINGS).responses(PAIRS, LABELS)
    assert all(
        np.array_equal(one, other)
        for one, other in zip(
            dataclasses.astuple(expected), dataclasses.astuple(found), strict=True
        )
    )
    bare = load_active(versions, 0, SETTINGS.but({"responses.sketch": 0})).responses(PAIRS, LABELS)
    assert ((5, 0), (5, 0)) == (bare.dots.shape, bare.sketch.shape)
