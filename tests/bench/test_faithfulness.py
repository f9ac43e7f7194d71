"""Faithfulness, held to cases whose effects are known in closed form or were made by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mainstem.bench.selection.claims import claims_of
from mainstem.bench.selection.faithfulness import (
    Effects,
    Faithful,
    faithful,
    predicted,
    reliability,
)
from mainstem.bench.selection.left_out import Case, says_of
from mainstem.bench.selection.starts import bench_faithfulness
from mainstem.estimators import ESTIMATORS
from mainstem.settings import Settings
from tests.bench.tiny_shop import STREAM, history, home

GROUPS, SIZE, SEEDS = 24, 5, 3
EACH = np.repeat(np.eye(GROUPS, dtype=np.bool_), SIZE, axis=1)  # sample i is in group i // SIZE


def of_least_squares() -> tuple[Effects, dict[str, NDArray[np.float64]]]:
    """Return what leaving groups out does to a least-squares fit, and figures that predict it.

    The loss is the squared error on test samples, which follow another law, so that its gradient g
    is not small. To first order leaving out a sample raises it by -(x_i' H^-1 g) r_i, where H is
    the Hessian and r_i the residual.
    """
    random = np.random.default_rng(4)
    samples, many = GROUPS * SIZE, 40
    of_groups: list[list[float]] = []
    of_halves: list[list[float]] = []
    figures: dict[str, list[NDArray[np.float64]]] = {"influence": [], "norm": [], "chance": []}
    halves = np.array([random.permutation(samples) < samples // 2 for _ in range(30)])
    truth, of_last = np.array([1.0, -2.0, 0.5]), np.array([4.0, 1.0, 3.5])
    x, of_test = random.normal(size=(samples, 3)), random.normal(size=(many, 3))
    for _ in range(SEEDS):
        y = x @ truth + np.where(random.random(samples) < 0.2, 4.0, 0.5) * random.normal(
            size=samples
        )

        def loss(
            kept: NDArray[np.bool_], y: NDArray[np.float64] = y
        ) -> tuple[float, NDArray[np.float64]]:
            fit = np.linalg.lstsq(x[kept], y[kept], rcond=None)[0]
            return float(np.square(of_test @ (fit - of_last)).mean() / 2), fit

        whole, fit = loss(np.ones(samples, np.bool_))
        of_groups.append([loss(~one)[0] - whole for one in EACH])
        of_halves.append([loss(one)[0] for one in halves])
        gradient = of_test.T @ (of_test @ (fit - of_last)) / many
        residual = y - x @ fit
        # without a sample the fit moves by -H^-1 x_i r_i
        figures["influence"].append(-(x @ np.linalg.solve(x.T @ x, gradient)) * residual)
        figures["norm"].append(np.abs(residual) * np.linalg.norm(x, axis=1))
        figures["chance"].append(random.random(samples))
    effects = Effects(EACH, np.array(of_groups), halves, np.array(of_halves))
    return effects, {name: np.array(values) for name, values in figures.items()}


def test_the_influence_that_theory_gives_a_least_squares_fit_is_faithful() -> None:
    """It ranks the groups of each run as leaving them out does; norm and chance do not."""
    effects, figures = of_least_squares()
    said = {"influence": "worth", "norm": "worth", "chance": "nothing"}
    for seed in range(SEEDS):  # each run has its own labels here, and so its own effects
        one = replace(effects, changes=effects.changes[[seed]], losses=effects.losses[[seed]])
        found = faithful(one, {name: its[[seed]] for name, its in figures.items()}, said)
        rows = {row["estimator"]: row for row in found.rows}
        assert "influence" == found.rows[0]["estimator"]
        assert rows["influence"]["spearman"] > 0.95
        assert rows["influence"]["low"] > 0.8
        assert abs(rows["chance"]["spearman"]) < 0.5
        assert rows["norm"]["spearman"] < 0.6
        assert (1, GROUPS) == (found.rows[0]["seeds"], found.rows[0]["groups"])


def test_a_high_figure_predicts_a_rise_of_the_loss_and_soundness_a_small_move() -> None:
    """The sign comes from what an estimator says, whatever the figures are."""
    random = np.random.default_rng(0)
    changes = np.tile(np.arange(1.0, GROUPS + 1), (2, 1))  # every group helps, the last the most
    halves = random.random((20, GROUPS * SIZE)) < 0.5
    worth = np.repeat(np.arange(1.0, GROUPS + 1), SIZE)
    effects = Effects(EACH, changes, halves, np.tile(-(halves @ worth), (2, 1)))
    figures = {name: np.tile(worth, (2, 1)) for name in ("worth", "sound", "nothing")}
    found = faithful(effects, figures, {name: name for name in figures})
    told = {row["estimator"]: (row["spearman"], row["absolute"], row["lds"]) for row in found.rows}
    assert [1, 1, 1] == pytest.approx(told["worth"])
    assert [1, -1, 1] == pytest.approx(told["sound"])
    assert [1, 1, 1] == pytest.approx(told["nothing"])
    assert {"left_out": 1, "absolute": 1, "lds": 1} == pytest.approx(found.reliability)


def test_a_group_that_hurts_counts_by_its_size_only_for_the_absolute_change() -> None:
    """Wrong labels have large norms: these rank what a group moves, and not whether it helps."""
    changes = np.where(np.arange(GROUPS) < GROUPS // 2, -1.0, 1.0) * np.arange(GROUPS, 0, -1)
    norms = np.repeat(np.arange(GROUPS, 0.0, -1), SIZE)[None]
    effects = Effects(EACH, changes[None], EACH[:1], np.ones((1, 1)))
    row = faithful(effects, {"norm": norms}, {"norm": "worth"}).rows[0]
    assert 1 == pytest.approx(row["absolute"])
    assert row["spearman"] < 0
    assert row["lds"] is None  # one subset ranks nothing


def test_a_sample_without_a_figure_counts_as_the_others_of_its_group() -> None:
    """A group of which nothing is known has no prediction, and then the estimator has no figure."""
    sets = np.array([[True, True, True, False], [False, False, False, True]])
    one, other = predicted(np.array([[1.0, 3.0, np.nan, np.nan]]), sets)[0].tolist()
    assert (6.0, True) == (one, np.isnan(other))
    effects = Effects(sets, np.array([[1.0, 2.0]]), sets, np.array([[1.0, 2.0]]))
    row = faithful(effects, {"el2n": np.full((1, 4), np.nan)}, {"el2n": "worth"}).rows[0]
    assert (None, None, None) == (row["spearman"], row["low"], row["absolute"])


def test_reliability_is_the_share_of_the_variance_that_is_no_chance() -> None:
    """With a signal of variance 1 and noise of variance 4, four seeds give 1 / (1 + 4 / 4)."""
    random = np.random.default_rng(1)
    signal, noise = random.normal(size=4000), random.normal(size=(4, 4000))
    assert 0.5 == pytest.approx(reliability(signal + 2 * noise), abs=0.04)
    assert 0.8 == pytest.approx(reliability(signal + noise), abs=0.04)
    assert reliability(noise[:1]) is None
    assert 0 == reliability(np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))


def told(default: float, other: float) -> Faithful:
    """Return figures of the default and of another estimator that vary by .05."""
    around = np.random.default_rng(2).normal(scale=0.05, size=400)
    means = {"utility": default, "tracin": other}
    return Faithful(
        rows=[],
        reliability={},
        drawn={
            name: mean + around[:: 1 if name == "utility" else -1] for name, mean in means.items()
        },
        by_seed={name: np.full(SEEDS, mean) for name, mean in means.items()},
    )


@pytest.mark.parametrize(
    ("default", "other", "holds"),
    [(0.8, 0.4, True), (0.8, 0.79, False), (0.45, 0.1, False), (0.3, 0.1, False)],
    ids=["above both", "not above another", "its lower bound is below .4", "below .4"],
)
def test_the_default_is_faithful_if_it_reaches_the_aim_and_is_above_every_other(
    default: float, other: float, *, holds: bool
) -> None:
    """The row has the default's own figures, and is held against each other estimator."""
    row = claims_of([], {}, told(default, other))[2]
    assert (holds, SEEDS, SEEDS) == (row["holds"], row["wins"], row["seeds"])
    assert (default, None) == (pytest.approx(row["mean"]), row["why"])
    assert row["low"] < default < row["high"]
    assert ["utility", "against tracin"] == [one["name"] for one in row["measures"]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], Case, Faithful]:
    """A tiny case from one start, the folder that keeps it, and what was told."""
    folder, lines = tmp_path_factory.mktemp("bench"), list[str]()
    case = Case(stream=replace(STREAM, events=1300), starts=(3,), halves=3, epochs=1)
    found = bench_faithfulness(case, folder, Settings(), history, home, lines.append)
    return folder, lines, case, found


