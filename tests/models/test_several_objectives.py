"""Models of several objectives, with features and the examination tower, against autograd."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mainstem.learning.first import first_encoder
from mainstem.models import ActiveVersion, CrossEncoder, alignments_of
from mainstem.models.encoder import PretrainedReader, initial_encoder
from mainstem.objectives import Examples
from mainstem.settings import Model, Objectives, Responses, Settings
from tests.small_models import LABELS, PAIRS, TEXTS, bert_config, save_bert, shake, tokenizer

CLOSE = {"rel": 1e-4, "abs": 1e-5}
SETTINGS = Settings(
    responses=Responses(score_batch=2),
    model=Model(max_tokens=24, vocabulary=300, device="cpu"),
    objectives=Objectives(names="click,relevance", alphas="1.5,0.25"),
)
NAMES = ("bought", "age", "price")
TARGETS = [(1.0, 0.25), (0.0, -1.0), (1.0, 1.0), (-1.0, 0.75), (0.0, 0.0)]
EXAMPLES = Examples.of(
    PAIRS,
    [1, 0, 1, 1, 0],
    targets=TARGETS,
    features=[(0.5, -1.0, 3.0), (), (-2.5, 0.1, 0.0), (1.9, 2.1, -0.3), (0.0, 0.0, 1.0)],
    positions=[1, 0, 7, 50, 900],
)


def scratch() -> CrossEncoder:
    """Return a model made from scratch with two logits, of which shoppers give the first."""
    return initial_encoder(tokenizer(), 64, 0, 2, features=NAMES, examined=(0,))


def given() -> CrossEncoder:
    """Return a given BERT with two logits."""
    from transformers import BertForSequenceClassification

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = BertForSequenceClassification(bert_config())
        return CrossEncoder(PretrainedReader(model, NAMES, (0,)), tokenizer())


@pytest.fixture(params=[scratch, given])
def encoder(request: pytest.FixtureRequest) -> CrossEncoder:
    """An encoder of each kind with both towers, with random weights everywhere."""
    found: CrossEncoder = request.param()
    shake(found.network)
    return found


def losses_of(encoder: CrossEncoder) -> list[Tensor]:
    """Return each example's loss, computed by itself from its definition."""
    network, read = encoder.network.eval(), ActiveVersion(encoder, SETTINGS).read(EXAMPLES)
    found = []
    for place, (click, relevance) in enumerate(TARGETS):
        [[of_click, of_relevance]] = network(read.batch([place], examined=True))
        loss = 0 * of_click
        if click >= 0:
            loss = loss + 1.5 * F.binary_cross_entropy_with_logits(of_click, torch.tensor(click))
        if relevance >= 0:
            told = torch.tensor(relevance)
            loss = loss + 0.25 * F.binary_cross_entropy_with_logits(of_relevance, told)
        found.append(loss)
    return found


def gradients(encoder: CrossEncoder, losses: list[Tensor]) -> list[dict[str, Tensor]]:
    """Return autograd's gradient of each loss, by parameter."""
    parameters = dict(encoder.network.named_parameters())
    each = [
        torch.autograd.grad(loss, list(parameters.values()), allow_unused=True) for loss in losses
    ]
    return [
        {
            name: torch.zeros_like(one) if part is None else part
            for (name, one), part in zip(parameters.items(), parts, strict=True)
        }
        for parts in each
    ]


def flat(gradient: dict[str, Tensor]) -> np.ndarray:
    return torch.cat([gradient[name].flatten().double() for name in sorted(gradient)]).numpy()


def test_responses_of_two_objectives_are_those_of_autograd(encoder: CrossEncoder) -> None:
    """Norms, alignments, losses and the trusted gradient are of the sum with its alphas."""
    losses = losses_of(encoder)
    own = gradients(encoder, losses)
    direction = {name: 3 * own[0][name] - 2 * own[3][name] for name in own[0]}
    active = ActiveVersion(encoder, SETTINGS, direction=direction)
    found = active.responses(EXAMPLES)
    rows = np.array([flat(one) for one in own])
    lengths = np.linalg.norm(rows, axis=1)
    along = flat(direction) / np.linalg.norm(flat(direction))
    assert pytest.approx(lengths, **CLOSE) == found.norm
    assert pytest.approx([loss.item() for loss in losses], **CLOSE) == found.loss
    assert pytest.approx(rows @ along / lengths, **CLOSE) == alignments_of(found)
    assert pytest.approx(rows.mean(axis=0), **CLOSE) == flat(active.gradient(EXAMPLES))


