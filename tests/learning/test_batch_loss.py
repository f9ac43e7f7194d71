"""The loss of a training step, put together from its parts, and the batches that it needs."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mainstem.learning.training.batch_loss import BatchLoss, epoch_of, steps_of
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.models import ActiveVersion
from mainstem.models.encoder import initial_encoder
from mainstem.models.reading import Read
from mainstem.objectives import Examples
from mainstem.objectives.listwise import lambda_loss, softmax_cross_entropy
from mainstem.settings import Objectives, Settings
from tests.learning.samples import stored
from tests.small_models import scratch_encoder, tokenizer

PLACES = np.array([4, 0, 3, 1])
LABELS = np.array([1, 0, 0, 0, 1, 0])
QUESTIONS = np.array([7, 7, 9, 7, 9, 9])
WEIGHTS = np.array([1.0, 2.0, 1.0, 0.5, 1.0, 1.0], np.float32)
LOGITS = torch.randn(4, 2, generator=torch.Generator().manual_seed(3))


def settings(**objectives: float | str) -> Settings:
    """Return settings of some objectives, on the CPU."""
    given = {f"objectives.{name}": value for name, value in objectives.items()}
    return Settings.of({"model.device": "cpu", "model.max_tokens": 24, **given})


def read(**objectives: float | str) -> tuple[Read, Objectives]:
    """Return six samples of two questions, encoded, and the settings of their objectives."""
    whole = settings(**objectives)
    examples = Examples.of(
        [("red", "cup")] * 6,
        LABELS.tolist(),
        WEIGHTS.tolist(),
        targets=[(float(label), label / 2) for label in LABELS],
        questions=QUESTIONS.tolist(),
    )
    return ActiveVersion(scratch_encoder(), whole).read(examples), whole.objectives


def loss(importance: list[float] | None = None, **objectives: float | str) -> float:
    """Return the loss of a batch."""
    return BatchLoss(*read(**objectives), importance)(LOGITS, PLACES).item()


def plain() -> torch.Tensor:
    """Return the cross-entropy of each sample of the batch, by PyTorch."""
    return F.cross_entropy(LOGITS, torch.tensor(LABELS[PLACES]), reduction="none")


def test_by_default_it_is_the_weighted_mean_of_the_cross_entropy() -> None:
    """A single answer has PyTorch's cross-entropy times the weights, to the last bit."""
    assert (plain() * torch.tensor(WEIGHTS[PLACES])).mean().item() == loss()


@pytest.mark.parametrize(
    ("name", "listwise"), [("lambda", lambda_loss), ("softmax", softmax_cross_entropy)]
)
def test_gamma_adds_the_order_within_questions(name: str, listwise: object) -> None:
    """The listwise loss of the log-odds is added, over the questions of the batch."""
    scores, targets = LOGITS[:, 1] - LOGITS[:, 0], torch.tensor(LABELS[PLACES]).float()
    order = listwise(scores, targets, torch.tensor(QUESTIONS[PLACES]))  # type: ignore[operator]
    assert order.item() > 0
    expected = loss() + 0.75 * order.item()
    assert pytest.approx(expected, rel=1e-6) == loss(listwise=0.75, listwise_loss=name)


def test_gamma_orders_by_the_objective_that_ranks() -> None:
    """With several objectives the order is that of the ranking one's logit and target."""
    given = {"names": "click,relevance", "rank_by": "relevance"}
    targets = torch.tensor(LABELS[PLACES] / 2).float()
    order = lambda_loss(LOGITS[:, 1], targets, torch.tensor(QUESTIONS[PLACES]))
    expected = loss(**given) + 2 * order.item()
    assert pytest.approx(expected, rel=1e-6) == loss(**given, listwise=2.0)


def test_delta_adds_losses_weighed_by_importance() -> None:
    """Each loss counts 1 + delta * importance / mean; a sample without importance is a mean one."""
    importance = [2.0, 1.0, 5.0, float("nan"), 4.0, 3.0]
    share = np.array([2.0, 1.0, 5.0, 3.0, 4.0, 3.0])[PLACES] / 3
    factor = torch.tensor(WEIGHTS[PLACES] * (1 + 0.5 * share))
    expected = (plain() * factor).mean().item()
    assert pytest.approx(expected, rel=1e-6) == loss(importance, by_importance=0.5)
    assert pytest.approx(1.5 * loss(), rel=1e-6) == loss(by_importance=0.5)


def test_rare_labels_weigh_more_where_settings_say_so() -> None:
    """Two of six labels are yes: they weigh 1.5 each, and a no .75."""
    factor = torch.tensor(WEIGHTS[PLACES] * np.where(LABELS[PLACES] == 1, 1.5, 0.75))
    expected = (plain() * factor).mean().item()
    assert pytest.approx(expected, rel=1e-6) == loss(imbalance="weights")


def test_an_order_is_learnt_from_whole_questions() -> None:
    """A listwise loss keeps the samples of a question in one batch, else they may be apart."""
    encoded, objectives = read(listwise=1.0)
    for seed in range(3):
        batches = epoch_of(encoded, objectives, 3, np.random.default_rng(seed))
        assert [0, 1, 2, 3, 4, 5] == sorted(np.concatenate(batches).tolist())
        assert [1, 1] == [len(set(QUESTIONS[batch])) for batch in batches]
    assert 2 == steps_of(encoded, objectives, 3)


def test_an_epoch_of_resampled_labels_has_as_many_samples() -> None:
    """Samples are drawn anew for each epoch, as many as there are."""
    encoded, objectives = read(imbalance="resample")
    drawn = np.concatenate(epoch_of(encoded, objectives, 4, np.random.default_rng(0)))
    assert (6, 2) == (len(drawn), steps_of(encoded, objectives, 4))
    assert len(set(drawn.tolist())) < 6


def test_training_learns_two_objectives_and_an_order() -> None:
    """A word that is clicked and another that is bought are told apart by their own logits."""
    words = (("hottie", 1.0, 0.0), ("holder", 0.0, 1.0))
    samples = [
        stored(
            number,
            item_text=f"red {word}",
            label=int(click),
            targets=(click, bought),
            question_id=stored(number // 2).sample_id,
        )
        for number, (word, click, bought) in enumerate(words * 40)
    ]
    given = settings(names="click,purchase", listwise=0.5, by_importance=0.5).but(
        {"learning.epochs": 6, "learning.train_batch": 16, "learning.learning_rate": 2e-3}
    )
    parent = initial_encoder(tokenizer(), 64, 0, 2)
    importance = [1.0 + number % 3 for number in range(80)]
    done = fine_tune(parent, samples, samples[:20], given, 1, importance)
    logits = ActiveVersion(done.encoder, given).answers([one.pair for one in samples[:2]])
    assert ([[True, False], [False, True]], 30) == ((logits > 0).tolist(), done.steps)
