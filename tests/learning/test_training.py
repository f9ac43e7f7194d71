"""Fine-tuning: a copy learns, the parent stays, and the best pass is kept."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch

from mainstem.join import PlacedSample, examples_of
from mainstem.learning.evaluation import evaluate
from mainstem.learning.evaluation.metrics import auc
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.learning.training.steps import Rate
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.settings import Learning, Model, Settings
from tests.learning.samples import stored
from tests.learning.scripted import HELD_OUT, SAMPLES, SETTINGS, train, weights
from tests.small_models import given_encoder, scratch_encoder


@pytest.mark.parametrize("make", [scratch_encoder, given_encoder])
def test_the_parent_stays_as_it_is(make: Callable[[], CrossEncoder]) -> None:
    """Training makes another network and leaves torch's own random state alone."""
    parent = make()
    before, state = copy.deepcopy(parent.network.state_dict()), torch.get_rng_state()
    child = fine_tune(parent, SAMPLES, HELD_OUT, SETTINGS, seed=1).encoder
    assert all(torch.equal(before[name], now) for name, now in parent.network.state_dict().items())
    assert not torch.equal(weights(parent.network), weights(child.network))
    assert {None} == {parameter.grad for parameter in parent.network.parameters()}
    assert torch.equal(state, torch.get_rng_state())


def test_a_seed_repeats_itself() -> None:
    """A seed gives the very same weights again, order and dropout included; another does not."""
    parent, found = scratch_encoder(), []
    for seed in (1, 1, 2):
        # draws in between from torch's own random state
        torch.rand(1)
        found.append(
            weights(fine_tune(parent, SAMPLES, HELD_OUT, SETTINGS, seed=seed).encoder.network)
        )
    first, again, other = found
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_what_can_be_learnt_is_learnt() -> None:
    """On a rule that one word decides, the loss on unseen samples falls far below chance."""
    parent = scratch_encoder()
    trained = fine_tune(
        parent,
        SAMPLES,
        HELD_OUT,
        Settings(learning=Learning(epochs=8, train_batch=8), model=Model(device="cpu")),
        seed=1,
    )
    before, after = (
        evaluate(ActiveVersion(encoder, SETTINGS), HELD_OUT)
        for encoder in (parent, trained.encoder)
    )
    assert after.log_loss < before.log_loss / 2
    assert after.auc > 0.95


def test_weights_of_samples_count() -> None:
    """Samples of weight 0 teach nothing: turned labels without weight leave the rule as it is."""
    turned = [sample._replace(label=1 - sample.label, weight=0.0) for sample in SAMPLES]
    mixed = [one for pair in zip(SAMPLES, turned, strict=True) for one in pair]
    settings = Settings(learning=Learning(epochs=8, train_batch=16), model=Model(device="cpu"))
    child = fine_tune(scratch_encoder(), mixed, HELD_OUT, settings, seed=1).encoder
    assert evaluate(ActiveVersion(child, SETTINGS), HELD_OUT).auc > 0.95


def told_by_behaviour(count: int, *, seed: int) -> list[PlacedSample]:
    """Make samples of like texts, whose label is yes where the second feature is above 1."""
    drawn = np.random.default_rng(seed).normal(size=(count, 3))
    return [
        stored(number, label=int(row[1] > 1), features=tuple(row.tolist()), item_text="cups")
        for number, row in enumerate(drawn)
    ]


@pytest.mark.parametrize("make", [scratch_encoder, given_encoder])
def test_what_behaviour_tells_is_learnt(make: Callable[..., CrossEncoder]) -> None:
    """Where the texts say nothing, the features do, past a threshold of one of them."""
    rate = 0.002 if make is scratch_encoder else 2e-4
    settings = SETTINGS.but({"learning.epochs": 6, "learning.learning_rate": rate})
    parent = make(features=("a", "b", "c"))
    samples, later = told_by_behaviour(320, seed=0), told_by_behaviour(200, seed=1)
    child = fine_tune(parent, samples, later, settings, seed=1).encoder
    active = ActiveVersion(child, SETTINGS)
    labels = np.array([one.label for one in later])
    logits, without = (
        active.logits(examples_of(later), behaviour=behaviour) for behaviour in (True, False)
    )
    assert auc(labels, logits[:, 1] - logits[:, 0]) > 0.95
    assert pytest.approx(0.5) == auc(labels, without[:, 1] - without[:, 0])


