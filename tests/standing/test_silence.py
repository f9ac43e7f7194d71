"""Why no sample is contradictory: the reason for a count of 0, with figures."""

import re

import pytest

from mainstem.settings import Settings, Standing
from mainstem.standing import judge, why_none_called
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
