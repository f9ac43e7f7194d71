"""The cross-encoder: a model that reads (context, item) and behaviour, and gives logits."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from mainstem.models.adapter import Adapter
from mainstem.models.dropout import with_quick_dropout
from mainstem.models.families import body_of, dropout_of, inputs_of
from mainstem.models.relative import with_rows_of_samples
from mainstem.models.tokenizer import Batch
from mainstem.models.towers import WIDTH, BehaviourTower, ExaminationTower

__all__ = ["CrossEncoder", "PairReader", "PretrainedReader", "initial_encoder"]

_MOST: Final = torch.finfo(torch.float16).max


class _Reader(nn.Module):
    """What both kinds of network know of what is trained of them.

    Attributes:
        adapter: what is trained of a given model; None if all is.
        trained: names of the trained weights; None if all are.
    """

    adapter: Adapter | None = None
    trained: frozenset[str] | None = None


class PairReader(_Reader):
    """A model with the head that mainstem makes: a BERT from scratch, or one given without a head.

    The head reads the mean of each segment as [a, b, a*b, |a-b|], and what the behaviour tower
    makes of the features, and has two layers. A head on the first token would first have to learn
    to compare the two sides; a head for the words and another for behaviour lose accuracy.

    Args:
        config: configuration of the model.
        features: names of the features, in order; empty for a model that reads words alone.
        examined: numbers of the logits that the examination tower is added to; empty for a model
            without it.
        given: the body of a given model, without a pooler, with weights that stay as they are; None
            makes a new BERT.
    """

    def __init__(
        self,
        config: Any,
        features: Sequence[str] = (),
        examined: Sequence[int] = (),
        *,
        given: nn.Module | None = None,
    ) -> None:
        super().__init__()
        from transformers import BertModel  # seconds to import

        self.config, self.features = config, tuple(features)
        self.is_given = given is not None
        dropout = dropout_of(config)
        # subtle: the name is kept for any family, because versions hold weights by it
        self.bert = BertModel(config, add_pooling_layer=False) if given is None else given
        self.head = nn.Sequential(
            nn.Linear(4 * config.hidden_size + WIDTH * bool(features), config.hidden_size),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(config.hidden_size, config.num_labels),
        )
        self.behaviour = BehaviourTower(len(features), dropout) if features else None
        self.examination = ExaminationTower(config.num_labels, examined) if examined else None
        with_rows_of_samples(self)
        with_quick_dropout(self)

    def forward(self, batch: Batch) -> Tensor:
        """Logits, shape (B, C)."""
        read = self.bert(**inputs_of(self.config, batch)).last_hidden_state  # (B, T, D)
        context = _segment_mean(read, batch.mask * (batch.segments == 0))  # (B, D)
        item = _segment_mean(read, batch.mask * (batch.segments == 1))
        parts = [context, item, context * item, (context - item).abs()]
        if self.behaviour is not None:
            parts.append(self.behaviour(batch.features, item))
        return _examined(self.head(torch.cat(parts, dim=1)), self.examination, batch)


class PretrainedReader(_Reader):
    """A given model with the classification head of its family.

    A behaviour part stands beside the head and starts at zero, so that the model starts as it was
    given.

    Args:
        model: the given model.
        features: names of the features, in order; empty for a model that reads words alone.
        examined: numbers of the logits that the examination tower is added to; empty for a model
            without it.
    """

    def __init__(
        self, model: Any, features: Sequence[str] = (), examined: Sequence[int] = ()
    ) -> None:
        super().__init__()
        self.model = model
        self.config, self.features = model.config, tuple(features)
        dropout, classes = dropout_of(model.config), model.config.num_labels
        self.behaviour = BehaviourTower(len(features), dropout) if features else None
        self.beside = nn.Linear(WIDTH, classes) if features else None
        if self.beside is not None:
            nn.init.zeros_(self.beside.weight)
            nn.init.zeros_(self.beside.bias)
        self.examination = ExaminationTower(classes, examined) if examined else None
        with_rows_of_samples(self)
        with_quick_dropout(self)

    def forward(self, batch: Batch) -> Tensor:
        """Logits, shape (B, C)."""
        logits: Tensor = self.model(**inputs_of(self.config, batch)).logits
        if self.behaviour is not None and self.beside is not None:
            logits = logits + self.beside(self.behaviour(batch.features, logits))
        return _examined(logits, self.examination, batch)


class CrossEncoder:
    """A network and its tokenizer, as a version holds them.

    Args:
        network: the network.
        tokenizer: its tokenizer.
        parity: largest relative difference of a response norm from an ordinary backward pass,
            found when a given model was taken in; None where nothing was compared.
    """

    def __init__(
        self,
        network: PairReader | PretrainedReader,
        tokenizer: Tokenizer,
        *,
        parity: float | None = None,
    ) -> None:
        self.network = network
        self.tokenizer = tokenizer
        self.parity = parity

    @property
    def padding_id(self) -> int:
        """Id of the padding token."""
        return int(self.network.config.pad_token_id or 0)

    @property
    def family(self) -> str:
        """The family of the network, as Hugging Face calls it."""
        return str(self.network.config.model_type)

    @property
    def adapter(self) -> Adapter | None:
        """What is trained of the network; None if all is."""
        return self.network.adapter

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features that the network reads, in order."""
        return self.network.features

    @property
    def examined(self) -> tuple[int, ...]:
        """Numbers of the logits that the examination tower is added to; empty without a tower."""
        tower = self.network.examination
        return () if tower is None else tower.columns

    @contextmanager
    def representing(self, read: list[Tensor]) -> Iterator[None]:
        """Put the representations of a batch into a list whenever the network reads one.

        A representation is what the head of the network reads, in eval mode: of a model from
        scratch the two segments compared and the behaviour, of a given model the pooled output,
        and of one that reads from left to right its last token. Numbers beyond the range of float16
        are cut.

        Args:
            read: list that then holds the representations of the last batch, shape (B, D),
                float16, and nothing else.
        """

        def keep(_: nn.Module, given: tuple[Tensor, ...]) -> None:
            read[:] = [given[0].detach().clamp(-_MOST, _MOST).half()]

        def keep_last(_: nn.Module, __: Any, given: Mapping[str, Tensor], found: Any) -> None:
            last = given["attention_mask"].sum(1) - 1
            every = found.last_hidden_state
            keep(_, (every[torch.arange(len(last), device=last.device), last],))

        # subtle: not on a linear layer, whose response is computed in another way if it has a hook
        if (before := self._before_head()) is None:
            body = body_of(self.network.model)
            handle = body.register_forward_hook(keep_last, with_kwargs=True)
        else:
            handle = before.register_forward_pre_hook(keep)
        try:
            yield
        finally:
            handle.remove()

    def _before_head(self) -> nn.Module | None:
        """The head of a model that mainstem made, or the last dropout of a given model's head."""
        network = self.network
        if isinstance(network, PairReader):
            return network.head
        body = set(body_of(network.model).modules())
        outside = [one for one in network.model.modules() if one not in body]
        return next((one for one in reversed(outside) if isinstance(one, nn.Dropout)), None)

    @property
    def from_scratch(self) -> bool:
        """Whether mainstem made the model, in contrast to a model that a user gives."""
        return isinstance(self.network, PairReader) and not self.network.is_given

    @property
    def kind(self) -> str:
        """Where the model comes from: `scratch`, `pretrained` or `encoder`.

        A `pretrained` model is given with its head. An `encoder` is given without one, and has the
        head of a model from scratch.
        """
        if isinstance(self.network, PairReader):
            return "encoder" if self.network.is_given else "scratch"
        return "pretrained"


