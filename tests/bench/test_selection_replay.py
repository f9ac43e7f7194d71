"""A tiny stream replayed under choices: what is drawn, what is paid, and what is told."""

from collections.abc import Sequence

import numpy as np
import pytest

from mainstem.bench.cost.cells import Cell, Ran, run_cell
from mainstem.bench.cost.choice import ChosenPool
from mainstem.bench.cost.found import of_called, of_doubt
from mainstem.bench.cost.material import Material, material_of
from mainstem.bench.cost.policies import Policy
from mainstem.bench.cost.replay import UnscoredPool
from mainstem.bench.selection.choices import ByEstimator, Coverage
from mainstem.bench.selection.controls import Oracle
from mainstem.bench.selection.policies import SCREEN
from mainstem.learning.draws.draw import draw
from mainstem.settings import Settings
from tests.bench.tiny_shop import STREAM, history, home


@pytest.fixture(scope="module")
def material() -> Material:
    """The stream, joined once."""
    return material_of(STREAM, 3, Settings(), history)


@pytest.fixture(scope="module")
def cells(material: Material) -> Sequence[Ran]:
    """The stream under an estimator, a policy that cuts, and one that knows all."""
    choices = [
        ("by density_of_representation", ByEstimator("density_of_representation"), True),
        ("coverage-centric", Coverage(), True),
        ("oracle", Oracle(), False),
    ]
    policies = [
        Policy(family=family, draw=0.3, epochs=1, scored=scored, choice=choice)
        for family, choice, scored in choices
    ]
    return [run_cell(Cell(STREAM.name, one, 3), material, {}, home) for one in policies]


def test_every_choice_tells_how_good_its_model_is_and_what_it_reached(cells: Sequence[Ran]) -> None:
    """Quality on all and on the worst slice, and the coverage of the draws."""
    for one in cells:
        facts = one.facts
        assert 4 == facts["rounds"]
        assert 0 <= facts["worst_slice"] <= 1
        assert 0.4 < facts["auc_true"] < 1
        assert 0.5 < facts["coverage"] <= 1
        assert len(one.truth) == one.slices.shape[1]


def test_what_reads_no_figure_is_not_scored_and_others_make_only_forward_passes(
    cells: Sequence[Ran],
) -> None:
    """The oracle pays for training alone; doubt and calls are told where there are any."""
    density, cutting, oracle = (one.facts for one in cells)
    assert (0, 0) == (oracle["cost"]["score"], oracle["cost"]["rescore"])
    assert (1.0, 1.0, 1.0) == (oracle["precision"], oracle["recall"], oracle["f1"])
    assert oracle["auroc"] is None
    for one in (density, cutting):
        assert 0 < one["cost"]["score"] < one["cost"]["tokens"]
        assert 0 < one["auroc"] < 1
    assert density["precision"] is None
    assert 0 < cutting["precision"] < 1


def test_the_learner_draws_exactly_what_was_chosen(material: Material) -> None:
    """The product's own draw of a chosen pool takes all chosen samples for certain."""
    rows = np.array([1, 4, 9])
    pool = ChosenPool(UnscoredPool(material.placed), rows, np.array([1.0, 2.0, 0.5]))
    everyone = np.ones(len(pool["offset"]), np.bool_)
    policy = next(one for one in SCREEN if one.family == "by aum")
    learning = Settings().but(policy.all_settings).learning
    drawn = draw(pool, everyone, learning, np.random.default_rng(0), new=pool["offset"] > 5)
    assert rows.tolist() == sorted(drawn.rows.tolist())
    assert {1.0} == set(drawn.probability.tolist())
    assert [1.0, 2.0, 0.5] == pool["weight"][rows].tolist()


def test_what_is_called_and_doubted_is_held_against_the_truth(material: Material) -> None:
    """A doubt that is right about all labels has 1 everywhere; calling everything finds all."""
    offset = np.arange(len(material.placed))
    wrong = np.array(
        [material.meant.get(one.sample_id, one.label) != one.label for one in material.placed]
    )
    assert 0.1 < wrong.mean() < 0.3
    assert {"auroc": 1.0, "ap": 1.0} == of_doubt(material, (offset, wrong.astype(np.float64)))
    perfect = of_called(material, (offset, wrong))
    assert {"precision": 1.0, "recall": 1.0, "f1": 1.0} == perfect
    everyone = of_called(material, (offset, np.ones(len(offset), np.bool_)))
    assert 1 == everyone["recall"]
    assert 0.1 < everyone["precision"] < 0.3
    nobody = of_called(material, (offset, np.zeros(len(offset), np.bool_)))
    assert {"precision": None, "recall": 0.0, "f1": 0.0} == nobody
    assert {None} == set(of_called(material, None).values())