def test_every_estimator_and_what_the_product_draws_by_is_held_to_what_was_left_out(
    ran: tuple[Path, list[str], Case, Faithful],
) -> None:
    """All have a row, two groups of a twentieth are made by each, and halves hold half."""
    folder, lines, _, found = ran
    assert {*ESTIMATORS, "utility", "weight"} == {row["estimator"] for row in found.rows}
    assert [says_of(row["estimator"]) for row in found.rows] == [row["says"] for row in found.rows]
    assert "1 starts x up to 60 trainings" in lines[0]
    assert "about " in lines[0]
    (file,) = (folder / "faithfulness").glob("*-3.npz")
    with np.load(file) as kept:
        groups, halves, changes = (kept[name] for name in ("groups", "halves", "changes"))
        figures = {name: kept[name] for name in kept if name.startswith("figure ")}
    assert {round(groups.shape[1] / 20)} == set(groups.sum(axis=1).tolist())
    assert {groups.shape[1] // 2} == set(halves.sum(axis=1).tolist())
    assert (len(groups), True) == (len(changes), bool(np.isfinite(changes).all() and changes.any()))
    assert 50 <= len(groups) <= 56  # a few rank too few samples of so short a log
    known = {name: np.isfinite(values).mean() for name, values in figures.items()}
    assert 1 == known["figure response_norm"] == known["figure aum"] == known["figure utility"]


def test_a_start_that_is_kept_is_not_run_again(
    ran: tuple[Path, list[str], Case, Faithful],
) -> None:
    """A second run tells the same without a word; other settings find nothing kept."""
    folder, _, case, found = ran

    def opened(*_: object) -> Any:
        pytest.fail("nothing is opened")

    lines = list[str]()
    again = bench_faithfulness(case, folder, Settings(), opened, opened, lines.append)
    assert ([], found.rows) == (lines, again.rows)