def clicked(count: int, *, seed: int) -> list[PlacedSample]:
    """Make samples that are clicked if they are looked at, and more often if they are liked.

    Liked items are shown further down, so that positions alone say that lower ones are better.
    """
    random = np.random.default_rng(seed)
    likes = random.integers(0, 2, count)
    positions = random.integers(1, 6, count) + 5 * likes * random.integers(0, 2, count)
    looks = random.random(count) < 1 / positions
    return [
        stored(
            number,
            label=int(look and random.random() < (0.9 if like else 0.3)),
            position=int(position),
            features=(2.0 * like - 1.0,),
            item_text="cups",
        )
        for number, (look, like, position) in enumerate(zip(looks, likes, positions, strict=True))
    ]


def test_what_was_not_looked_at_is_learnt_beside_the_ranking() -> None:
    """The examination tower learns that lower positions are looked at less, and is left out."""
    settings = SETTINGS.but(
        {"learning.epochs": 6, "learning.train_batch": 64, "learning.learning_rate": 1e-4}
    )
    parent = given_encoder(features=("liked",), examined=(1,))
    child = fine_tune(parent, clicked(1600, seed=0), [], settings, seed=1).encoder
    weight = child.network.examination.read.weight[0].tolist()
    assert weight[0] > weight[1] + 0.3 > weight[8] + 0.6
    active, later = ActiveVersion(child, SETTINGS), examples_of(clicked(200, seed=1))
    plain = active.logits(later)
    assert 2 == len(np.unique(plain[:, 1].round(4)))  # by the feature alone, wherever it was shown
    assert len(np.unique(active.logits(later, examined=True)[:, 1].round(4))) > 10


@pytest.mark.parametrize(
    ("losses", "patience", "passes", "best"),
    [
        ([0.6, 0.5, 0.4, 0.3], 1, 4, 4),
        # the fourth is not tried
        ([0.6, 0.5, 0.55, 0.1], 1, 3, 2),
        ([0.6, 0.5, 0.55, 0.4, 0.45], 2, 5, 4),
        ([0.6, 0.7, 0.7, 0.7, 0.1], 3, 4, 1),
        # an equal loss is not better
        ([0.6, 0.6, 0.1], 1, 2, 1),
        # nothing held out: all passes, and the last is kept
        ([None, None, None], 1, 3, 3),
    ],
)
def test_the_best_pass_is_kept(
    losses: list[float | None],
    patience: int,
    passes: int,
    best: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Training stops after `patience` passes without a lower held-out loss, and keeps the best."""
    trained, shown = train(losses, monkeypatch, patience=patience)
    assert (passes, best, passes * 2) == (len(shown), trained.epochs, trained.steps)
    assert torch.equal(shown[best - 1], weights(trained.encoder.network))
    kept = None if trained.held_out is None else trained.held_out[0, 0]
    assert losses[best - 1] == kept


def test_the_logits_of_held_out_samples_are_those_of_the_kept_weights() -> None:
    """A training returns them, so that no further pass is needed to judge the version."""
    parent = scratch_encoder(features=("a",), examined=(1,))
    later = [one._replace(features=(0.5,), position=3) for one in HELD_OUT]
    trained = fine_tune(parent, SAMPLES, later, SETTINGS, seed=1)
    active = ActiveVersion(trained.encoder, SETTINGS)
    assert np.array_equal(trained.held_out, active.logits(examples_of(later), examined=True))


def test_the_rate_rises_and_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The learning rate climbs over the warm-up and then falls evenly, to 0 after the last step."""
    used: list[float] = []

    class Watched(torch.optim.AdamW):
        def step(self, *given: object, **more: object) -> None:
            used.append(self.param_groups[0]["lr"])
            super().step(*given, **more)

    monkeypatch.setattr(torch.optim, "AdamW", Watched)
    settings = Settings(
        learning=Learning(epochs=1, train_batch=4, warm_up=0.25, learning_rate=0.004),
        model=Model(device="cpu"),
    )
    fine_tune(given_encoder(), SAMPLES[:32], [], settings, seed=1)
    assert (
        pytest.approx([0.002, 0.004, 0.004, 0.02 / 6, 0.016 / 6, 0.002, 0.008 / 6, 0.004 / 6])
        == used
    )


@pytest.mark.parametrize(("make", "rate"), [(scratch_encoder, 1e-3), (given_encoder, 5e-5)])
def test_each_kind_has_its_own_rate(make: Callable[[], CrossEncoder], rate: float) -> None:
    """Unless a rate is set, a model from scratch learns faster than a given one."""
    child = make()
    settings = Settings(model=Model(device="cpu"), learning=Learning(warm_up=0.0))
    assert pytest.approx(rate) == Rate(child, settings, 10)(0)
    assert 0.3 == Rate(child, Settings(learning=Learning(learning_rate=0.3, warm_up=0.0)), 10)(0)
