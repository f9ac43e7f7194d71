"""Where responses point: running means of alignments and of sketches, against numpy."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mainstem.importance import Rows, rounded
from mainstem.importance.sketches import lengths_of, mean_with
from tests.importance.visiting import fact
from tests.importance.visiting import visits as scored

K, SAMPLES = 8, 4
COSINES = st.floats(-1, 1, width=32) | st.just(float("nan"))
# rounds of scoring, each by the next version: samples with an alignment, and whether there is
# a sketch
HISTORY = st.lists(
    st.lists(
        st.tuples(st.integers(0, SAMPLES - 1), COSINES, st.booleans()),
        max_size=6,
        unique_by=lambda one: one[0],
    ),
    max_size=8,
)


def visit(columns: Rows, version: int, numbers: list[int], facts: Any = None, **more: Any) -> None:
    """Score samples, given by their numbers, in one batch."""
    ones = np.ones(len(numbers))
    facts = facts or [fact() for _ in numbers]
    known = {"norm": ones, "margin": ones, "loss": ones, "scale": 1.0} | more
    columns.visit(
        scored(version=version, ids=[UUID(int=number) for number in numbers], facts=facts, **known)
    )


def sketches(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Make sketches as the history keeps them."""
    return rounded(np.random.default_rng(seed).normal(size=(count, K)).astype(np.float32))


@settings(deadline=None)
@given(HISTORY, st.floats(0.25, 4, width=32))
def test_running_means_are_those_of_all_visits(history: list[Any], scale: float) -> None:
    """Means and counts are numpy's over the visits with an alignment, and those with a sketch."""
    columns = Rows(sketch=K)
    seen: dict[int, tuple[list[float], list[Any]]] = {number: ([], []) for number in range(SAMPLES)}
    for version, visits in enumerate(history):
        found = sketches(len(visits), seed=version)
        for place, (number, alignment, has_sketch) in enumerate(visits):
            seen[number][0].append(alignment)
            seen[number][1].append(
                found[place] / np.float32(scale) if has_sketch else np.full(K, np.nan)
            )
            if not has_sketch:
                found[place] = np.nan
        if visits:
            numbers, alignments, _ = zip(*visits, strict=True)
            visit(columns, version, list(numbers), alignment=alignments, sketch=found, scale=scale)
    for number, (alignments, given_sketches) in seen.items():
        if not alignments:
            continue
        at = columns.row_of(UUID(int=number))
        known = [one for one in alignments if not np.isnan(one)]
        assert len(known) == columns["aligned"][at]
        assert pytest.approx(np.mean(known) if known else 0.0, abs=1e-6) == columns["alignment"][at]
        rows = [one for one in given_sketches if not np.isnan(one).any()]
        assert len(rows) == columns["sketched"][at]
        [found_length] = columns.importance_of_mean([at])
        if not rows:
            assert np.isnan(found_length)
            continue
        mean, largest = np.mean(rows, axis=0, dtype=np.float64), float(np.abs(rows).max())
        assert pytest.approx(mean, abs=2**-10 * largest) == columns["sketch"][at].astype(np.float64)
        assert pytest.approx(np.linalg.norm(mean), abs=2**-8 * largest) == found_length


def test_responses_that_cancel_have_a_mean_of_nothing() -> None:
    """Two opposite visits leave importance as it was and give a mean response of length 0."""
    columns, found = Rows(sketch=K), sketches(1)
    norm = np.linalg.norm(found, axis=1)
    for version, sign in enumerate((1, -1)):
        visit(columns, version, [7], norm=norm, sketch=sign * found)
    assert pytest.approx(norm, rel=1e-6) == columns["importance"]
    assert pytest.approx([0.0], abs=1e-3) == columns.importance_of_mean()


def test_responses_that_agree_have_a_mean_as_long_as_they_are() -> None:
    """Where every scaled response is the same, importance of the mean equals importance."""
    columns, found = Rows(sketch=K), sketches(1)
    norm = np.linalg.norm(found, axis=1)
    for version, scale in enumerate((1.0, 2.0, 0.5)):
        visit(
            columns, version, [7], norm=norm * scale, sketch=found * np.float32(scale), scale=scale
        )
    assert pytest.approx(columns["importance"], rel=1e-3) == columns.importance_of_mean()


