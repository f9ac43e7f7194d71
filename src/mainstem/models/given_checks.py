"""Checks the folder, the config and the tokenizer of a given model, before its weights are read."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer

from mainstem.errors import ModelError

__all__ = [
    "check_classes",
    "check_config",
    "check_folder",
    "check_tokenizer",
    "few_tokens",
    "named_classes",
    "unknown_share",
]

_FLOATS: Final = {"F64", "F32", "F16", "BF16"}
_POINTER: Final = b"version https://git-lfs"
_MOST_HEADER: Final = 100 << 20
_FULL: Final = 0.9  # share of a model's rows that its tokenizer should use


def check_folder(folder: Path, name: str) -> None:
    """Refuse a local folder that holds no model, or a kind that mainstem cannot take in.

    Args:
        folder: path that the name stands for, if it is a path. A name on the hub passes.
        name: name of the model, for messages.

    Raises:
        ModelError: if the path is a file or the folder holds something else; the message says what.
    """
    if folder.is_file():
        msg = (
            f"model {name!r} is a file; give the folder that it lies in, "
            "with config.json and tokenizer.json"
        )
        raise ModelError(msg)
    if not folder.is_dir():
        return
    has = {path.name for path in folder.iterdir()}
    if "adapter_config.json" in has:
        msg = (
            f"model {name!r} is an adapter (adapter_config.json), not a whole model; "
            "merge it into its base first: peft's merge_and_unload(), then save_pretrained()"
        )
        raise ModelError(msg)
    if "config.json" not in has and "modules.json" in has:
        parts = [one.parent.name for one in sorted(folder.glob("*/config.json"))]
        part = str(Path(name) / next(iter(parts), "0_Transformer"))
        msg = (
            f"model {name!r} is a sentence-transformers folder; "
            f"give its encoder, {part!r}, as --model"
        )
        raise ModelError(msg)
    weights = sorted(one for one in has if one.endswith(".safetensors"))
    pickles = sorted(one for one in has if one.startswith("pytorch_model") and one.endswith(".bin"))
    if "config.json" in has and pickles and not weights:
        msg = (
            f"model {name!r} has its weights only as a pickle ({pickles[0]}), "
            "which could run a stranger's code; "
            "save it again with save_pretrained(), which writes model.safetensors"
        )
        raise ModelError(msg)
    for one in weights:
        _check_weights_file(folder / one, name)


def _check_weights_file(path: Path, name: str) -> None:
    with path.open("rb") as file:
        start = file.read(len(_POINTER))
        if start == _POINTER:
            msg = (
                f"{path.name} of model {name!r} is a pointer of Git LFS, not the weights; "
                "fetch them with `git lfs pull`"
            )
            raise ModelError(msg)
        size = int.from_bytes(start[:8], "little")
        if len(start) < 8 or size > _MOST_HEADER:
            return  # cut or damaged: safetensors says so
        file.seek(8)
        header = file.read(size)
    try:
        tensors = json.loads(header)
    except ValueError:
        return
    for key, tensor in tensors.items():
        kind = tensor.get("dtype") if key != "__metadata__" else None
        if kind and kind not in _FLOATS and key.endswith((".weight", ".bias")):
            msg = (
                f"model {name!r} is quantized ({key!r} is saved as {kind}); "
                "give the model from before, in floats"
            )
            raise ModelError(msg)


def check_config(config: Any, name: str, max_tokens: int) -> None:
    """Refuse a config from which transformers would make a model that mainstem cannot use.

    Args:
        config: config of the model.
        name: name of the model, for messages.
        max_tokens: the most tokens that the model must read.

    Raises:
        ModelError: if the model is no BERT, is quantized, reads one segment or too few tokens, is
            a decoder, has positions of another kind, or pads with a token that it does not have.
    """
    if config.model_type != "bert":
        msg = (
            f"model {name!r} is of the family {config.model_type!r}; "
            "only 'bert' is supported so far"
        )
        raise ModelError(msg)
    if quantized := getattr(config, "quantization_config", None):
        is_dict = isinstance(quantized, dict)
        found = quantized.get("quant_method") if is_dict else getattr(quantized, "quant_method", "")
        method = found or "quantization_config"
        msg = f"model {name!r} is quantized ({method}); give the model from before, in floats"
        raise ModelError(msg)
    if config.max_position_embeddings < max_tokens:
        msg = (
            f"model {name!r} reads {config.max_position_embeddings} tokens at most, "
            f"and max_tokens is {max_tokens}; "
            f"set MAINSTEM_MODEL__MAX_TOKENS={config.max_position_embeddings} or lower"
        )
        raise ModelError(msg)
    if config.type_vocab_size < 2:
        msg = (
            f"model {name!r} knows one segment (type_vocab_size {config.type_vocab_size}), "
            "and pairs have two: it could not tell a query from an item; "
            "give a BERT of two segments"
        )
        raise ModelError(msg)
    if getattr(config, "is_decoder", False) or getattr(config, "add_cross_attention", False):
        msg = (
            f"model {name!r} is a decoder, which reads from left to right only; "
            "give an encoder (is_decoder false)"
        )
        raise ModelError(msg)
    positions = getattr(config, "position_embedding_type", None) or "absolute"
    if positions != "absolute":
        msg = (
            f"model {name!r} has {positions!r} positions, which transformers no longer computes; "
            "give a model with 'absolute' positions"
        )
        raise ModelError(msg)
    if config.pad_token_id is not None and not 0 <= config.pad_token_id < config.vocab_size:
        msg = (
            f"pad_token_id of model {name!r} is {config.pad_token_id}, "
            f"and it has rows 0 to {config.vocab_size - 1}; set it to the tokenizer's"
        )
        raise ModelError(msg)


def check_tokenizer(tokenizer: Any, config: Any, name: str) -> None:
    """Refuse a tokenizer that does not fit the model.

    Args:
        tokenizer: tokenizer of the model.
        config: config of the model.
        name: name of the model, for messages.

    Raises:
        ModelError: if the folder has no tokenizer, or it is slow, has more tokens than the model
            has rows, pads with another token, or does not mark the two sides of a pair.
    """
    if not tokenizer.is_fast:
        msg = f"model {name!r} has no fast tokenizer; save one as tokenizer.json beside it"
        raise ModelError(msg)
    fast, rows = tokenizer.backend_tokenizer, config.vocab_size
    vocabulary = fast.get_vocab(with_added_tokens=True)
    if len(vocabulary.keys() - set(tokenizer.all_special_tokens)) < 1:
        msg = (
            f"model {name!r} has no tokenizer in its folder, and every word would be unknown; "
            "put its tokenizer.json (or vocab.txt) beside config.json"
        )
        raise ModelError(msg)
    if (last := max(vocabulary.values())) >= rows:
        token = next(word for word, place in vocabulary.items() if place == last)
        msg = (
            f"the tokenizer of model {name!r} numbers its tokens up to {last} ({token!r}), "
            f"and the model has {rows} rows; give the tokenizer it was trained with, "
            "or resize_token_embeddings() and save it again"
        )
        raise ModelError(msg)
    own, theirs = config.pad_token_id, tokenizer.pad_token_id
    if own is not None and theirs is not None and own != theirs:
        msg = (
            f"the tokenizer of model {name!r} pads with token {theirs} ({tokenizer.pad_token!r}), "
            f"and its config with {own}; set pad_token_id in config.json to the tokenizer's"
        )
        raise ModelError(msg)
    fast.no_padding()
    fast.no_truncation()
    pair = fast.encode("a b", "c d")
    if not pair.special_tokens_mask[0]:
        msg = (
            f"the tokenizer of model {name!r} puts no token before a pair, and the head reads the "
            "first; save it with the post-processor of a BERT ([CLS] A [SEP] B [SEP])"
        )
        raise ModelError(msg)
    segments = set(pair.type_ids)
    if segments != {0, 1}:
        msg = (
            f"the tokenizer of model {name!r} marks the two sides of a pair with segments "
            f"{sorted(segments)} instead of 0 and 1; give the tokenizer of a BERT"
        )
        raise ModelError(msg)


def check_classes(config: Any, classes: Sequence[str], name: str) -> None:
    """Refuse a head that has our classes in another order.

    Each class would be taken for another.

    Args:
        config: config of the model.
        classes: names of our classes, in order.
        name: name of the model, for messages.

    Raises:
        ModelError: if the order differs; the message shows both.
    """
    named, ours = named_classes(config, len(classes)), [one.casefold() for one in classes]
    if named != ours and sorted(named) == sorted(ours):
        msg = (
            f"the classes of model {name!r} are {', '.join(named)}, "
            f"and here they are {', '.join(classes)}: each would be taken for another; "
            "put the rows of its head, and id2label, into this order"
        )
        raise ModelError(msg)


def named_classes(config: Any, count: int) -> list[str]:
    """Lower-case names of the first `count` classes of a config; empty if they are only numbers.

    Example:
        >>> from transformers import BertConfig
        >>> named_classes(BertConfig(id2label={0: "Yes", 1: "No"}), 2)
        ['yes', 'no']
        >>> named_classes(BertConfig(), 2)
        []
    """
    named = [str(config.id2label.get(place, "")).casefold() for place in range(count)]
    numbered = all(name in {"", str(place), f"label_{place}"} for place, name in enumerate(named))
    return [] if numbered else named


def few_tokens(tokenizer: Tokenizer, rows: int) -> list[str]:
    """A remark, in a list, if a tokenizer leaves many rows of the model unused; else an empty list.

    A vocabulary that is padded to a round number leaves a few.
    """
    tokens = tokenizer.get_vocab_size()
    unlike = (
        f"has {rows:,} rows, and its tokenizer {tokens:,} tokens: "
        "is it the one that the model was trained with?"
    )
    return [unlike] if tokens < _FULL * rows else []


def unknown_share(tokenizer: Tokenizer, texts: Iterable[str]) -> float:
    """Share of the words of some texts that a tokenizer does not know, in [0, 1].

    Example:
        >>> from mainstem.models import train_tokenizer
        >>> unknown_share(train_tokenizer(["red cup"], 100), ["red cup", "red \N{SNOWMAN} cup"])
        0.2
    """
    tokenizer.no_truncation()
    unknown = tokenizer.token_to_id(getattr(tokenizer.model, "unk_token", None) or "")
    words = lost = 0
    for found in tokenizer.encode_batch(list(texts), add_special_tokens=False):
        words += len(set(found.word_ids))
        lost += found.ids.count(unknown)
    return lost / max(words, 1)
