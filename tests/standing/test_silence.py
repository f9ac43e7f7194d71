"""Why no sample is contradictory: the reason for a count of 0, with figures."""

import re

import numpy as np
import pytest

from mainstem.evidence import Weighed
from mainstem.settings import Settings, Standing
from mainstem.standing import Verdicts, judge, what_decides, why_none_called
from tests.named import named
from tests.standing.rows import canaries, rows_of

SETTINGS = Settings(standing=Standing(canary_minimum=19, false_discovery_rate=0.01))
NINETEEN = canaries(range(1, 20))


@pytest.mark.parametrize(
    ("rows", "given", "trusted", "told"),
    [
        ([], {}, True, "there are no samples"),
        (
            [{"margin": -1.0}, *NINETEEN],
            {},
            False,
            "no trusted samples; .* `mainstem trust add FILE`",
        ),
        (
            [{"margin": -1.0}, *NINETEEN],
            {"canary_minimum": 20},
            True,
            r"19 there \(0 no, 19 yes\), and 20 are needed \(MAINSTEM_STANDING__CANARY_MINIMUM\)",
        ),
        (
            [{"margin": -1.0}, *NINETEEN],
            {},
            True,
            r"none of 1 samples .* rate of 0.01 .* smallest p-value is 0.05, .* 19",
        ),
        (NINETEEN, {}, True, "no version that scored other samples"),
    ],
)
def test_why_nothing_is_contradictory(rows: list, given: dict, trusted: bool, told: str) -> None:
    """No trusted samples, too few canaries, or no p-value small enough: each with its figures."""
    settings = SETTINGS.but(named(**given))
    held = rows_of(*rows)
    assert re.search(
        told, why_none_called(held, judge(held, settings.standing, trusted=trusted), settings)
    )


def test_where_something_is_called_there_is_no_reason() -> None:
    """A count above 0 has no reason."""
    settings = Settings(standing=Standing(canary_minimum=19))
    rows = rows_of({"margin": -1.0}, *NINETEEN)
    assert "" == why_none_called(rows, judge(rows, settings.standing, trusted=True), settings)


def test_what_decided_is_told_with_its_figures() -> None:
    """Learnt evidence names its teachers, unaided its parts, and a margin what it lacks."""
    rows = rows_of({"margin": -1.0}, *NINETEEN)
    unaided = Weighed(np.zeros(20), np.zeros(20), "neighbours", (), *2 * [np.zeros((20, 0))])
    learnt = Verdicts(unaided, np.ones(20), np.arange(3), taught=1200, compared=900)
    trusting = {"settings": SETTINGS.standing, "trusted": True}
    told = what_decides(rows, judge(rows, **trusting, verdicts=learnt), SETTINGS)
    assert "learnt from 1,200 confirmed samples" in told
    assert "the 900 of them that the log has right" in told
    why = why_none_called(rows, judge(rows, **trusting, verdicts=learnt), SETTINGS)
    assert why.endswith("in comparison with 900 confirmed samples that the log has right")
    told = what_decides(rows, judge(rows, **trusting, unaided=unaided), SETTINGS)
    assert told.startswith("neighbours rank the doubt")
    assert "" == what_decides(rows, judge(rows, **trusting), SETTINGS)
    rows["given"][:2] = 1
    told = what_decides(rows, judge(rows, **trusting), SETTINGS)
    assert "the recent margin decides, because too few" in told
    assert "2 among the canaries, and 19 are needed in all parts together" in told
