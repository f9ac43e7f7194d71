"""Which estimators disagree about a sample: worked by hand."""

from typing import Any

from mainstem.answers.disagreeing import estimators_of
from mainstem.cli.taught import disagreeing
from mainstem.store.estimates import HAS_ESTIMATES, HasEstimates, Place
from mainstem.store.named import Query


def told(*places: Place) -> list[dict[str, Any]]:
    """What is told where a history answers with these places."""

    def ask(*queries: Query[Any], **_: Any) -> list[list[Any]]:
        return [[HasEstimates(1)] if one is HAS_ESTIMATES else list(places) for one in queries]

    return estimators_of("an id", ask)


ACTING = Place("response_norm", 2.0, 101, 0.9)


def test_estimators_half_of_all_apart_disagree() -> None:
    """The acting one comes first, then those farthest from it, with what a high figure says."""
    rows = told(
        Place("aum", -3.0, 101, 0.05),
        Place("el2n", 0.9, 101, 0.95),
        ACTING,
        Place("entropy", 0.1, 101, 0.4),
    )
    assert ["response_norm", "aum", "entropy", "el2n"] == [one["estimator"] for one in rows]
    assert [False, True, True, False] == [one["disagrees"] for one in rows]
    assert ["worth", "sound", "worth", "worth"] == [one["says"] for one in rows]
    [line] = disagreeing(rows)
    assert line == (
        "estimators     response_norm above 90 %; aum above 5 %, high says sound; "
        "entropy above 40 %, high says worth disagree"
    )


def test_one_sample_alone_is_neither_high_nor_low() -> None:
    """Without others there is no place, and nobody disagrees."""
    rows = told(Place("response_norm", 2.0, 1, None), Place("el2n", 0.9, 1, None))
    assert [None, None] == [one["apart"] for one in rows]
    assert list(disagreeing(rows)) == [
        "estimators     response_norm alone; none in shadow disagrees"
    ]


def test_nothing_is_told_where_none_runs_in_shadow() -> None:
    """Without figures, or with those of the acting one alone, there is no line."""
    assert [] == told() == told(ACTING)
    assert [] == list(disagreeing([]))
