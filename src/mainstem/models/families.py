"""What differs between the families of models that Hugging Face loads as sequence classifiers.

A family is data in one table. What can be found out from a config or a model is found out, so that
a family outside of the table can be taken in too, if the responses know its layers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from torch import Tensor, nn

from mainstem.models.tokenizer import Batch

__all__ = [
    "FAMILIES",
    "Family",
    "answer_layer",
    "body_of",
    "dropout_of",
    "family_of",
    "has_segments",
    "inputs_of",
    "last_blocks",
    "most_tokens",
]

_DROPOUTS: Final = ("hidden_dropout_prob", "dropout", "resid_pdrop", "classifier_dropout")
_USUAL_DROPOUT: Final = 0.1


@dataclass(frozen=True)
class Family:
    """What a family needs.

    Attributes:
        segments: whether the model is told which token belongs to which side of a pair. None means
            that it is told if its config knows two segments.
        positions: whether it is given the positions of the tokens; else it makes its own.
        skips: whether its first token is at the position after that of the padding token, so that
            the positions up to there are never used.
        from_left: whether it reads from left to right only, and its head reads the last token.
        is_listed: whether the tests hold this family against autograd.
    """

    segments: bool | None = False
    positions: bool = False
    skips: bool = False
    from_left: bool = False
    is_listed: bool = True


FAMILIES: Final[Mapping[str, Family]] = MappingProxyType(
    {
        "bert": Family(segments=True, positions=True),
        "deberta-v2": Family(segments=None),
        "distilbert": Family(),
        "electra": Family(segments=True),
        "gpt2": Family(from_left=True),
        "llama": Family(from_left=True),
        "modernbert": Family(),
        "mpnet": Family(skips=True),
        "qwen2": Family(from_left=True),
        "roberta": Family(skips=True),
        "xlm-roberta": Family(skips=True),
    }
)
"""The families that the tests hold against autograd, by the `model_type` of their config."""
_UNLISTED: Final = Family(segments=None, is_listed=False)


def family_of(config: Any) -> Family:
    """The family of a config; one that is not in the table is read as its config says.

    Example:
        >>> from transformers import GPT2Config
        >>> family_of(GPT2Config()).from_left
        True
    """
    return FAMILIES.get(config.model_type, _UNLISTED)


def has_segments(config: Any) -> bool:
    """Whether a model is told which token belongs to which side of a pair."""
    told = family_of(config).segments
    return (getattr(config, "type_vocab_size", 0) or 0) >= 2 if told is None else told


def inputs_of(config: Any, batch: Batch) -> dict[str, Tensor]:
    """What a model of a config is called with, by the names that transformers gives it."""
    inputs = {"input_ids": batch.ids, "attention_mask": batch.mask}
    if has_segments(config):
        inputs["token_type_ids"] = batch.segments
    if family_of(config).positions:
        inputs["position_ids"] = batch.positions
    return inputs


def most_tokens(config: Any) -> int | None:
    """The most tokens that a model can read; None if its config sets no limit.

    Example:
        >>> from transformers import RobertaConfig
        >>> most_tokens(RobertaConfig(max_position_embeddings=514, pad_token_id=1))
        512
    """
    positions = getattr(config, "max_position_embeddings", None)
    if not positions or positions < 0:
        return None
    unused = (config.pad_token_id or 0) + 1 if family_of(config).skips else 0
    return int(positions) - unused


def dropout_of(config: Any) -> float:
    """The share that the hidden layers of a model leave out in training, .1 if it is not said."""
    said = (getattr(config, name, None) for name in _DROPOUTS)
    return next((float(one) for one in said if isinstance(one, float | int)), _USUAL_DROPOUT)


def body_of(model: Any) -> nn.Module:
    """The model without its head."""
    body: nn.Module = getattr(model, model.base_model_prefix)
    return body


def answer_layer(model: nn.Module) -> str:
    """The name of the layer that gives the logits, the last linear one outside of the body.

    Example:
        >>> from transformers import BertConfig, BertForSequenceClassification
        >>> sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8}
        >>> answer_layer(BertForSequenceClassification(BertConfig(num_hidden_layers=1, **sizes)))
        'classifier'
    """
    inside = f"{model.base_model_prefix}."
    found: list[str] = [
        name
        for name, one in model.named_modules()
        if isinstance(one, nn.Linear) and not name.startswith(inside)
    ]
    return found[-1]


def last_blocks(body: nn.Module, count: int = 1) -> list[str]:
    """Names inside the body: its last blocks, and what it runs after its blocks.

    It is empty for a body without a stack of so many blocks.

    Args:
        body: the body of a model.
        count: number of blocks.
    """
    modules = list(body.named_modules())
    stack = next((name for name, one in modules if isinstance(one, nn.ModuleList)), None)
    if stack is None:
        return []
    blocks = len(body.get_submodule(stack))  # type: ignore[arg-type]
    if blocks < count:
        return []
    children = [name for name, _ in body.named_children()]
    after = children[children.index(stack.partition(".")[0]) + 1 :]
    return [*(f"{stack}.{place}" for place in range(blocks - count, blocks)), *after]
