"""Every listed family is taken in, read, trained, saved and loaded, from tiny random models."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoModelForSequenceClassification

from mainstem.bench.families import learnable, parity_of, tiny_settings
from mainstem.bench.tiny_families import TINY, save_tiny
from mainstem.errors import ModelError
from mainstem.join import examples_of
from mainstem.kinds import Kind
from mainstem.learning.first import first_encoder
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.models.encoder import PairReader
from mainstem.models.families import FAMILIES
from mainstem.models.tokenizer import encode_pairs, pad
from mainstem.settings import Settings
from mainstem.versions import Versions
from tests.models.folders import configured, load, refusal
from tests.small_models import PAIRS

SAMPLES = learnable(24)
TEXTS = [text for one in SAMPLES for text in (one.context_text, one.item_text)]
# one epoch of three steps
QUICK = {"learning.epochs": 1}


def taken_in(folder: Path, family: str, **more: Any) -> tuple[CrossEncoder, Settings]:
    """Take in a tiny model of a family, as a home does."""
    settings = tiny_settings(save_tiny(folder, family, texts=TEXTS, **more)).but(QUICK)
    return first_encoder(TEXTS, settings), settings


def logits(network: nn.Module, encoder: CrossEncoder, pairs: Any = PAIRS) -> torch.Tensor:
    """Answer a ragged batch of pairs."""
    with torch.no_grad():
        encoded = encode_pairs(encoder.tokenizer, pairs, 64)
        return network.eval()(pad(encoded, encoder.padding_id))


def test_the_bench_has_every_listed_family() -> None:
    """A family that is listed as tested has a tiny model, and no other has one."""
    assert sorted(FAMILIES) == sorted(TINY)


@pytest.mark.parametrize("family", TINY)
def test_a_familys_responses_are_autograds(family: str, tmp_path: Path) -> None:
    """Over all weights, norms in a ragged batch are autograd's to 1e-5; what was found is kept."""
    encoder, settings = taken_in(tmp_path / "model", family)
    assert encoder.family == family
    every = {name for name, _ in encoder.network.named_parameters()}
    assert every == ActiveVersion(encoder, settings).parameter_names
    assert parity_of(encoder, SAMPLES[:6], settings) < 1e-5
    assert encoder.parity is not None
    assert encoder.parity < 1e-5


