"""Rows: the sums over many visits, against numpy over all visits at once."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainstem.importance import CANARY, Rows
from tests.importance.visiting import fact, visit
from tests.importance.visiting import visits as scored

CLOSE = {"rel": 1e-9, "abs": 1e-9}
NUMBERS = st.floats(-100, 100)
SAMPLES = 5
# rounds of scoring, each by the next version or by the same one again
HISTORY = st.lists(
    st.tuples(
        st.booleans(),
        st.lists(st.tuples(st.integers(0, SAMPLES - 1), NUMBERS, NUMBERS, NUMBERS), max_size=8),
    ),
    max_size=8,
)


def row(columns: Rows, number: int, *names: str) -> list[Any]:
    """Return some columns of one sample."""
    at = columns.row_of(UUID(int=number))
    return [columns[name][at].item() for name in names]


@settings(deadline=None)
@given(HISTORY, st.floats(0.1, 10))
def test_running_numbers_are_those_of_all_visits(history: list[Any], scale: float) -> None:
    """Counts, means and squares are numpy's over one visit per version, in any batches."""
    columns, counted, version = Rows(), {number: {} for number in range(SAMPLES)}, 1
    for newer, visits in history:
        version += newer
        for number, *responses in visits:
            counted[number].setdefault(version, np.array(responses) / [scale, 1, 1])
        if visits:
            numbers, norm, margin, loss = zip(*visits, strict=True)
            ids = [UUID(int=number) for number in numbers]
            facts = [fact() for _ in numbers]
            found = {"norm": norm, "margin": margin, "loss": loss}
            columns.visit(scored(version=version, scale=scale, ids=ids, facts=facts, **found))
    for number, visits in counted.items():
        at = columns.row_of(UUID(int=number))
        if not visits:
            assert at is None
            continue
        norm, margin, loss = np.array(list(visits.values())).T
        assert (len(visits), max(visits)) == (columns["visits"][at], columns["last_version"][at])
        # each half of the next one
        weights = 0.5 ** np.arange(len(margin))[::-1] * ([1.0] + [0.5] * (len(margin) - 1))
        means = [norm.mean(), margin.mean(), (weights * norm).sum(), (weights * margin).sum()]
        assert pytest.approx(means, **CLOSE) == [
            columns[name][at]
            for name in ("importance", "margin", "recent_importance", "recent_margin")
        ]
        assert pytest.approx(loss.mean(), rel=1e-5, abs=1e-5) == columns["loss"][at]  # float32
        squares = pytest.approx(norm.var() * len(norm), rel=1e-6, abs=1e-6)
        assert squares == columns["importance_m2"][at]
        squares = pytest.approx(margin.var() * len(norm), rel=1e-5, abs=1e-5)
        assert squares == columns["margin_m2"][at]  # float32


def test_norms_are_divided_by_the_scale_of_their_version() -> None:
    """Importance averages norms, each over its version's scale; margins are not scaled."""
    columns = Rows()
    visit(columns, 1, (7, fact(), 6.0, 1.0), scale=2.0)
    visit(columns, 2, (7, fact(), 2.0, 3.0), scale=0.5)
    assert [3.5, 2.0] == row(columns, 7, "importance", "margin")


def test_a_version_is_not_counted_twice() -> None:
    """Scoring again at the same or an earlier version adds no visit."""
    columns = Rows()
    visit(columns, 2, (7, fact(), 1.0, 1.0))
    visit(columns, 2, (7, fact(), 9.0, 9.0))
    visit(columns, 1, (7, fact(), 9.0, 9.0))
    assert [1, 1.0, 1.0, 2] == row(columns, 7, "visits", "importance", "margin", "last_version")


def test_a_sample_twice_in_one_batch_is_one_visit() -> None:
    """Of two rows of one sample in a batch the first counts, whatever stands between them."""
    columns = Rows()
    visit(columns, 1, (7, fact(), 1.0, 1.0), (8, fact(), 5.0, 5.0), (7, fact(), 9.0, 9.0))
    assert [1, 1.0] == row(columns, 7, "visits", "importance")
    assert [1, 5.0] == row(columns, 8, "visits", "importance")


def test_another_label_starts_a_sample_again() -> None:
    """After a relabelling the old visits do not count, and the sample is marked as relabelled."""
    columns = Rows()
    visit(columns, 1, (7, fact(offset=3), 4.0, -1.0))
    visit(columns, 2, (7, fact(offset=9, label_version=1, label=0), 2.0, 0.5))
    visit(columns, 3, (7, fact(offset=9, label_version=1, label=0), 4.0, 1.5))
    assert [2, 3.0, 2.0, 3.0, 1.0] == row(
        columns, 7, "visits", "importance", "importance_m2", "recent_importance", "margin"
    )
    assert [0, 1, 9, False] == row(columns, 7, "label", "label_version", "offset", "stale")
    assert [True, 1.0] == row(columns, 7, "relabelled", "recent_margin")
    assert 1 == len(columns)


def test_another_label_is_scored_again_by_the_same_version() -> None:
    """The version that scored the old label may also score the new one."""
    columns = Rows()
    visit(columns, 1, (7, fact(), 4.0, -1.0))
    visit(columns, 1, (7, fact(label_version=1, label=0), 2.0, 1.0))
    assert [1, 2.0, 1.0] == row(columns, 7, "visits", "importance", "margin")


def test_another_target_beside_the_same_label_starts_again() -> None:
    """Importance starts again with any target, and goes on where all are the same."""
    columns = Rows()
    clicked, bought = fact(answer_code=1 << 31), fact(label_version=1, answer_code=1 << 31 | 1)
    visit(columns, 1, (7, clicked, 4.0, 1.0))
    visit(columns, 2, (7, bought, 2.0, 3.0))
    visit(columns, 3, (7, {**bought, "label_version": 2}, 4.0, 3.0))
    assert [2, 3.0, 3.0, True] == row(columns, 7, "visits", "importance", "margin", "relabelled")


