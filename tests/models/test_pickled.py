"""Models of any family reach the processes that train them."""

import pickle
from pathlib import Path

import pytest
import torch

from mainstem.bench.families import learnable, tiny_settings
from mainstem.bench.tiny_families import save_tiny
from mainstem.join import examples_of
from mainstem.learning.first import first_encoder
from mainstem.models import ActiveVersion, CrossEncoder


@pytest.mark.parametrize("family", ["bert", "deberta-v2", "mpnet"])
def test_a_network_is_the_same_after_it_was_pickled(family: str, tmp_path: Path) -> None:
    """Its classes are the same, those that are made here too, and its answers bit by bit."""
    samples = learnable(6)
    texts = [text for one in samples for text in (one.context_text, one.item_text)]
    settings = tiny_settings(save_tiny(tmp_path / "model", family, texts=texts))
    encoder = first_encoder(texts, settings)
    again = CrossEncoder(*pickle.loads(pickle.dumps((encoder.network, encoder.tokenizer))))
    kinds = [[type(one) for one in each.network.modules()] for each in (encoder, again)]
    assert kinds[0] == kinds[1]
    found = [ActiveVersion(one, settings).logits(examples_of(samples)) for one in (encoder, again)]
    assert torch.equal(*map(torch.from_numpy, found))