@pytest.mark.parametrize("family", TINY)
def test_a_family_answers_as_transformers_does(family: str, tmp_path: Path) -> None:
    """A pair alone, and a padded one, is answered as the model of transformers answers it."""
    encoder, _ = taken_in(tmp_path / "model", family)
    own = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    own.config.pad_token_id = encoder.padding_id
    together = logits(encoder.network, encoder)
    for place, pair in enumerate(PAIRS):
        [(ids, sides)] = encode_pairs(encoder.tokenizer, [pair], 64)
        given = {"input_ids": torch.tensor([ids])}
        if family in {"bert", "electra"}:
            given["token_type_ids"] = torch.tensor([sides])
        with torch.no_grad():
            expected = own(**given).logits[0]
        torch.testing.assert_close(together[place], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", TINY)
def test_a_family_that_is_loaded_again_goes_on_as_the_same(family: str, tmp_path: Path) -> None:
    """A saved version answers the same, and the next round from it gives the same weights."""
    encoder, settings = taken_in(tmp_path / "model", family)
    versions = Versions(f"file://{tmp_path}/versions")
    kept = versions.save(encoder, version=0, parent=None, event_time=0, reason="first")
    assert (family, encoder.parity) == (kept.family, kept.parity)
    again = versions.load(0)
    assert encoder.parity == again.parity
    assert torch.equal(logits(encoder.network, encoder), logits(again.network, again))
    digests = {
        versions.save(
            fine_tune(one, SAMPLES, [], settings, seed=3).encoder,
            version=number,
            parent=0,
            event_time=1,
            reason="better",
        ).files["weights.safetensors"]
        for number, one in ((1, encoder), (2, again))
    }
    assert 1 == len(digests - {kept.files["weights.safetensors"]})


@pytest.mark.parametrize("family", ["distilbert", "gpt2", "mpnet", "deberta-v2"])
def test_a_body_without_a_head_gets_the_head_of_a_model_made_here(
    family: str, tmp_path: Path
) -> None:
    """An encoder of any family is read by segment means, with responses as autograd's."""
    folder = save_tiny(tmp_path / "model", family, texts=TEXTS)
    own = AutoModelForSequenceClassification.from_pretrained(folder)
    own.base_model.save_pretrained(folder)
    settings = tiny_settings(folder)
    encoder = first_encoder(TEXTS, settings)
    assert ("encoder", PairReader) == (encoder.kind, type(encoder.network))
    assert parity_of(encoder, SAMPLES[:4], settings) < 1e-5
    versions = Versions(f"file://{tmp_path}/versions")
    versions.save(encoder, version=0, parent=None, event_time=0, reason="first")
    assert torch.equal(logits(encoder.network, encoder), logits(versions.load(0).network, encoder))


@pytest.mark.parametrize("family", TINY)
def test_cheaper_visits_and_representations_are_of_the_familys_head(
    family: str, tmp_path: Path
) -> None:
    """A cheaper norm is part of the full one, and what the head read has one row for each pair."""
    encoder, settings = taken_in(tmp_path / "model", family)
    active = ActiveVersion(
        encoder, settings.but({"responses.representations": True, "responses.first_visit": "last"})
    )
    examples = examples_of(SAMPLES[:4])
    full, last, forward = (active.responses(examples, kind=kind) for kind in Kind)
    assert (forward.norm < last.norm).all()
    assert (last.norm < full.norm).all()
    assert (4, 32) == full.representation.shape
    alone = active.responses(examples_of(SAMPLES[2:3])).representation
    assert pytest.approx(alone[0], rel=2e-2, abs=2e-3) == full.representation[2]


@pytest.mark.parametrize(
    "more",
    [
        {"share_att_key": False},
        {"position_buckets": -1},
        {"position_buckets": 2, "pos_att_type": ["p2c"], "norm_rel_ebd": "none"},
        {"relative_attention": False, "position_biased_input": True},
        {"pos_att_type": ["c2p"], "type_vocab_size": 2, "conv_kernel_size": 0},
    ],
)
def test_a_deberta_of_any_kind_answers_as_transformers_does(
    more: dict[str, Any], tmp_path: Path
) -> None:
    """With keys of its own, without buckets or without a table, answers and norms are right."""
    encoder, settings = taken_in(tmp_path / "model", "deberta-v2", **more)
    own = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    batch = pad(encode_pairs(encoder.tokenizer, PAIRS, 64), 0)
    told = {"token_type_ids": batch.segments} if "type_vocab_size" in more else {}
    with torch.no_grad():
        expected = own(batch.ids, attention_mask=batch.mask, **told).logits
    torch.testing.assert_close(logits(encoder.network, encoder), expected, rtol=1e-4, atol=1e-5)
    assert parity_of(encoder, SAMPLES[:4], settings) < 1e-5


@pytest.mark.parametrize("family", ["bert", "roberta", "qwen2"])
def test_a_head_of_one_logit_is_kept(family: str, tmp_path: Path) -> None:
    """A cross-encoder with one logit z answers as the logits 0 and z, and has right responses."""
    encoder, settings = taken_in(tmp_path / "model", family, classes=1)
    own = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    batch = pad(encode_pairs(encoder.tokenizer, PAIRS, 64), encoder.padding_id)
    told = {"token_type_ids": batch.segments} if family == "bert" else {}
    with torch.no_grad():
        [*expected] = own(batch.ids, attention_mask=batch.mask, **told).logits[:, 0].tolist()
    found = logits(encoder.network, encoder)
    assert [0.0] * len(PAIRS) == found[:, 0].tolist()
    assert pytest.approx(expected, rel=1e-4, abs=1e-5) == found[:, 1].tolist()
    assert parity_of(encoder, SAMPLES[:4], settings) < 1e-5


def test_texts_that_nothing_separates_get_the_end_of_text_between_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where one text would run into the other a token stands between, and padding is told."""
    encoder = load(save_tiny(tmp_path / "model", "gpt2", texts=TEXTS))
    [(ids, sides)] = encode_pairs(encoder.tokenizer, [("red", "cups")], 64)
    tokens = [encoder.tokenizer.id_to_token(one) for one in ids]
    assert "<|endoftext|>" in tokens[1:-1]
    assert sides == [int(place > tokens.index("<|endoftext|>")) for place in range(len(tokens))]
    assert encoder.padding_id == encoder.tokenizer.token_to_id("<|endoftext|>")
    told = ["puts nothing between the two texts", "has no padding token: '<|endoftext|>' pads"]
    assert all(one in line for one, line in zip(told, caplog.messages, strict=True))


def test_positions_before_the_padding_token_are_not_counted(tmp_path: Path) -> None:
    """A RoBERTa of 80 positions reads 78 tokens, and is refused for more."""
    folder = save_tiny(tmp_path / "model", "roberta", texts=TEXTS)
    load(folder, max_tokens=78)
    assert "reads 78 tokens at most, and max_tokens is 79" in refusal(folder, max_tokens=79)


def test_a_last_token_without_any_padding_token_is_refused(tmp_path: Path) -> None:
    """A model that reads the last token needs a token to pad with."""
    folder = save_tiny(tmp_path / "model", "llama", texts=TEXTS)
    described = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**described, "eos_token": None}))
    assert "no padding token and no end-of-text token" in refusal(folder)


def test_a_family_that_is_not_listed_is_taken_in_if_its_layers_are_known(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An ALBERT is said not to be among the tested ones, and its responses are autograd's."""
    sizes = {"embedding_size": 16}
    encoder, settings = taken_in(tmp_path / "model", "albert", tiny=TINY["bert"], **sizes)
    assert "is of the family 'albert', which the tests do not hold" in caplog.text
    assert parity_of(encoder, SAMPLES[:4], settings) < 1e-5


def test_a_layer_that_cannot_be_read_is_refused_and_the_advice_works(tmp_path: Path) -> None:
    """Convolutions are named with the setting that leaves them out, which is then enough."""
    folder = save_tiny(
        tmp_path / "model", "squeezebert", tiny=TINY["bert"], texts=TEXTS, embedding_size=32
    )
    settings = tiny_settings(folder)
    with pytest.raises(ModelError) as caught:
        first_encoder(TEXTS, settings)
    told = str(caught.value)
    assert "weight belongs to a Conv1d, which has no formula here" in told
    assert "chosen by MAINSTEM_RESPONSES__RESPONSE_LAYERS" in told
    patterns = told.partition("choose layers=[")[2].partition("]")[0].replace("'", "")
    chosen = settings.but({"responses.response_layers": patterns.replace(" ", "")})
    encoder = first_encoder(TEXTS, chosen)
    assert parity_of(encoder, SAMPLES[:4], chosen) < 1e-5


def test_a_copy_of_a_network_reads_its_own_table(tmp_path: Path) -> None:
    """A copy whose table of relative positions has changed answers otherwise, the first one not."""
    encoder, _ = taken_in(tmp_path / "model", "mpnet")
    before = logits(encoder.network, encoder)
    other = copy.deepcopy(encoder.network)
    with torch.no_grad():
        other.model.mpnet.encoder.relative_attention_bias.weight.add_(5 * torch.randn(32, 2))
    assert not torch.equal(before, logits(other, encoder))
    assert torch.equal(before, logits(encoder.network, encoder))


def test_a_decoder_of_another_model_is_still_refused(tmp_path: Path) -> None:
    """A RoBERTa that is the decoder of another model is refused as a BERT is."""
    folder = save_tiny(tmp_path / "model", "roberta", texts=TEXTS)
    assert "is a decoder" in refusal(configured(folder, is_decoder=True))


def test_an_encoder_with_a_decoder_is_refused(tmp_path: Path) -> None:
    """A T5 would read each pair twice, and is refused before its weights are read."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "t5"}))
    assert "is an encoder with a decoder" in refusal(tmp_path)
