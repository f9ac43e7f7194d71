"""Making and loading a cross-encoder, without opening the network."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from torch import nn
from transformers import BertModel

from mainstem.errors import ModelError
from mainstem.models import load_pretrained
from mainstem.models.encoder import PretrainedReader
from mainstem.models.tokenizer import encode_pairs, pad
from mainstem.versions import Versions
from tests.small_models import PAIRS, bert_config, save_bert, scratch_encoder


@pytest.fixture(autouse=True)
def reached(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Refuse all look-ups and connections, and collect them."""
    reached: list[object] = []

    def refuse(*where: object, **_: object) -> None:
        reached.append(where)
        msg = "no network"
        raise OSError(msg)

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return reached


def weights(network: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def message_of(name: object) -> str:
    with pytest.raises(ModelError) as caught:
        load_pretrained(str(name), max_tokens=64, seed=0)
    return str(caught.value)


def cut_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def broken_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')


def broken_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def no_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def test_the_same_seed_gives_the_same_weights() -> None:
    """Weights depend on the seed alone, and torch's own random state is left alone."""
    state = torch.get_rng_state()
    first, again, other = (weights(scratch_encoder(seed=seed).network) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(state, torch.get_rng_state())


def test_the_model_made_here_reads_as_far_as_it_was_told(reached: list[object]) -> None:
    """Each token has a position and each word piece a row, and nothing is downloaded."""
    encoder = scratch_encoder(max_tokens=17)
    assert 17 == encoder.network.config.max_position_embeddings
    assert encoder.tokenizer.get_vocab_size() == encoder.network.config.vocab_size
    assert (True, 0, []) == (encoder.from_scratch, encoder.padding_id, reached)


def test_a_segment_without_tokens_is_no_division_by_nothing() -> None:
    """A pair with one side missing altogether has finite logits."""
    encoder = scratch_encoder()
    batch = pad([([2, 7, 3], [0, 0, 0]), ([2, 7, 3], [1, 1, 1])], encoder.padding_id)
    assert torch.isfinite(encoder.network.eval()(batch)).all()


def test_a_local_folder_is_loaded(tmp_path: Path, reached: list[object]) -> None:
    """A BERT folder gives its own weights and tokenizer, without a network."""
    folder = save_bert(tmp_path / "bert")
    encoder = load_pretrained(str(folder), max_tokens=64, seed=0)
    again = PretrainedReader(type(encoder.network.model).from_pretrained(folder))
    batch = pad(encode_pairs(encoder.tokenizer, PAIRS, 64), encoder.padding_id)
    assert torch.equal(again.eval()(batch), encoder.network.eval()(batch))
    assert ["[CLS]", "红", "色", "[SEP]", "set", "[SEP]"] == encoder.tokenizer.encode(
        "红色", "set"
    ).tokens
    assert (False, []) == (encoder.from_scratch, reached)


def test_a_model_without_a_head_gets_one_that_compares_the_texts(tmp_path: Path) -> None:
    """The BERT keeps its weights, the seed draws the head, and a saved version is read back."""
    folder = save_bert(tmp_path / "bert")
    given = BertModel(bert_config())
    given.save_pretrained(folder)
    one, again, other = (load_pretrained(str(folder), max_tokens=64, seed=n) for n in (0, 0, 1))
    assert ("encoder", False) == (one.kind, one.from_scratch)
    kept = given.state_dict()
    assert all(torch.equal(kept[name], its) for name, its in one.network.bert.state_dict().items())
    batch = pad(encode_pairs(one.tokenizer, PAIRS, 64), one.padding_id)
    logits, same, drawn = (each.network.eval()(batch) for each in (one, again, other))
    assert torch.equal(logits, same)
    assert not torch.equal(logits, drawn)
    versions = Versions(f"file://{tmp_path}")
    versions.save(one, version=0, parent=None, event_time=0, reason="the first version")
    kept_version = versions.load(0)
    assert "encoder" == versions.manifest(0).kind == kept_version.kind
    assert torch.equal(logits, kept_version.network.eval()(batch))


def test_a_head_that_does_not_fit_is_drawn_from_the_seed(tmp_path: Path) -> None:
    """A model of three classes gets a head of two, drawn from the seed, and keeps the rest."""
    folder = save_bert(tmp_path / "bert", classes=3)
    first, again, other = (
        load_pretrained(str(folder), 64, seed).network.model for seed in (1, 1, 2)
    )
    assert (2, 16) == first.classifier.weight.shape
    assert torch.equal(first.classifier.weight, again.classifier.weight)
    assert not torch.equal(first.classifier.weight, other.classifier.weight)
    assert torch.equal(weights(first.bert), weights(other.bert))


@pytest.mark.parametrize(
    "spoil",
    [cut_weights, no_weights, no_tokenizer, broken_tokenizer, broken_config, no_config],
    ids=lambda one: one.__name__,
)
def test_a_folder_that_is_not_whole_is_told_in_one_line(
    spoil: Callable[[Path], None], tmp_path: Path
) -> None:
    """The error names the folder and the files that belong in it."""
    folder = save_bert(tmp_path / "bert")
    spoil(folder)
    told = message_of(folder)
    assert f"model {str(folder)!r} is not a model folder (" in told
    assert "config.json, weights and tokenizer.json" in told
    assert 1 == len(told.splitlines())


@pytest.mark.parametrize("name", ["/nowhere/model", "./nowhere/model", "../nowhere"])
def test_a_missing_path_is_told_in_one_line(name: str, reached: list[object]) -> None:
    """A path that does not exist is reported as a path and not looked for elsewhere."""
    told = message_of(name)
    assert f"model {name!r} is not a model folder (" in told
    assert (
        "give the path of a folder with config.json, weights and tokenizer.json as --model" in told
    )
    assert ([], 1) == (reached, len(told.splitlines()))


@pytest.mark.parametrize("name", ["somebody/no-such-bert", "no-such-bert"])
def test_an_unreachable_hub_is_told_with_the_way_around(
    name: str, reached: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that cannot be downloaded gives one line, which suggests a local path."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    told = message_of(name)
    assert f"model {name!r} cannot be had (" in told
    way = (
        "without a network give the path of a folder with config.json, "
        "weights and tokenizer.json as --model"
    )
    assert way in told
    assert ([], 1) == (reached, len(told.splitlines()))


def test_a_model_that_reads_less_than_it_is_given_is_refused(tmp_path: Path) -> None:
    """A BERT with fewer positions than `max_tokens` is refused with the setting to change."""
    folder = save_bert(tmp_path / "bert")
    with pytest.raises(ModelError, match="set MAINSTEM_MODEL__MAX_TOKENS=128 or lower"):
        load_pretrained(str(folder), max_tokens=129, seed=0)


def test_a_family_without_a_classifier_is_refused_by_name(tmp_path: Path) -> None:
    """A model of a family that classifies no texts is refused, and the error names the family."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "vit"}))
    told = (
        f"model {str(tmp_path)!r} is of the family 'vit', of which transformers has no sequence "
        "classifier; give a model of a family that docs/models.md lists"
    )
    assert told == message_of(tmp_path)
