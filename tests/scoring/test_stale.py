"""Samples that only an earlier version has scored: what it said counts for what it was worth."""

from uuid import UUID

import numpy as np
import pytest

from mainstem.evidence import what_is_left
from mainstem.importance import CANARY, STREAM, Rows
from mainstem.scoring.kept import Kept
from mainstem.scoring.known import known_of
from tests.importance.visiting import fact, visits

SAMPLES, CANARIES = 400, 200


def seen_by_two(first: float) -> Rows:
    """Rows of which the second version saw the canaries and a hundred of two hundred others.

    Args:
        first: correlation of what the first version said with what the second one says.
    """
    random, rows = np.random.default_rng(1), Rows()
    now = random.normal(size=SAMPLES)
    before = first * now + np.sqrt(1 - first**2) * random.normal(size=SAMPLES)
    for version, logit, numbers in ((1, before, range(SAMPLES)), (2, now, range(SAMPLES - 100))):
        chosen = list(numbers)
        rows.visit(
            visits(
                version=version,
                scale=1.0,
                ids=[UUID(int=number + 1) for number in chosen],
                facts=[
                    fact(
                        offset=number,
                        label=number % 2,
                        part=CANARY if number < CANARIES else STREAM,
                    )
                    for number in chosen
                ],
                norm=np.ones(len(chosen)),
                margin=np.array([(2 * (one % 2) - 1) * logit[one] for one in chosen], np.float32),
                loss=np.ones(len(chosen)),
                given=np.full(len(chosen), -1),
            )
        )
    return rows


def scores(first: float) -> tuple[np.ndarray, np.ndarray]:
    """Spread of the scores of stream samples that the newest version saw, and of the others."""
    rows = seen_by_two(first)
    known = known_of(rows, Rows(), Kept(np.zeros((SAMPLES, 0), np.float32))).known
    assert known.scores is not None
    said = known.scores[:, 1] - known.scores[:, 0]
    is_stale = rows["last_version"] == 1
    assert 100 == is_stale.sum()
    return said[~is_stale & (rows["part"] == STREAM)], said[is_stale]


@pytest.mark.parametrize("first", [0.0, 0.6, 1.0])
def test_an_earlier_version_counts_for_as_much_as_it_has_held_true(first: float) -> None:
    """Scores of the first version spread by its correlation with the newest on the canaries."""
    fresh, stale = scores(first)
    assert first == pytest.approx(stale.std() / fresh.std(), abs=0.15)


def test_what_is_left_is_the_correlation_of_ranks_as_normal_scores() -> None:
    """Any rising function of the same numbers leaves all, and the opposite nothing."""
    values = np.random.default_rng(2).normal(size=500)
    assert pytest.approx(1) == what_is_left(values, np.exp(values))
    assert what_is_left(values, -values) == 0
    assert what_is_left(values, np.zeros(500)) == 0


def test_a_few_canaries_tell_nothing() -> None:
    """Below thirty of them what a version said stays as it is."""
    values = np.arange(29.0)
    assert what_is_left(values, -values) == 1
