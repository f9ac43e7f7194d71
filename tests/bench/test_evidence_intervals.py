"""A measure of several seeds against what it is to reach."""

from mainstem.bench.evidence.intervals import Measure, weakest


def test_the_weakest_measure_counts_both_directions() -> None:
    """A measure that is to stay below is on the wrong side above."""
    high, low = Measure("found", [0.7], 0.6), Measure("false", [0.12, None], 0.1, at_most=True)
    assert weakest([high, low]) is low
    assert weakest([Measure("nothing", [], 1)]) is None
