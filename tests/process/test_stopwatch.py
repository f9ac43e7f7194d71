"""What stages cost: passes belong to the innermost stage, and may be counted apart."""

import threading

import pytest

from mainstem.process.stopwatch import Cost, Stopwatch


def read(spent: Stopwatch, stage: str) -> tuple[int, int, float]:
    """Return samples, tokens and forward-equivalents of a stage."""
    return spent.costs.get(stage, Cost())[:3]


def test_a_pass_counts_for_the_innermost_stage() -> None:
    """A pass counts for the stage around it, and after that stage for the one outside."""
    spent = Stopwatch()
    with spent.on("outer"):
        spent.passed(samples=1, tokens=10, factor=1.0)
        with spent.on("inner"):
            spent.passed(samples=2, tokens=20, factor=0.5)
        spent.passed(samples=4, tokens=40, factor=0.25)
    spent.passed(samples=8, tokens=80, factor=1.0)
    assert (5, 50, 20.0) == read(spent, "outer")
    assert (2, 20, 10.0) == read(spent, "inner")
    assert (8, 80, 80.0) == read(spent, "other")


def test_a_stage_that_fails_still_counts() -> None:
    """What was read before an error was read, and the stage outside goes on."""
    spent = Stopwatch()

    @spent.on("inner")
    def fail() -> None:
        spent.passed(samples=1, tokens=3, factor=1.0)
        msg = "no"
        raise ValueError(msg)

    with spent.on("outer"):
        with pytest.raises(ValueError, match="no"):
            fail()
        spent.passed(samples=1, tokens=5, factor=1.0)
    assert (1, 3, 3.0) == read(spent, "inner")
    assert (1, 5, 5.0) == read(spent, "outer")
    assert spent.seconds["inner"] > 0


def test_counting_apart_knows_only_what_passed_inside() -> None:
    """Two nested counts each have what passed within them, and the stopwatch has everything."""
    spent = Stopwatch()
    with spent.on("score"):
        spent.passed(samples=1, tokens=1, factor=1.0)
    with spent.counting() as whole:
        with spent.on("score"):
            spent.passed(samples=1, tokens=2, factor=1.0)
        with spent.counting() as part, spent.on("score"):
            spent.passed(samples=1, tokens=4, factor=1.0)
    with spent.on("score"):
        spent.passed(samples=1, tokens=8, factor=1.0)
    assert (6, 4, 15) == (whole["score"].tokens, part["score"].tokens, read(spent, "score")[1])
    assert 0 < part["score"].seconds <= whole["score"].seconds <= spent.seconds["score"]


def test_the_parts_of_a_stage_add_up_to_it() -> None:
    """A stage inside a stage of the same name is counted once."""
    spent = Stopwatch()
    with spent.counting() as counted, spent.on("score"), spent.on("score"):
        spent.passed(samples=1, tokens=2, factor=1.0)
    assert counted == spent.costs
    assert (1, 2, 2.0) == read(spent, "score")


def test_threads_have_stages_of_their_own() -> None:
    """A pass in another thread belongs neither to this thread's stage nor to its count."""
    spent = Stopwatch()
    with spent.counting() as counted, spent.on("train"):
        other = threading.Thread(
            target=lambda: spent.passed(samples=1, tokens=7, factor=1.0), daemon=True
        )
        other.start()
        other.join()
    assert (1, 7, 7.0) == read(spent, "other")
    assert {"train": 0} == {stage: cost.tokens for stage, cost in counted.items()}
