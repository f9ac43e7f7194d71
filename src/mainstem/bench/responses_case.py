"""The model and the batch of samples that the bench of gradient responses measures on."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mainstem.process.quiet import quietly

__all__ = ["Case", "batch_of", "model_of"]


@dataclass(frozen=True)
class Case:
    """A model, a batch and a device to measure on.

    Attributes:
        model: `LAYERSxHIDDEN` for a BERT with random weights, whose attention heads have size 32
            (64 from a hidden size of 512 on); or a name or folder that Hugging Face loads.
        batch: samples in the batch.
        tokens: length of the batch in tokens.
        vocabulary: number of different tokens, for a BERT with random weights.
        padded: whether samples have from half of `tokens` up to all, as real ones do; if not, all
            have `tokens`.
        device: `cpu` or `cuda`.
        precision: `float32`, or `bfloat16` for autocast.
        seed: seed of the weights and of the samples.
    """

    model: str = "4x256"
    batch: int = 64
    tokens: int = 32
    vocabulary: int = 8000
    padded: bool = True
    device: str = "cpu"
    precision: str = "float32"
    seed: int = 0


def model_of(case: Case) -> Any:
    """Make the model with random weights, or load it as it was saved."""
    from transformers import AutoModelForSequenceClassification, BertConfig  # seconds to import

    layers, _, hidden = case.model.partition("x")
    if not (layers.isdigit() and hidden.isdigit()):
        with quietly():
            return AutoModelForSequenceClassification.from_pretrained(
                case.model, num_labels=2, dtype=torch.float32
            )
    size = int(hidden)
    config = BertConfig(
        vocab_size=case.vocabulary,
        hidden_size=size,
        num_hidden_layers=int(layers),
        num_attention_heads=max(size // (64 if size >= 512 else 32), 1),
        intermediate_size=4 * size,
        max_position_embeddings=max(case.tokens, 128),
        num_labels=2,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model = AutoModelForSequenceClassification.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                # at the usual scale the gradients of all samples are nearly alike
                parameter.mul_(2)
    return model


def batch_of(case: Case, words: int) -> tuple[dict[str, Tensor], Tensor]:
    """Draw a batch of samples.

    Args:
        case: gives the sizes and the seed.
        words: size of the model's vocabulary.

    Returns:
        Inputs by name, each of shape (B, T), and labels, shape (B,).
    """
    random = torch.Generator().manual_seed(case.seed)
    ids = torch.randint(1, words, (case.batch, case.tokens), generator=random)
    lengths = torch.randint(
        case.tokens // 2 if case.padded else case.tokens,
        case.tokens + 1,
        (case.batch,),
        generator=random,
    )
    mask = (torch.arange(case.tokens) < lengths.unsqueeze(1)).long()  # (B, T)
    inputs = {
        "input_ids": ids * mask,
        "attention_mask": mask,
        "token_type_ids": torch.zeros_like(ids),
        "position_ids": torch.arange(case.tokens).expand(case.batch, -1).contiguous(),
    }
    labels = torch.randint(2, (case.batch,), generator=random)
    return {name: tensor.to(case.device) for name, tensor in inputs.items()}, labels.to(case.device)
