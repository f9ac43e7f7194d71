"""The page about estimators lists those that there are, with what they read and cost."""

from pathlib import Path

from mainstem.estimators import ESTIMATORS, bytes_of

PAGE = Path(__file__).parents[2] / "docs" / "estimators.md"


def test_the_page_lists_every_estimator_as_it_is() -> None:
    """Name, meaning of a high figure, input, kind of visit and bytes are those of the code."""
    cells = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines()]
    listed = [(one[0].strip("`"), *one[2:]) for one in cells if len(one) == 6][1:]
    expected = [
        (name, one.says, one.reads, one.needs, str(bytes_of(one)))
        for name, one in ESTIMATORS.items()
    ]
    assert expected == [one for one in listed if not one[0].startswith("-")]
