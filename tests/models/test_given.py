"""A given model is taken as it is, and each difference is reported in one line."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import BertForSequenceClassification, BertModel

from mainstem.errors import ModelError
from mainstem.learning.first import first_encoder
from mainstem.models.tokenizer import encode_pairs, pad
from mainstem.settings import Model, Settings
from tests.models.folders import Spoil, configured, load, refusal, weighted
from tests.small_models import PAIRS, bert_config, save_bert, tokenizer


def halved(dtype: torch.dtype, only: str = "") -> Callable[[dict[str, torch.Tensor]], None]:
    return lambda weights: weights.update(
        {name: one.to(dtype) for name, one in weights.items() if only in name}
    )


@pytest.mark.parametrize(
    ("change", "config"),
    [
        (halved(torch.float16), {"dtype": "float16"}),
        (halved(torch.bfloat16), {"dtype": "bfloat16"}),
        (halved(torch.bfloat16), {"torch_dtype": "bfloat16", "dtype": None}),
        (halved(torch.float16), {"dtype": "float32"}),
        (halved(torch.float16, "attention"), {"dtype": "float16"}),
        (halved(torch.float64), {"dtype": "float64"}),
    ],
)
def test_whatever_it_was_saved_in_it_is_computed_in_float32(
    change: Callable[[dict[str, torch.Tensor]], None], config: dict[str, Any], tmp_path: Path
) -> None:
    """Weights saved in half, double or mixed precision become float32, and so does the config."""
    folder = configured(weighted(save_bert(tmp_path / "bert"), change), **config)
    saved, model = load_file(folder / "model.safetensors"), load(folder).network.model
    assert {torch.float32} == {one.dtype for one in model.parameters()}
    assert all(torch.equal(saved[name].float(), one) for name, one in model.named_parameters())
    assert torch.float32 == model.config.dtype


REMARKS: list[tuple[Spoil, list[str]]] = [
    (lambda _: None, []),
    (lambda folder: configured(folder, pad_token_id=None), []),
    (lambda folder: configured(folder, id2label={"0": "no", "1": "YES"}), []),
    (
        lambda folder: configured(folder, id2label={"0": "far", "1": "near"}),
        ["calls its classes far, near"],
    ),
    (lambda folder: configured(folder, problem_type="regression"), ["was made for regression"]),
    (
        lambda folder: configured(folder, problem_type="multi_label_classification"),
        ["was made for multi_label"],
    ),
    (
        lambda f: weighted(f, lambda w: w.pop("classifier.bias")),
        ["has a head without classifier.bias"],
    ),
    (
        lambda f: weighted(f, lambda w: w.update(more=torch.ones(1))),
        ["holds 1 weights that are not used, like 'more'"],
    ),
    (
        lambda folder: BertModel(bert_config()).save_pretrained(folder),
        ["has no head: a new head is drawn"],
    ),
    (
        lambda f: _classes(f, 1),
        ["answers with 1 logit: it becomes that of yes, beside 0 for no"],
    ),
    (
        lambda f: _classes(f, 3),
        ["answers with 3 logits, and here are 2 classes: a new head is drawn"],
    ),
    (lambda f: _rows(f, 1000), ["has 1,000 rows, and its tokenizer"]),
    (lambda f: _rows(f, tokenizer().get_vocab_size() + 2), []),
]


def _classes(folder: Path, count: int) -> None:
    BertForSequenceClassification(bert_config(num_labels=count)).save_pretrained(folder)


def _rows(folder: Path, count: int) -> None:
    config = bert_config()
    config.vocab_size = count
    BertForSequenceClassification(config).save_pretrained(folder)


@pytest.mark.parametrize(("change", "remarks"), REMARKS)
def test_each_difference_from_the_given_model_is_reported(
    change: Spoil,
    remarks: list[str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Each difference is one line, a fitting model gives none, and the libraries print nothing."""
    folder = save_bert(tmp_path / "bert")
    change(folder)
    capfd.readouterr()
    caplog.set_level(logging.INFO)
    load(folder)
    assert len(remarks) == len(caplog.messages)
    for remark, told in zip(remarks, caplog.messages, strict=True):
        assert told.startswith(f"model {str(folder)!r} {remark}")
    assert ("", "") == capfd.readouterr()


def test_the_libraries_print_again_afterwards(tmp_path: Path) -> None:
    """The libraries are silent only while a model is loaded."""
    from transformers.utils import logging as talk

    before = talk.get_verbosity(), talk.is_progress_bar_enabled()
    load(save_bert(tmp_path / "bert"))
    refusal(tmp_path / "nothing")
    assert before == (talk.get_verbosity(), talk.is_progress_bar_enabled())


def test_a_head_of_three_classes_stays_for_three(tmp_path: Path) -> None:
    """A head with as many classes as the settings name is kept."""
    folder = save_bert(tmp_path / "bert", classes=3)
    saved = load_file(folder / "model.safetensors")["classifier.weight"]
    kept = load(folder, classes=("far", "near", "here")).network.model.classifier.weight
    assert torch.equal(saved, kept)


def test_without_a_padding_token_padding_changes_nothing(tmp_path: Path) -> None:
    """A model whose config names no padding token answers a padded pair as it does alone."""
    encoder = load(configured(save_bert(tmp_path / "bert"), pad_token_id=None))
    network, encoded = encoder.network.eval(), encode_pairs(encoder.tokenizer, PAIRS, 64)
    together = network(pad(encoded, encoder.padding_id))
    for place, one in enumerate(encoded):
        torch.testing.assert_close(network(pad([one], encoder.padding_id))[0], together[place])


def words_of(unknown: int) -> list[str]:
    """Make a text of ten words, so many of them unknown to an English tokenizer."""
    return [" ".join([*["ελαιόλαδο"] * unknown, *["red"] * (10 - unknown)])]


@pytest.mark.parametrize(
    ("unknown", "told"),
    [
        (0, []),
        (1, []),
        (3, ["does not know 30 % of the words of this log"]),
        (6, ["does not know 60 % of the words of this log"]),
    ],
)
def test_words_that_a_tokenizer_does_not_know_are_told(
    unknown: int, told: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Many unknown words are reported with their share, and a few are not."""
    first_encoder(
        words_of(unknown),
        Settings(model=Model(model=str(save_bert(tmp_path / "bert")), device="cpu")),
    )
    assert told == [message.partition(" that ")[2] for message in caplog.messages]


def test_a_tokenizer_of_another_language_is_refused(tmp_path: Path) -> None:
    """A tokenizer that knows hardly any word is refused, since all texts would be alike."""
    with pytest.raises(
        ModelError,
        match="does not know 100% of the words of this log; give a model of its language",
    ):
        first_encoder(
            words_of(10),
            Settings(model=Model(model=str(save_bert(tmp_path / "bert")), device="cpu")),
        )
