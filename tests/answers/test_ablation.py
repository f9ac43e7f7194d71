"""Which features count: rankings without some of them, compared with plain passes."""

from uuid import UUID

import numpy as np
import pytest
import torch

from mainstem.answers.ablation import Ablation, ablation_of, groups_of
from mainstem.behaviour import FEATURE_NAMES
from mainstem.join import PlacedSample
from mainstem.join.placed import examples_of
from mainstem.learning.evaluation import auc, evaluate
from mainstem.models import ActiveVersion, CrossEncoder, initial_encoder, train_tokenizer
from mainstem.settings import Settings

NAMES = ("item_purchased_7", "item_clicked_7", "price", "hour_sin")
SETTINGS = Settings()


@pytest.fixture(scope="module")
def encoder() -> CrossEncoder:
    """A model whose weights are drawn, so that every feature moves its ranking."""
    made = initial_encoder(train_tokenizer(["red cup", "blue pot"], 60), 32, 7, features=NAMES)
    with torch.no_grad():
        for weight in made.network.behaviour.parameters():
            weight.normal_(generator=torch.Generator().manual_seed(3))
    return made


@pytest.fixture(scope="module")
def samples() -> list[PlacedSample]:
    """Samples of both labels; the last two have no features."""
    random = np.random.default_rng(5)
    texts = ["red cup", "blue pot", "red pot", "cup"]
    made = [
        PlacedSample(
            sample_id=UUID(int=number),
            label_version=0,
            partition=0,
            offset=number,
            event_time=number,
            label=int(random.integers(2)),
            targets=(),
            weight=1.0,
            sampling_probability=1.0,
            position=0,
            part="stream",
            item_id="i",
            history=(),
            context_text=texts[number % 4],
            item_text=texts[number % 3],
            features=tuple(random.normal(size=len(NAMES)).tolist()),
        )
        for number in range(300)
    ]
    return [*made[:-2], *(one._replace(features=()) for one in made[-2:])]


@pytest.fixture(scope="module")
def found(encoder: CrossEncoder, samples: list[PlacedSample]) -> Ablation:
    return ablation_of(encoder, samples, SETTINGS, 4)


def test_the_whole_ranking_is_the_one_that_is_evaluated(
    found: Ablation, encoder: CrossEncoder, samples: list[PlacedSample]
) -> None:
    """With all features the AUC is that of `evaluate`, over the samples that have features."""
    assert (4, 298) == (found.version, found.samples)
    active = ActiveVersion(encoder, SETTINGS)
    assert evaluate(active, samples[:-2]).auc == pytest.approx(found.auc, abs=1e-4)


def test_a_group_is_left_out_by_setting_it_to_its_mean(
    found: Ablation, encoder: CrossEncoder, samples: list[PlacedSample]
) -> None:
    """Each ranking is the one of samples that have 0 in the columns of the group."""
    active, labels = ActiveVersion(encoder, SETTINGS), np.array([one.label for one in samples[:-2]])
    for one in (found.none, *found.groups, *found.features):
        left = [
            sample._replace(
                features=tuple(
                    0.0 if name in one.features else value
                    for name, value in zip(NAMES, sample.features, strict=True)
                )
            )
            for sample in samples[:-2]
        ]
        logits = active.logits(examples_of(left))
        expected = auc(labels, logits[:, 1] - logits[:, 0])
        assert expected == pytest.approx(one.auc, abs=1e-4)
        assert found.auc - one.auc == one.drop
    drops = [one.drop for one in found.features]
    assert sorted(drops, reverse=True) == drops
    assert any(drops)


def test_the_network_is_given_back_as_it_was(encoder: CrossEncoder, found: Ablation) -> None:
    """After the rankings the network has its own part that reads words."""
    assert found.groups
    assert "BertModel" == type(encoder.network.bert).__name__


def test_every_feature_is_in_one_group() -> None:
    """The groups hold each feature of this release once."""
    groups = groups_of(FEATURE_NAMES)
    assert sorted(FEATURE_NAMES) == sorted(name for names in groups.values() for name in names)


def test_without_features_or_both_labels_there_is_no_answer(
    encoder: CrossEncoder, samples: list[PlacedSample]
) -> None:
    """A model of words alone, one label, and samples without features have no ablation."""
    words = initial_encoder(train_tokenizer(["red cup"], 60), 32, 7)
    assert ablation_of(words, samples, SETTINGS, 0) is None
    one_label = [one._replace(label=1) for one in samples]
    assert ablation_of(encoder, one_label, SETTINGS, 0) is None
    assert ablation_of(encoder, samples[-2:], SETTINGS, 0) is None
