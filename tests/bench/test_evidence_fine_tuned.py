"""Fine-tuning on the labels of a stream, on a small model made here."""

from pathlib import Path

import numpy as np
import pytest

from mainstem.bench.evidence.claims import NONE, ORACLE, Found, claims_of
from mainstem.bench.evidence.fine_tuned import FineTuning
from mainstem.bench.evidence.streams import STREAMS
from mainstem.bench.evidence.texts import Texts
from mainstem.bench.evidence.weighing import COMBINATION
from mainstem.settings import Settings
from tests.small_models import save_bert, tokenizer


def test_a_model_learns_from_the_labels_that_weigh_and_not_from_the_others(tmp_path: Path) -> None:
    """With weight on the true labels alone it answers right; a training is made once."""
    vocabulary = sorted(word for word in tokenizer().get_vocab() if word.isalpha())[:2]
    words = [vocabulary[row % 2] for row in range(600)]
    truth = np.arange(600) % 2
    label = np.where(np.arange(600) % 3 > 0, 1 - truth, truth)
    texts = Texts(words, label, truth, words[:20], truth[:20])
    told: list[str] = []
    settings = Settings.of({"learning.learning_rate": 0.01, "learning.train_batch": 8})
    model = str(save_bert(tmp_path / "model"))
    tuning = FineTuning(model, texts, np.arange(600), settings, told.append)
    right = tuning.accuracy("weighed", label, (label == truth).astype(np.float64))
    assert (1.0, 0.0) == (right, tuning.accuracy("all", label, np.ones(600)))
    assert right == tuning.accuracy("weighed", label, np.zeros(600))
    assert 2 == len(told)
    assert tuning.accuracy("one class", np.zeros(600, np.int64), np.ones(600)) is None


def test_the_share_of_the_gap_that_fine_tuning_closes() -> None:
    """The last claim is of the accuracy after fine-tuning, and has an interval over the seeds."""
    asked = {"stream": "noisy_agnews_10k, human", "trusted": 500, "revealed": "samples"}
    names = "auroc ap auroc_within called found false core core_wrong all_wrong accuracy_true"
    none = dict.fromkeys(names.split())
    cells = [
        {**none, **asked, "evidence": evidence, "seed": seed, "accuracy_fine_tuned": accuracy}
        for evidence, accuracy in ((NONE, 0.8), (COMBINATION, 0.87), (ORACLE, 0.9))
        for seed in range(3)
    ]
    tuned = claims_of(Found(cells, STREAMS))[-1]
    assert (True, "share closed with 500 trusted") == (tuned["holds"], tuned["weakest"])
    assert tuned["mean"] == pytest.approx(0.7)
