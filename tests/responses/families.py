"""A small model of each family, with random weights everywhere, and a ragged batch for it.

The models are called as in Hugging Face's examples, without position ids: the families make their
own, some of them of shape (1, T).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
import transformers as hf
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from mainstem.objectives.losses import Loss, cross_entropy, token_cross_entropy
from mainstem.responses import Responses
from tests.responses.truth import Gradient, gradients
from tests.small_models import shake

WORDS = 60
LENGTHS = (7, 3, 9, 5)
SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
BERT = {"vocab_size": WORDS, "max_position_embeddings": 24, **SIZES}


@dataclass(frozen=True)
class Case:
    """A model, its texts and targets, and the loss."""

    model: nn.Module
    texts: list[Tensor]
    targets: list[Tensor]
    answer: Callable[[nn.Module, Tensor, Tensor, Tensor], Tensor]
    """Maps (model, ids, mask, targets), padded or not, to what the loss compares with targets."""
    loss: Loss = cross_entropy

    def batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return ids, mask and targets, padded to the longest text."""
        padding = self.model.config.pad_token_id
        ids = pad_sequence(self.texts, batch_first=True, padding_value=padding)
        mask = pad_sequence([torch.ones_like(one) for one in self.texts], batch_first=True)
        if not self.targets[0].dim():
            return ids, mask, torch.stack(self.targets)
        return ids, mask, pad_sequence(self.targets, batch_first=True, padding_value=-100)

    def responses(self, probe: Any, method: str = "responses", **more: Any) -> Responses[Tensor]:
        """Return the probe's responses to the whole batch."""
        ids, mask, targets = self.batch()
        return getattr(probe, method)(
            lambda: self.answer(self.model, ids, mask, targets), targets, loss=self.loss, **more
        )

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        """Yield the loss of each sample, alone and without padding."""
        for text, target in zip(self.texts, self.targets, strict=True):
            ids, targets = text.unsqueeze(0), target.unsqueeze(0)
            yield F.cross_entropy(
                self.answer(model, ids, torch.ones_like(ids), targets).flatten(0, -2),
                targets.flatten(),
            )

    def gradients(self) -> list[Gradient]:
        """Compute each sample's gradient by autograd."""
        return gradients(self.model, self.losses)


def texts_of(lengths: tuple[int, ...] = LENGTHS) -> list[Tensor]:
    """Draw ids from 5 on, out of few, so that they repeat."""
    generator = torch.Generator().manual_seed(1)
    return [torch.randint(5, 14, (length,), generator=generator) for length in lengths]


def made(kind: str, config: Any) -> nn.Module:
    """Make a model of a class of transformers, with random weights everywhere."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = getattr(hf, kind)(config).eval()
    shake(model)
    return model


def classifier(kind: str, config: Any, lengths: tuple[int, ...] = LENGTHS) -> Case:
    """Texts with one class each."""
    labels = [torch.tensor((place + 1) % config.num_labels) for place in range(len(lengths))]
    return Case(
        made(kind, config),
        texts_of(lengths),
        labels,
        lambda model, ids, mask, _: model(ids, attention_mask=mask).logits,
    )


def bert(lengths: tuple[int, ...] = LENGTHS, **more: Any) -> Case:
    """The case that most tests use."""
    return classifier("BertForSequenceClassification", hf.BertConfig(**(BERT | more)), lengths)


def next_token(kind: str, config: Any) -> Case:
    """Each token is predicted from those before it; the first, which has none, is left out."""
    model, texts = made(kind, config), texts_of()
    targets = [torch.cat([text[1:], torch.tensor([-100])]) for text in texts]
    return Case(
        model,
        texts,
        targets,
        lambda model, ids, mask, _: model(ids, attention_mask=mask).logits,
        token_cross_entropy,
    )


def masked(kind: str, config: Any) -> Case:
    """Two tokens of each text are masked, and predicted."""
    model, texts = made(kind, config), texts_of()
    targets = [torch.full_like(text, -100) for text in texts]
    for text, target in zip(texts, targets, strict=True):
        target[[0, 2]] = text[[0, 2]]
        text[[0, 2]] = 4
    return Case(
        model,
        texts,
        targets,
        lambda model, ids, mask, _: model(ids, attention_mask=mask).logits,
        token_cross_entropy,
    )


def translated(kind: str, config: Any) -> Case:
    """One text is translated into another, by an encoder and a decoder.

    The table of relative positions is frozen, because what it reads has no batch.
    """
    model, texts = made(kind, config), texts_of()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("relative_attention_bias" not in name)
    targets = [text.flip(0)[:4] for text in texts]

    def answer(model: nn.Module, ids: Tensor, mask: Tensor, targets: Tensor) -> Tensor:
        return model(ids, attention_mask=mask, labels=targets).logits

    return Case(model, texts, targets, answer, token_cross_entropy)


def roberta(kind: str, config: type) -> Case:
    return classifier(
        kind,
        config(**BERT | {"max_position_embeddings": 30, "type_vocab_size": 1, "pad_token_id": 1}),
    )


def gpt2(layers: int = 2) -> hf.GPT2Config:
    return hf.GPT2Config(
        vocab_size=WORDS,
        n_positions=24,
        n_embd=16,
        n_layer=layers,
        n_head=2,
        pad_token_id=0,
        num_labels=3,
    )


def llama() -> hf.LlamaConfig:
    return hf.LlamaConfig(**BERT, num_key_value_heads=1, pad_token_id=0, tie_word_embeddings=True)


def t5() -> hf.T5Config:
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2}
    return hf.T5Config(vocab_size=WORDS, decoder_start_token_id=0, pad_token_id=0, **sizes)


FAMILIES: dict[str, Callable[[], Case]] = {
    "bert": bert,
    "bert, five classes": lambda: bert(num_labels=5),
    "bert, one sample": lambda: bert(lengths=(6,)),
    # a tied decoder with a bias
    "bert, masked tokens": lambda: masked("BertForMaskedLM", hf.BertConfig(**BERT)),
    # 384, 12 and 1536 in the real one
    "minilm": lambda: bert(hidden_size=48, num_attention_heads=12, intermediate_size=96),
    "distilbert": lambda: classifier(
        "DistilBertForSequenceClassification",
        hf.DistilBertConfig(
            vocab_size=WORDS,
            max_position_embeddings=24,
            dim=16,
            n_layers=2,
            n_heads=2,
            hidden_dim=32,
        ),
    ),
    "roberta": lambda: roberta("RobertaForSequenceClassification", hf.RobertaConfig),
    "xlm-r": lambda: roberta("XLMRobertaForSequenceClassification", hf.XLMRobertaConfig),
    "electra": lambda: classifier(
        "ElectraForSequenceClassification", hf.ElectraConfig(**BERT, embedding_size=8)
    ),
    # one layer, passed three times
    "albert": lambda: classifier(
        "AlbertForSequenceClassification",
        hf.AlbertConfig(**BERT | {"num_hidden_layers": 3}, embedding_size=8),
    ),
    "gpt-2": lambda: classifier("GPT2ForSequenceClassification", gpt2()),
    # a tied head
    "gpt-2, next token": lambda: next_token("GPT2LMHeadModel", gpt2()),
    # RMSNorm, a tied head
    "llama, next token": lambda: next_token("LlamaForCausalLM", llama()),
    # RMSNorm, one weight in three places
    "t5": lambda: translated("T5ForConditionalGeneration", t5()),
}