def test_margins_are_of_the_objective_that_gives_the_label(encoder: CrossEncoder) -> None:
    """A margin is the logit of the first known target, with the sign of its label."""
    active = ActiveVersion(encoder, SETTINGS)
    logits = active.answers(EXAMPLES, examined=True)
    column = [0, 0, 0, 1, 0]
    signs = 2 * np.array(EXAMPLES.labels) - 1
    expected = signs * logits[np.arange(5), column]
    assert pytest.approx(expected, **CLOSE) == active.responses(EXAMPLES).margin


def test_the_objective_that_ranks_gives_the_logits(encoder: CrossEncoder) -> None:
    """A ranking reads the logits of no and yes; what the position adds is the click's alone."""
    active = ActiveVersion(encoder, SETTINGS)
    by_relevance = ActiveVersion(encoder, SETTINGS.but({"objectives.rank_by": "relevance"}))
    both = active.answers(EXAMPLES)
    assert np.array_equal(both[:, 0], active.logits(EXAMPLES)[:, 1])
    assert np.array_equal(both[:, 1], by_relevance.logits(EXAMPLES)[:, 1])
    assert not active.logits(EXAMPLES)[:, 0].any()
    assert np.array_equal(
        by_relevance.logits(EXAMPLES), by_relevance.logits(EXAMPLES, examined=True)
    )
    assert not np.array_equal(active.logits(EXAMPLES), active.logits(EXAMPLES, examined=True))


def test_a_label_alone_is_a_target_of_what_texts_are_labelled_with(encoder: CrossEncoder) -> None:
    """Texts with labels and nothing else have a relevance, and no click is known of them."""
    active = ActiveVersion(encoder, SETTINGS)
    whole = Examples.of(PAIRS, LABELS, targets=[(-1.0, float(label)) for label in LABELS])
    expected, found = active.responses(whole), active.responses(PAIRS, LABELS)
    assert expected.norm.tolist() == found.norm.tolist()
    assert expected.margin.tolist() == found.margin.tolist()


def test_the_check_of_a_model_runs_all_objectives(encoder: CrossEncoder) -> None:
    """A model of two objectives passes the check of its responses."""
    ActiveVersion(encoder, SETTINGS).check()


@pytest.mark.parametrize(
    ("objectives", "logits", "examined"),
    [
        (Objectives(), 2, (1,)),
        (Objectives(classes="a,b,c"), 3, ()),
        (Objectives(names="purchase"), 1, (0,)),
        (Objectives(names="relevance,click,answer", classes="a,b,c"), 5, (1,)),
    ],
)
def test_a_new_model_has_the_logits_of_its_objectives(
    objectives: Objectives, logits: int, examined: tuple[int, ...]
) -> None:
    """The first version has one logit for a yes or a grade, one for each class, and its tower."""
    settings = Settings(model=SETTINGS.model, objectives=objectives)
    made = first_encoder(TEXTS, settings, NAMES)
    assert (logits, examined) == (made.network.config.num_labels, made.examined)


def test_a_given_model_keeps_a_head_that_fits(
    tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """A head of one logit is kept for a grade, and another head is drawn for two objectives."""
    folder = save_bert(tmp_path_factory.mktemp("given") / "model", classes=1)
    made = {}
    for names in ("relevance", "relevance,click"):
        model = Model(max_tokens=24, device="cpu", model=str(folder))
        made[names] = first_encoder(
            TEXTS, Settings(model=model, objectives=Objectives(names=names)), NAMES
        )
    assert [1, 2] == [one.network.config.num_labels for one in made.values()]
    told = [record.getMessage() for record in caplog.records]
    assert 1 == sum("a new head is drawn" in line for line in told)


def test_one_classification_is_as_before(encoder: CrossEncoder) -> None:
    """A single answer with an alpha of 2 has twice the loss and the same margin."""
    plain, twice = (
        ActiveVersion(encoder, Settings.of({**SMALL, "objectives.alphas": alpha})).responses(
            PAIRS, LABELS
        )
        for alpha in ("", "2")
    )
    assert pytest.approx(2 * plain.norm, **CLOSE) == twice.norm
    assert plain.margin.tolist() == twice.margin.tolist()


SMALL: dict[str, str | int] = {"model.max_tokens": 24, "model.device": "cpu"}