def initial_encoder(
    tokenizer: Tokenizer,
    max_tokens: int,
    seed: int,
    classes: int = 2,
    *,
    features: Sequence[str] = (),
    examined: Sequence[int] = (),
    layers: int = 2,
    width: int = 128,
) -> CrossEncoder:
    """A new model, usually with 2 layers of width 128.

    Args:
        tokenizer: tokenizer whose vocabulary the model has.
        max_tokens: the most tokens that the model can read.
        seed: seed of the weights.
        classes: number of logits.
        features: names of the features that the model reads, in order; empty for words alone.
        examined: numbers of the logits that an examination tower is added to; empty for none.
        layers: number of layers.
        width: width of the layers, a multiple of 2.
    """
    from transformers import BertConfig  # seconds to import

    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=4 * width,
        max_position_embeddings=max_tokens,
        pad_token_id=tokenizer.token_to_id("[PAD]"),
        num_labels=classes,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CrossEncoder(PairReader(config, features, examined), tokenizer)


def _examined(logits: Tensor, tower: ExaminationTower | None, batch: Batch) -> Tensor:
    """The logits, with what the position adds to them where the batch says at which it was."""
    if tower is None or batch.shown_at is None:
        return logits
    added: Tensor = tower(batch.shown_at)
    return logits + added


def _segment_mean(read: Tensor, mask: Tensor) -> Tensor:
    weight = mask.unsqueeze(2).to(read.dtype)  # (B, T, 1)
    return (read * weight).sum(1) / weight.sum(1).clamp_min(1)  # (B, T, D) -> (B, D)
