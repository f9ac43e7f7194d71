"""The cross-encoder: a BERT that reads (context, item) and answers with logits, and how to make or load one."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from mainstem.errors import ModelError
from mainstem.versions.tokenizer import Batch

__all__ = ["CrossEncoder", "PairReader", "initial_encoder", "load_pretrained"]


class PairReader(nn.Module):
    """BERT with the head for a model from scratch: the mean of each segment, [a, b, a*b, |a-b|], two layers.

    A head on the first token would have to learn to compare the two sides first; here they are compared from the start.
    """

    def __init__(self, config: Any) -> None:
        super().__init__()
        from transformers import BertModel  # noqa: PLC0415 - seconds to import

        self.config = config
        self.bert = BertModel(config, add_pooling_layer=False)
        self.head = nn.Sequential(
            nn.Linear(4 * config.hidden_size, config.hidden_size),
            nn.GELU(),
            nn.Dropout(config.hidden_dropout_prob),
            nn.Linear(config.hidden_size, config.num_labels),
        )

    def forward(self, batch: Batch) -> Tensor:
        """Logits, shape (B, C)."""
        read = self.bert(
            input_ids=batch.ids,
            attention_mask=batch.mask,
            token_type_ids=batch.segments,
            position_ids=batch.positions,
        ).last_hidden_state  # (B, T, D)
        context = _segment_mean(read, batch.mask * (batch.segments == 0))  # (B, D)
        item = _segment_mean(read, batch.mask * (batch.segments == 1))
        logits: Tensor = self.head(torch.cat([context, item, context * item, (context - item).abs()], dim=1))
        return logits


class PretrainedReader(nn.Module):
    """A given BERT with the classification head of its family."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.config = model.config

    def forward(self, batch: Batch) -> Tensor:
        """Logits, shape (B, C)."""
        logits: Tensor = self.model(
            input_ids=batch.ids,
            attention_mask=batch.mask,
            token_type_ids=batch.segments,
            position_ids=batch.positions,
        ).logits
        return logits


class CrossEncoder:
    """A network and its tokenizer: what a version holds."""

    def __init__(self, network: PairReader | PretrainedReader, tokenizer: Tokenizer) -> None:
        self.network = network
        self.tokenizer = tokenizer

    @property
    def padding_id(self) -> int:
        """Id of the padding token."""
        return int(self.network.config.pad_token_id or 0)

    @property
    def from_scratch(self) -> bool:
        """Whether this project made the model."""
        return isinstance(self.network, PairReader)


def initial_encoder(tokenizer: Tokenizer, max_tokens: int, seed: int, classes: int = 2) -> CrossEncoder:
    """The model made here: 2 layers of 128, weights drawn from the seed, a logit for each class."""
    from transformers import BertConfig  # noqa: PLC0415 - seconds to import

    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=512,
        max_position_embeddings=max_tokens,
        pad_token_id=tokenizer.token_to_id("[PAD]"),
        num_labels=classes,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CrossEncoder(PairReader(config), tokenizer)


def load_pretrained(name: str, max_tokens: int, seed: int, classes: int = 2) -> CrossEncoder:
    """A BERT by its Hugging Face name or local path; a head that is missing, or of other classes, is drawn from the seed.

    Raises:
        ModelError: if it cannot be had, is no BERT, has fewer than `max_tokens` positions, no weights as safetensors, or
            no fast tokenizer.
    """
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415

    try:
        config = AutoConfig.from_pretrained(name, num_labels=classes)
        _check_config(config, name, max_tokens)
        tokenizer = AutoTokenizer.from_pretrained(name)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = AutoModelForSequenceClassification.from_pretrained(
                name, config=config, ignore_mismatched_sizes=True, use_safetensors=True
            )
    except ModelError:
        raise
    except Exception as error:  # a damaged file makes the libraries raise anything: SafetensorError, KeyError, ...
        where = "is not a model folder" if _is_path(name) else "cannot be had"
        first_line = next(iter(str(error).splitlines()), type(error).__name__)
        msg = (
            f"model {name!r} {where} ({first_line}); without a network give the path of a folder with "
            "config.json, weights and tokenizer.json as --model, or leave --model out"
        )
        raise ModelError(msg) from error
    if not tokenizer.is_fast:
        msg = f"model {name!r} has no fast tokenizer; save one as tokenizer.json beside it"
        raise ModelError(msg)
    return CrossEncoder(PretrainedReader(model), tokenizer.backend_tokenizer)


def _is_path(name: str) -> bool:
    """Whether a model's name is meant as a path; on the hub it is `name` or `owner/name`."""
    return Path(name).exists() or name.startswith((".", "~", "/")) or name.count("/") > 1


def _check_config(config: Any, name: str, max_tokens: int) -> None:
    if config.model_type != "bert":
        msg = f"model {name!r} is of the family {config.model_type!r}; only 'bert' is supported so far"
        raise ModelError(msg)
    if config.max_position_embeddings < max_tokens:
        msg = (
            f"model {name!r} reads {config.max_position_embeddings} tokens at most, and max_tokens is {max_tokens}; "
            f"set MAINSTEM_MAX_TOKENS={config.max_position_embeddings} or lower"
        )
        raise ModelError(msg)


def _segment_mean(read: Tensor, mask: Tensor) -> Tensor:
    weight = mask.unsqueeze(2).to(read.dtype)  # (B, T, 1)
    return (read * weight).sum(1) / weight.sum(1).clamp_min(1)  # (B, T, D) -> (B, D)