def test_a_sample_that_was_drawn_is_stale_once_relabelled() -> None:
    """A sample drawn with its old label is stale for good once relabelled, and not drawn since."""
    columns = Rows()
    visit(columns, 1, (7, fact(), 4.0, -1.0), (8, fact(), 4.0, -1.0))
    # 99 has left
    columns.mark_drawn([UUID(int=7), UUID(int=99)])
    assert [True, False] == row(columns, 7, "drawn", "stale")
    visit(columns, 2, *((number, fact(label_version=1, label=0), 4.0, 1.0) for number in (7, 8)))
    assert [False, True] == row(columns, 7, "drawn", "stale")
    visit(columns, 3, *((number, fact(label_version=2, label=1), 4.0, 1.0) for number in (7, 8)))
    assert [False, True] == row(columns, 7, "drawn", "stale")
    assert [False, False] == row(columns, 8, "drawn", "stale")


def test_the_same_label_again_keeps_its_visits() -> None:
    """A revision to the same label moves label version and offset and keeps everything else."""
    columns = Rows()
    visit(columns, 1, (7, fact(offset=3), 4.0, -1.0))
    columns.mark_drawn([UUID(int=7)])
    visit(columns, 2, (7, fact(offset=9, label_version=1), 2.0, 3.0))
    assert [2, 3.0, 1.0, False] == row(columns, 7, "visits", "importance", "margin", "relabelled")
    assert [1, 9, True, False] == row(columns, 7, "label_version", "offset", "drawn", "stale")


def test_two_label_versions_in_one_batch_are_taken_in_turn() -> None:
    """Two label versions in one batch count in their order, as they would in two batches."""
    together, apart = Rows(), Rows()
    visits = [
        (7, fact(), 4.0, -1.0),
        (8, fact(), 1.0, 1.0),
        (7, fact(label_version=1, label=0, offset=5), 2.0, 0.5),
        (9, fact(), 3.0, 1.0),
    ]
    visit(together, 1, *visits)
    for one in visits:
        visit(apart, 1, one)
    assert [1, 2.0, 0.5, 0, 5] == row(
        together, 7, "visits", "importance", "margin", "label", "offset"
    )
    for name in together:
        assert np.array_equal(apart[name], together[name], equal_nan=True), name


def test_samples_leave_by_event_time() -> None:
    """Samples before the horizon leave, and the others keep their values, order and ids."""
    columns = Rows()
    visit(
        columns,
        1,
        *(
            (number, fact(event_time=number % 4, offset=number), float(number), 1.0)
            for number in range(8)
        ),
    )
    columns.mark_drawn([UUID(int=3)])
    columns.leave(before=2)
    assert [2, 3, 6, 7] == columns["offset"].tolist()
    assert [2.0, 3.0, 6.0, 7.0] == columns["importance"].tolist()
    assert [UUID(int=number) for number in (2, 3, 6, 7)] == [columns.id_of(at) for at in range(4)]
    assert [None, 0, 1, None, None, 2] == [
        columns.row_of(UUID(int=number)) for number in (1, 2, 3, 4, 5, 6)
    ]
    assert [False, True, False, False] == columns["drawn"].tolist()


def test_a_sample_that_left_comes_back_as_new() -> None:
    """A row that is used again keeps nothing of the sample that had it before."""
    columns = Rows()
    visit(columns, 1, *((number, fact(event_time=number), 9.0, -9.0) for number in range(3)))
    columns["standing"][:], columns["reason"][:], columns["judged"][:] = 2, 5, 0
    columns.mark_drawn([UUID(int=number) for number in range(3)])
    columns.leave(before=2)
    visit(columns, 2, (0, fact(), 1.0, 1.0))
    assert [2, 1] == [len(columns), columns.row_of(UUID(int=0))]
    assert [1, 1.0, 0.0, 1.0, 1.0] == row(
        columns, 0, "visits", "importance", "importance_m2", "margin", "recent_margin"
    )
    assert [False, False, 0, 0, -1] == row(
        columns, 0, "drawn", "stale", "standing", "reason", "judged"
    )


def test_canaries_are_remembered_as_each_version_saw_them() -> None:
    """Canaries' recent margins are kept by version, also as canaries leave or are relabelled."""
    columns = Rows()
    canary = [fact(part=CANARY, event_time=number) for number in range(3)]
    visit(
        columns,
        1,
        *((number, canary[number], 1.0, float(number)) for number in range(3)),
        (9, fact(event_time=5), 1.0, 7.0),
    )
    visit(columns, 2, (1, canary[1], 1.0, 3.0), (2, canary[2], 1.0, 4.0))
    assert [([0, 1, 2], [0.0, 1.0, 2.0]), ([1, 2], [2.0, 3.0]), ([], [])] == [
        seen(columns, version) for version in (1, 2, 3)
    ]
    columns.leave(before=1)
    assert [([0, 1], [1.0, 2.0]), ([0, 1], [2.0, 3.0])] == [
        seen(columns, version) for version in (1, 2)
    ]
    visit(columns, 2, (1, {**canary[1], "label_version": 1, "label": 0}, 1.0, -5.0))
    assert [([1], [2.0]), ([0, 1], [-5.0, 3.0])] == [seen(columns, version) for version in (1, 2)]


def seen(columns: Rows, version: int) -> tuple[list[int], list[float]]:
    """Return rows and margins of the canaries at a version, ordered by row."""
    places, margins = columns.canaries.at(version)
    return sorted(places.tolist()), margins[np.argsort(places)].tolist()
