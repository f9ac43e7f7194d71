"""One stream under two policies: what is drawn, what is paid, and what is the same for both."""

from pathlib import Path

import pytest

from mainstem.bench.cost.cells import Cell, Ran, run_cell
from mainstem.bench.cost.material import Material, material_of
from mainstem.bench.cost.policies import OURS, Policy
from mainstem.bench.cost.replay import UnscoredPool
from mainstem.models.passes import FORWARD
from mainstem.settings import Settings
from tests.bench.tiny_shop import STREAM, history, home


@pytest.fixture(scope="module")
def material() -> Material:
    """The stream, joined once."""
    return material_of(STREAM, 3, Settings(), history)


@pytest.fixture(scope="module")
def everything(material: Material) -> Ran:
    """The stream where all is trained on, in one pass."""
    return run_cell(Cell(STREAM.name, Policy(family="all", epochs=1), 3), material, {}, home)


@pytest.fixture(scope="module")
def ours(material: Material) -> Ran:
    """The stream where samples are scored and chosen."""
    policy = Policy(family=OURS, draw=0.5, epochs=1, scored=True)
    return run_cell(Cell(STREAM.name, policy, 3), material, {}, home)


def test_confirmed_labels_are_true_and_the_others_are_those_of_the_log(material: Material) -> None:
    """A tenth of the questions is confirmed, and about a fifth of the other labels is wrong."""
    confirmed = [one for one in material.placed if one.part != "stream"]
    assert 0.02 < len(confirmed) / len(material.placed) < 0.2
    assert {one.sample_id for one in confirmed} == set(material.trust.named)
    assert all(one.label == material.trust.label_of(one.sample_id) for one in confirmed)
    given = [one.given != one.label for one in confirmed]
    assert 0 < sum(given) < 0.5 * len(given)


def test_the_last_part_is_measured_on_true_labels(material: Material) -> None:
    """Some labels of the last part are wrong in the log, and samples before it are not in it."""
    last = [one.label for one in material.test]
    assert material.truth.tolist() != last
    assert len(material.truth) == len(material.test) == len(material.questions)
    assert max(one.event_time for one in material.placed) <= material.test[0].event_time


def test_what_is_never_scored_pays_for_training_alone(everything: Ran, ours: Ran) -> None:
    """Scoring costs only where it is done; a new version scores again."""
    assert (0, 0) == (everything.facts["cost"]["score"], everything.facts["cost"]["rescore"])
    assert ours.facts["cost"]["score"] > 0
    assert ours.facts["cost"]["rescore"] > 0
    assert everything.facts["rounds"] == ours.facts["rounds"] >= 2


def test_one_pass_over_everything_costs_a_plain_pass_a_token(
    material: Material, everything: Ran
) -> None:
    """A step is the unit; what a round holds out to choose the epoch is read forward alone."""
    cost, held_out = everything.facts["cost"], 40 * everything.facts["rounds"]
    forward = (cost["tokens"] - cost["train"]) / (1 - FORWARD)
    each = cost["tokens"] / len(material.placed)
    assert 0 < forward / held_out < 2 * each
    assert cost["tokens"] > 10 * len(material.placed)


def test_a_cell_is_read_back_as_it_was_kept(tmp_path: Path, ours: Ran) -> None:
    """A cell that was interrupted before its facts were written has not run."""
    cell = Cell(STREAM.name, Policy(family=OURS, draw=0.5, epochs=1), 3)
    assert Ran.read(tmp_path, cell) is None
    ours.keep(tmp_path, cell)
    found = Ran.read(tmp_path, cell)
    assert found is not None
    assert ours.facts == found.facts
    assert ours.scores.tolist() == found.scores.tolist()
    (tmp_path / f"{cell.file}.json").unlink()
    assert Ran.read(tmp_path, cell) is None


def test_a_pool_that_was_never_scored_is_edge(material: Material) -> None:
    """Direction and gate are left out, and nothing is known of importance."""
    pool = UnscoredPool(material.placed)
    learnt = [one for one in material.placed if one.part in {"stream", "canary"}]
    assert [one.sample_id for one in learnt] == [pool.id_of(row) for row in range(len(learnt))]
    assert {0} == set(pool["standing"].tolist()) == set(pool["recent_importance"].tolist())
    assert {1} == set(pool["weight"].tolist())