def test_a_version_is_counted_once() -> None:
    """Scoring again at the same version, or twice in one batch, adds no alignment and no sketch."""
    columns, found = Rows(sketch=K), sketches(2)
    visit(columns, 1, [7, 7], alignment=[0.5, -1.0], sketch=found)
    visit(columns, 1, [7], alignment=[-1.0], sketch=found[1:])
    assert ([0.5], [1], [1]) == tuple(
        columns[name].tolist() for name in ("alignment", "aligned", "sketched")
    )
    assert np.array_equal(found[:1].astype(np.float16), columns["sketch"])


def test_another_label_starts_the_means_again() -> None:
    """Alignment and sketch start again after another label, and go on after the same label."""
    columns, found = Rows(sketch=K), sketches(3)
    visit(columns, 1, [7, 8], alignment=[0.5, 0.5], sketch=found[:2])
    revised = [fact(label_version=1, label=0), fact(label_version=1)]
    visit(columns, 2, [7, 8], revised, alignment=[-0.25, -0.25], sketch=found[[2, 2]])
    assert [-0.25, 0.125] == columns["alignment"].tolist()
    assert ([1, 2], [1, 2]) == (columns["aligned"].tolist(), columns["sketched"].tolist())
    assert np.array_equal(found[2].astype(np.float16), columns["sketch"][0])


def test_means_move_with_their_sample() -> None:
    """Each sample keeps its own when others leave or arrays grow; one that returns starts anew."""
    columns, found = Rows(sketch=K), sketches(300)
    facts = [fact(event_time=number % 3) for number in range(300)]
    for start in range(0, 300, 60):
        some = slice(start, start + 60)
        visit(
            columns,
            1,
            [*range(start, start + 60)],
            facts[some],
            sketch=found[some],
            alignment=np.full(60, 0.5),
        )
    columns.leave(before=1)
    stayed = [number for number in range(300) if number % 3]
    assert np.array_equal(found[stayed].astype(np.float16), columns["sketch"])
    assert (
        pytest.approx(lengths_of(found[stayed].astype(np.float16))) == columns.importance_of_mean()
    )
    visit(columns, 2, [0])
    assert (0, 0, True) == (
        columns["aligned"][-1],
        columns["sketched"][-1],
        bool(np.isnan(columns.importance_of_mean()[-1])),
    )


def test_columns_without_sketches_cost_nothing_for_them() -> None:
    """Without floats for sketches a row has no sketch and no length of the mean."""
    columns = Rows()
    visit(columns, 1, [7], alignment=[0.5])
    assert (0, [0.5]) == (columns["sketch"].nbytes, columns["alignment"].tolist())
    assert np.isnan(columns.importance_of_mean()).all()


def test_a_sample_with_a_sketch_of_64_floats_takes_few_bytes() -> None:
    """One row of all columns, the mean sketch included, takes at most 256 bytes."""
    rows = Rows(sketch=64)
    visit(rows, 1, [7])
    assert sum(rows[name].nbytes for name in rows) <= 256


@given(st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False))
def test_rounding_keeps_as_many_digits_as_float16(value: float) -> None:
    """Rounding is numpy's to float16 within its range, ties included, and as close beyond it."""
    [found] = rounded(np.array([value], np.float32))
    if 2**-14 <= abs(value) < 65504:
        assert np.float32(np.float16(value)) == found
    assert abs(found - np.float32(value)) <= 2**-11 * abs(value)
    assert found == rounded(np.array([found], np.float32))[0]


def test_a_mean_beyond_float16_is_the_largest_there_is() -> None:
    """An outlier does not become infinite, which no later visit could undo."""
    mean = mean_with(
        np.zeros((1, 1), np.float16), np.array([[1e9]], np.float32), np.array([1], np.int32)
    )
    assert 65504.0 == float(mean[0, 0])
