"""A folder of a tiny model with random weights for each family, as Hugging Face saves it.

A family is a row of a table: its configuration, and how its tokenizer cuts and joins texts.
Nothing is downloaded.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers.processors import TemplateProcessing
from torch import nn

from mainstem.process.quiet import quietly

__all__ = ["LAYERS", "TINY", "Tiny", "save_tiny"]

LAYERS: Final = 2
_WIDTH: Final = 32
_POSITIONS: Final = 80
_WORDS: Final = (
    "white hanging heart t-light holder",
    "red woolly hottie white heart",
    "set of 6 cups in blue",
    "a red cup of tea, and a mug",
)
_USUAL: Final = {
    "hidden_size": _WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": _POSITIONS,
}
_BERT: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_ROBERTA: Final = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


@dataclass(frozen=True)
class Tiny:
    """How the tiny model of a family is made.

    Attributes:
        config: values of its configuration.
        cut: how its tokenizer cuts words: `wordpiece`, `bytes` or `unigram`.
        special: special tokens of the tokenizer, from number 0 on.
        padding: the one that pads; empty for a family without one.
        end: the one that ends a text; empty where nothing asks for one.
        pair: how the tokenizer joins two texts; empty if it puts nothing between them.
    """

    config: Mapping[str, Any] = field(default_factory=lambda: _USUAL)
    cut: str = "wordpiece"
    special: Sequence[str] = _BERT
    padding: str = "[PAD]"
    end: str = ""
    pair: str = "[CLS] $A [SEP] $B:1 [SEP]:1"


_LIKE_ROBERTA: Final[dict[str, Any]] = {
    "config": _USUAL | {"type_vocab_size": 1, "pad_token_id": 1},
    "special": _ROBERTA,
    "padding": "<pad>",
    "pair": "<s> $A </s> </s> $B </s>",
}
_LIKE_LLAMA: Final = _USUAL | {"num_key_value_heads": 1}

TINY: Final[Mapping[str, Tiny]] = MappingProxyType(
    {
        "bert": Tiny(),
        "deberta-v2": Tiny(
            config=_USUAL
            | {
                "relative_attention": True,
                "pos_att_type": ["c2p", "p2c"],
                "share_att_key": True,
                "position_buckets": 8,
                "norm_rel_ebd": "layer_norm",
                "position_biased_input": False,
                "pooler_hidden_size": _WIDTH,
                "type_vocab_size": 0,
            },
            cut="unigram",
        ),
        "distilbert": Tiny(
            config={
                "dim": _WIDTH,
                "n_layers": LAYERS,
                "n_heads": 2,
                "hidden_dim": 64,
                "max_position_embeddings": _POSITIONS,
            },
            pair="[CLS] $A [SEP] $B [SEP]",
        ),
        "electra": Tiny(config=_USUAL | {"embedding_size": 16}),
        "gpt2": Tiny(
            config={"n_embd": _WIDTH, "n_layer": LAYERS, "n_head": 2, "n_positions": _POSITIONS},
            cut="bytes",
            special=("<|endoftext|>",),
            padding="",
            end="<|endoftext|>",
            pair="",
        ),
        "llama": Tiny(
            config=_LIKE_LLAMA,
            cut="unigram",
            special=("<unk>", "<s>", "</s>"),
            padding="",
            end="</s>",
            pair="<s> $A <s>:1 $B:1",
        ),
        "modernbert": Tiny(
            config=_USUAL | {"local_attention": 8, "global_attn_every_n_layers": 2},
            cut="bytes",
            pair="[CLS] $A [SEP] $B [SEP]",
        ),
        "mpnet": Tiny(
            config=_USUAL | {"pad_token_id": 1},
            special=_ROBERTA,
            padding="<pad>",
            pair="<s> $A </s> </s> $B </s>",
        ),
        "qwen2": Tiny(
            config=_LIKE_LLAMA,
            cut="bytes",
            special=("<|endoftext|>", "<|im_end|>"),
            padding="<|endoftext|>",
            end="<|im_end|>",
            pair="",
        ),
        "roberta": Tiny(cut="bytes", **_LIKE_ROBERTA),
        "xlm-roberta": Tiny(cut="unigram", **_LIKE_ROBERTA),
    }
)
"""The families that `models.families` lists, by their `model_type`."""


def save_tiny(
    folder: Path,
    family: str,
    *,
    classes: int = 2,
    seed: int = 0,
    texts: Sequence[str] = _WORDS,
    tiny: Tiny | None = None,
    **more: Any,
) -> Path:
    """Save a tiny model of a family in a new folder, with random weights everywhere.

    Args:
        folder: folder to make.
        family: its `model_type`.
        classes: number of logits.
        seed: seed of the weights.
        texts: texts whose words the tokenizer knows.
        tiny: how it is made; None means as the table says.
        more: further values of the configuration.
    """
    # seconds to import
    from transformers import CONFIG_MAPPING, AutoModelForSequenceClassification

    tiny = tiny or TINY[family]
    tokenizer = _tokenizer(tiny, texts)
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    roles = {"pad_token": tiny.padding, "eos_token": tiny.end, "unk_token": _unknown(tiny)}
    named = {role: token for role, token in roles.items() if token}
    described = {"tokenizer_class": "PreTrainedTokenizerFast", **named}
    (folder / "tokenizer_config.json").write_text(json.dumps(described))
    ids = {
        "pad_token_id": tokenizer.token_to_id(tiny.padding) if tiny.padding else None,
        "eos_token_id": tokenizer.token_to_id(tiny.end) if tiny.end else None,
    }
    others = dict.fromkeys(("bos_token_id", "cls_token_id", "sep_token_id"))
    made = {"vocab_size": tokenizer.get_vocab_size(), **others, **ids, **tiny.config}
    config = CONFIG_MAPPING[family](**(made | more), num_labels=classes)
    with torch.random.fork_rng(devices=[]), quietly():
        torch.manual_seed(seed)
        model = AutoModelForSequenceClassification.from_config(config)
        _shake(model)
        model.save_pretrained(folder)
    return folder


@torch.no_grad()
def _shake(model: nn.Module) -> None:
    """Move every weight, because some layers do nothing at their start."""
    for one in model.parameters():
        size = 0.1 if one.dim() == 1 else 0.5 / one.shape[1] ** 0.5
        one.add_(torch.randn_like(one), alpha=size)


def _unknown(tiny: Tiny) -> str:
    return next((one for one in tiny.special if "unk" in one.lower()), "")


def _tokenizer(tiny: Tiny, texts: Sequence[str]) -> Tokenizer:
    unknown, special = _unknown(tiny), list(tiny.special)
    size: dict[str, Any] = {"special_tokens": special, "show_progress": False}
    if tiny.cut == "bytes":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        letters = pre_tokenizers.ByteLevel.alphabet()
        trainer: Any = trainers.BpeTrainer(vocab_size=400, initial_alphabet=letters, **size)
    elif tiny.cut == "unigram":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=200, unk_token=unknown, **size)
    else:
        tokenizer = Tokenizer(models.WordPiece(unk_token=unknown))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=300, **size)
    tokenizer.train_from_iterator(texts, trainer)
    if tiny.pair:
        numbered = [(one, tokenizer.token_to_id(one)) for one in special]
        alone = tiny.pair.partition("$B")[0].split("$A")
        before, after = alone[0], alone[1].replace(":1", "").split()[:1]
        single = f"{before}$A" if tiny.end else " ".join([f"{before}$A", *after])
        tokenizer.post_processor = TemplateProcessing(
            single=single, pair=tiny.pair, special_tokens=numbered
        )
    return tokenizer
