"""What shadows say, on every engine: overlaps, correlations and draws, against numpy and SciPy."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from scipy.stats import percentileofscore, spearmanr

from mainstem.store import Store
from mainstem.store.draws import Drawn, write_draw
from mainstem.store.estimates import CORRELATIONS, DRAWS, OVERLAPS, PLACES, write_estimates
from mainstem.store.rewinding import rewind
from mainstem.store.writes import columns_of

N = 60
RANDOM = np.random.default_rng(0)
FIGURES = {
    "response_norm": RANDOM.normal(size=N),
    "el2n": RANDOM.integers(0, 8, N).astype(float),  # ties
    "aum": np.where(np.arange(N) % 5 == 0, np.nan, RANDOM.normal(size=N)),
}
STANDING = np.array(["core", "edge", "noise"])[RANDOM.integers(0, 3, N)]


def wrote(store: Store, figures: Any, *, version: int = 1, label_version: int = 0) -> None:
    """Write figures of all samples, each at the position of its number."""
    ones = np.ones(N, np.int64)
    write_estimates(
        store,
        [UUID(int=number) for number in range(N)],
        label_version * ones,
        version * ones,
        0 * ones,
        np.arange(N),
        1_291_200_000_000 * ones,
        figures=figures,
    )


def stood(store: Store) -> None:
    """Write the standings of all samples."""
    known = {"label_version": 0, "partition": 0, "judgement": 1, "version": 1, "reason": ""}
    known |= {"p_value": None, "evidence": None, "importance": 1.0, "margin": 1.0, "visits": 1}
    rows = [
        known | {"sample_id": UUID(int=number), "standing": one}
        for number, one in enumerate(STANDING.tolist())
    ]
    store.write("standings", columns_of(rows))


def top(values: Any, among: Any, most: int) -> set[int]:
    """The highest of some samples."""
    order = sorted(np.flatnonzero(among), key=lambda one: (-values[one], one))
    return {int(one) for one in order[:most]}


@pytest.fixture
def filled(store: Store) -> Store:
    """A history with older figures, the newest ones, and standings."""
    old = {name: RANDOM.normal(size=N) for name in FIGURES}
    wrote(store, old, version=0)
    wrote(store, old, version=3)  # of an earlier label
    for _ in range(2):
        wrote(store, FIGURES, version=2, label_version=1)
    stood(store)
    return store


def test_the_set_of_an_estimator_is_as_large_as_core(filled: Store) -> None:
    """It holds the highest of what is not noise; the overlap is the share that is core."""
    for told in OVERLAPS.of(filled):
        values = FIGURES[told.estimator]
        known = np.isfinite(values)
        core = {int(one) for one in np.flatnonzero(known & (STANDING == "core"))}
        would = top(values, known & (STANDING != "noise"), len(core))
        assert (known.sum(), len(core), len(would)) == told[1:4]
        assert (len(core & would), len(core & would) / len(would)) == told[4:]
    assert 3 == len(OVERLAPS.of(filled))


def test_correlations_are_those_of_scipy(filled: Store) -> None:
    """Spearman's correlation is SciPy's over the samples with both figures, ties included."""
    told = CORRELATIONS.of(filled)
    assert 6 == len(told)
    for one in told:
        mine, its = FIGURES[one.estimator], FIGURES[one.other]
        both = np.isfinite(mine) & np.isfinite(its)
        assert both.sum() == one.samples
        assert pytest.approx(spearmanr(mine[both], its[both]).statistic, abs=1e-9) == one.spearman


def test_an_estimator_that_ranks_nothing_has_no_correlation(store: Store) -> None:
    """Where all figures are equal there is no rank correlation, and it is told as none."""
    wrote(store, {"response_norm": RANDOM.normal(size=N), "el2n": np.ones(N)})
    assert {None} == {one.spearman for one in CORRELATIONS.of(store)}


def test_the_last_draw_is_held_against_what_was_known_by_then(filled: Store) -> None:
    """Only figures by earlier versions, of samples from before the round, are drawn from."""
    drawn = list(range(0, 40, 2))
    for version, some in ((2, [1]), (3, drawn)):
        ids = [UUID(int=number) for number in some]
        standing, chance = ["edge"] * len(some), np.ones(len(some))
        write_draw(filled, version, Drawn(ids, [0] * len(some), standing, chance))
    rounds = {"version": 3, "parent": 2, "event_time": 1_291_200_000_000, "offsets": [50]}
    filled.write("rounds", columns_of([rounds]))
    before, was = np.arange(N) < 50, np.isin(np.arange(N), drawn)
    told = DRAWS.of(filled)
    assert {"response_norm", "el2n", "aum"} == {one.estimator for one in told}
    for one in told:
        if one.estimator == "aum":
            continue  # some of its samples have older figures only
        values = FIGURES[one.estimator]
        pool = before & (STANDING != "noise")
        would = top(values, pool, int((pool & was).sum()))
        expected = (3, pool.sum(), (pool & was).sum(), len(would))
        assert expected == (one.round, one.samples, one.drawn, one.would_draw)
        assert len(would & set(drawn)) == one.both


def test_without_shadows_nothing_is_told(store: Store) -> None:
    """A history without figures has no overlap, no correlation and no draw."""
    stood(store)
    assert ([], [], []) == (OVERLAPS.of(store), CORRELATIONS.of(store), DRAWS.of(store))


def test_a_history_that_goes_back_forgets_later_figures(filled: Store) -> None:
    """Figures of later versions and of samples after the checkpoint go."""
    filled.write("samples", columns_of([{"partition": 0, "offset": 9, "sample_id": UUID(int=9)}]))
    rewind(filled, {0: 10}, 2, {})
    sql = "SELECT max(version), max(offset), uniqExact(version) FROM estimates_now"
    assert [(2, 9, 2)] == filled.rows(sql)


def test_a_place_is_the_share_of_the_others_that_are_lower(filled: Store) -> None:
    """Equal figures count by half, as in SciPy's percentiles, and no figure has no place."""
    for number in (0, 7):
        found = {one.estimator: one for one in PLACES.of(filled, sample=UUID(int=number))}
        known = {name: values for name, values in FIGURES.items() if np.isfinite(values[number])}
        assert sorted(known) == sorted(found)
        for name, values in known.items():
            others = np.delete(values, number)
            expected = percentileofscore(others[np.isfinite(others)], values[number], "mean") / 100
            assert expected == pytest.approx(found[name].place)
            assert np.isfinite(values).sum() == found[name].samples
