"""Checks the folder, the config and the classes of a given model, before its weights are read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from mainstem.errors import ModelError
from mainstem.models.families import family_of, most_tokens

__all__ = [
    "check_classes",
    "check_config",
    "check_folder",
    "named_classes",
]

_FLOATS: Final = {"F64", "F32", "F16", "BF16"}
_POINTER: Final = b"version https://git-lfs"
_MOST_HEADER: Final = 100 << 20


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
        ModelError: if transformers has no classifier of the family; or the model is quantized,
            reads too few tokens or one segment where its family has two, has or is a decoder beside
            an encoder, has positions of a kind that is gone, or pads with a token that it does not
            have.
    """
    from transformers.models.auto.modeling_auto import (  # seconds to import
        MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as CLASSIFIERS,
    )

    if config.model_type not in CLASSIFIERS:
        msg = (
            f"model {name!r} is of the family {config.model_type!r}, of which transformers has no "
            "sequence classifier; give a model of a family that docs/models.md lists"
        )
        raise ModelError(msg)
    if quantized := getattr(config, "quantization_config", None):
        is_dict = isinstance(quantized, dict)
        found = quantized.get("quant_method") if is_dict else getattr(quantized, "quant_method", "")
        method = found or "quantization_config"
        msg = f"model {name!r} is quantized ({method}); give the model from before, in floats"
        raise ModelError(msg)
    most = most_tokens(config)
    if most is not None and most < max_tokens:
        msg = (
            f"model {name!r} reads {most} tokens at most, and max_tokens is {max_tokens}; "
            f"set MAINSTEM_MODEL__MAX_TOKENS={most} or lower"
        )
        raise ModelError(msg)
    if family_of(config).segments and config.type_vocab_size < 2:
        msg = (
            f"model {name!r} knows one segment (type_vocab_size {config.type_vocab_size}), "
            "and pairs have two: it could not tell a query from an item; "
            "give a model of two segments"
        )
        raise ModelError(msg)
    if getattr(config, "is_encoder_decoder", False):
        msg = (
            f"model {name!r} is an encoder with a decoder, which would read each pair twice; "
            "give an encoder, or a model that reads from left to right"
        )
        raise ModelError(msg)
    if getattr(config, "is_decoder", False) or getattr(config, "add_cross_attention", False):
        msg = (
            f"model {name!r} is a decoder for another model (is_decoder, add_cross_attention), "
            "which reads from left to right only; give an encoder (is_decoder false)"
        )
        raise ModelError(msg)
    positions = getattr(config, "position_embedding_type", None) or "absolute"
    if str(positions).startswith("relative_key"):
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
