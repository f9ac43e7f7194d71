"""A model that learns nothing but a head over features that stay as they are.

It goes through the same rounds, draws and choices as any other. Each text is one word of its
vocabulary, whose embedding is the features of the text, and the encoder has no layers. So a pass
costs next to nothing, and every version reads a text alike. The pass of the model that the features
come from is not counted: it is made once, and is the same for every policy.
"""

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers

from mainstem.models import CrossEncoder
from mainstem.models.encoder import PairReader
from mainstem.models.tokenizer import SPECIAL
from mainstem.settings import Settings

__all__ = ["frozen_head", "word_of"]

_LENGTH: Final = 4.0  # of the features of a text, as in `bench evidence`


def word_of(row: int) -> str:
    """The word that stands for a text.

    Args:
        row: number of the text.
    """
    return f"text{row}"


def frozen_head(features: NDArray[Any], settings: Settings) -> CrossEncoder:
    """A new head over frozen features, which are brought to mean 0 and length 4 in each text.

    Args:
        features: features of N texts, shape (N, D).
        settings: settings with the classes, the seed, and the most tokens.
    """
    from transformers import BertConfig  # seconds to import

    names = [*SPECIAL, *map(word_of, range(len(features)))]
    vocabulary = {name: number for number, name in enumerate(names)}
    unknown = SPECIAL[1]
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=unknown))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    config = BertConfig(
        vocab_size=len(names),
        hidden_size=features.shape[1],
        num_hidden_layers=0,
        num_attention_heads=1,
        max_position_embeddings=settings.model.max_tokens,
        pad_token_id=vocabulary[SPECIAL[0]],
        num_labels=len(settings.objectives.class_names),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.run.seed)
        network = PairReader(config)
    _look_up(network, features)
    return CrossEncoder(network, tokenizer)


@torch.no_grad()
def _look_up(network: PairReader, features: NDArray[Any]) -> None:
    """Let a reader read nothing but the features of a text, and never change them."""
    network.bert.requires_grad_(False)
    embeddings: Any = network.bert.get_submodule("embeddings")
    for table in (embeddings.position_embeddings, embeddings.token_type_embeddings):
        table.weight.zero_()
    words = embeddings.word_embeddings.weight
    words.zero_()
    words[len(SPECIAL) :] = torch.from_numpy(features.astype(np.float32))
    embeddings.LayerNorm.weight.fill_(_LENGTH / np.sqrt(features.shape[1]))
