"""The cross-encoder: a BERT that reads (context, item) and gives logits."""

from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from mainstem.models.tokenizer import Batch

__all__ = ["CrossEncoder", "PairReader", "PretrainedReader", "initial_encoder"]


class PairReader(nn.Module):
    """A BERT with the head of a model from scratch.

    The head reads the mean of each segment as [a, b, a*b, |a-b|], and has two layers. A head on
    the first token would first have to learn to compare the two sides.
    """

    def __init__(self, config: Any) -> None:
        super().__init__()
        from transformers import BertModel  # seconds to import

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
        compared = [context, item, context * item, (context - item).abs()]
        logits: Tensor = self.head(torch.cat(compared, dim=1))
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
    """A network and its tokenizer, as a version holds them."""

    def __init__(self, network: PairReader | PretrainedReader, tokenizer: Tokenizer) -> None:
        self.network = network
        self.tokenizer = tokenizer

    @property
    def padding_id(self) -> int:
        """Id of the padding token."""
        return int(self.network.config.pad_token_id or 0)

    @property
    def from_scratch(self) -> bool:
        """Whether mainstem made the model, in contrast to a model that a user gives."""
        return isinstance(self.network, PairReader)


def initial_encoder(
    tokenizer: Tokenizer, max_tokens: int, seed: int, classes: int = 2
) -> CrossEncoder:
    """A new model with 2 layers of width 128.

    Args:
        tokenizer: tokenizer whose vocabulary the model has.
        max_tokens: the most tokens that the model can read.
        seed: seed of the weights.
        classes: number of logits.
    """
    from transformers import BertConfig  # seconds to import

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


def _segment_mean(read: Tensor, mask: Tensor) -> Tensor:
    weight = mask.unsqueeze(2).to(read.dtype)  # (B, T, 1)
    return (read * weight).sum(1) / weight.sum(1).clamp_min(1)  # (B, T, D) -> (B, D)
