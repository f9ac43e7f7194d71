"""Small models for tests: one made from scratch, and a BERT as Hugging Face saves it."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

from mainstem.models import CrossEncoder, initial_encoder, train_tokenizer
from mainstem.models.encoder import PretrainedReader

TEXTS = (
    "white hanging heart t-light holder",
    "red woolly hottie",
    "set of 6 cups",
    "红色 杯子",
    "蓝色 水壶 set",
)
PAIRS = (
    ("red woolly hottie", "white heart"),
    ("红色 杯子", "蓝色 水壶"),
    ("set of 6 cups set of 6 cups red red red", "t-light holder"),
    ("", "cups"),
    ("white", "white hanging heart t-light holder set of 6 cups"),
)
LABELS = (1, 0, 1, 1, 0)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Use one thread, which computes small tensors faster than several that wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def tokenizer() -> Tokenizer:
    """Return a word list of English and Chinese."""
    return train_tokenizer(TEXTS, size=300)


def scratch_encoder(
    *,
    max_tokens: int = 64,
    seed: int = 0,
    features: Sequence[str] = (),
    examined: Sequence[int] = (),
) -> CrossEncoder:
    """Return a model made from scratch."""
    return initial_encoder(tokenizer(), max_tokens, seed, features=features, examined=examined)


def bert_config(**more: Any) -> BertConfig:
    """Return the configuration of a BERT of two layers of 16."""
    sizes = {
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    return BertConfig(
        vocab_size=tokenizer().get_vocab_size(), max_position_embeddings=128, **(sizes | more)
    )


def given_encoder(
    *, seed: int = 0, features: Sequence[str] = (), examined: Sequence[int] = ()
) -> CrossEncoder:
    """Return a given BERT with random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BertForSequenceClassification(bert_config())
        return CrossEncoder(PretrainedReader(model, features, examined), tokenizer())


def save_bert(folder: Path, *, classes: int = 2, **more: Any) -> Path:
    """Save a BERT in a folder, as Hugging Face does."""
    folder.mkdir(parents=True)
    tokenizer().save(str(folder / "tokenizer.json"))
    described = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(described))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BertForSequenceClassification(bert_config(num_labels=classes, **more)).save_pretrained(
            folder
        )
    return folder


@torch.no_grad()
def shake(network: nn.Module, seed: int = 0) -> None:
    """Move every weight, so that every layer contributes.

    At their start some layers do nothing, with scales of 1 and shifts of 0. Logits stay of order 1:
    where a model is certain, 1 - p has few digits in float32 and comparisons say little.
    """
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        size = 0.1 if parameter.dim() == 1 else 0.5 / parameter.shape[1] ** 0.5
        parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=size)
