"""Stories of samples whose targets are more than their label."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from mainstem.answers.explain import story_of
from mainstem.settings import Settings
from mainstem.store.story import LABELS, Label


def story(names: str, targets: list[float]) -> dict[str, Any]:
    """The story of a sample with these targets, in a history with these objectives."""
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    texts = ("", [], "cup", "", "red cup")
    label = Label(
        0, 1, targets, [], UUID(int=2), moment, 0, "impression", *texts, 1.0, "stream", ""
    )
    return story_of(
        str(UUID(int=1)),
        Settings.of({"objectives.names": names}),
        lambda *queries, **_: [[label] if query is LABELS else [] for query in queries],
    )


@pytest.mark.parametrize(
    ("names", "targets", "expected"),
    [
        ("click,relevance", [1.0, -1.0], {"click": 1.0, "relevance": None}),
        ("answer", [1.0], {"answer": 1.0}),
        ("answer", [], {"answer": 1.0}),
        ("answer", [0.0, 1.0], {"objective 1": 0.0, "objective 2": 1.0}),
    ],
)
def test_a_label_version_has_the_target_of_each_objective(
    names: str, targets: list[float], expected: dict[str, float | None]
) -> None:
    """Targets have the names of their objectives, or numbers where others made the history."""
    [label] = story(names, targets)["labels"]
    assert expected == label["targets"]
