"""The parts of a network learn at rates of their own."""

from pathlib import Path

import pytest
from transformers import BertModel

from mainstem.learning.training.steps import optimizer_of
from mainstem.models import CrossEncoder, load_pretrained
from mainstem.settings import Settings
from tests.small_models import bert_config, given_encoder, save_bert, scratch_encoder

FEATURES = ("popularity",)


def rates(encoder: CrossEncoder, *, beside: bool) -> dict[str, float]:
    """The highest learning rate of the first weight of each part, relative to the head's."""
    settings = Settings.of({"learning.learning_rate": 1.0, "learning.warm_up": 0.0})
    optimizer, _ = optimizer_of(encoder, settings, 10, beside=beside)
    of_weight = {
        id(one): group["lr"] for group in optimizer.param_groups for one in group["params"]
    }
    found: dict[str, float] = {}
    for name, weight in encoder.network.named_parameters():
        found.setdefault(name.split(".")[0], of_weight[id(weight)])
    return found


def test_beside_features_words_from_scratch_learn_slowly() -> None:
    """Features bring most of what is to be learnt, and words would be learnt by heart."""
    encoder = scratch_encoder(features=FEATURES)
    assert rates(encoder, beside=True) == {"bert": 0.3, "head": 1.0, "behaviour": 5.0}
    assert rates(encoder, beside=False) == {"bert": 1.0, "head": 1.0, "behaviour": 5.0}


def test_a_given_model_without_a_head_keeps_its_rate(tmp_path: Path) -> None:
    """The head that it came without learns as a model from scratch does."""
    folder = save_bert(tmp_path / "bert")
    BertModel(bert_config()).save_pretrained(folder)
    encoder = load_pretrained(str(folder), 64, 0, features=FEATURES)
    found = rates(encoder, beside=True)
    assert (1.0, pytest.approx(10.0)) == (found["bert"], found["head"])
    assert pytest.approx(50.0) == found["behaviour"]


def test_a_given_model_keeps_its_rate() -> None:
    """Only the new parts beside it learn faster."""
    found = rates(given_encoder(features=FEATURES), beside=True)
    assert found["model"] == 1.0
    assert pytest.approx(50.0) == found["behaviour"]
