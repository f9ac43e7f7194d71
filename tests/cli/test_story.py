"""The words of a story on its screen."""

from typing import Any

import pytest

from mainstem.cli.story import tell_story


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ({"source": "purchase"}, " by a purchase: item 7"),
        ({"source": "labelled", "item_id": ""}, " by a labelled text"),
        ({"source": "drawn"}, ": item 7, drawn as a negative with probability 0.25"),
    ],
)
def test_a_story_says_in_words_what_is_not_there_yet(
    question: dict[str, Any], asked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The origin of a question, a missing alignment and the canaries compared with are words."""
    tell_story(story_without_alignment(question))
    lines = capsys.readouterr().out.splitlines()
    assert f"asked          2010-12-01 10:00:00{asked}" in lines
    assert lines[3].endswith("length of its mean response 1; no alignment yet.")
    assert lines[2].endswith(
        "since 2010-12-01 11:00:00: judged at sample 9 of partition 0, with version 2."
    )
    assert "canaries less doubtful" in "\n".join(lines)
    assert "75 % of 4 (label 1)" in "\n".join(lines)
    assert "too few: 3" in "\n".join(lines)


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        ({"click": 1.0, "relevance": None}, "click 1, relevance unknown"),
        ({"relevance": 0.25}, "relevance 0.25"),
        ({"answer": 3.0}, "answer 3"),
        ({"answer": 1.0}, None),
    ],
)
def test_targets_are_shown_where_the_label_does_not_tell_them(
    targets: dict[str, float | None], told: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The newest targets follow the labels, but for a single target that is yes or no."""
    story = story_without_alignment({"source": "impression"})
    story["labels"] = [
        {"label_version": at, "label": 1, "targets": one, "outcomes": ["click"] * at}
        for at, one in enumerate([{"click": 0.0, "cart": 0.0}, targets])
    ]
    tell_story(story)
    lines = capsys.readouterr().out.splitlines()
    shown = [line for line in lines if line.startswith("targets")]
    assert ([f"targets        {told}"] if told else []) == shown


def test_a_story_tells_the_confirmed_label_beside_that_of_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The labels of the log are shown as they were, and the confirmed one after them."""
    vouched = {"source": "purchase", "part": "canary", "origin": "confirmed", "confirmed": 0}
    story = story_without_alignment(vouched)
    story["labels"] = [{"label": 1, "outcomes": [], "label_version": 0}]
    tell_story(story)
    lines = capsys.readouterr().out.splitlines()
    first = lines.index("label 1  bought (label version 0)")
    assert "label 0  confirmed; it replaces the label of the log" == lines[first + 1]


def story_without_alignment(question: dict[str, Any]) -> dict[str, Any]:
    """Return a story of a sample that no trusted gradient has been compared with."""
    verdict = {
        "judgement": 9,
        "version": 2,
        "standing": "edge",
        "reason": "new",
        "p_value": 0.5,
        "evidence": 0.3,
        "label": 1,
        "stratum": "label",
        "stratum_canaries": 4,
        "at_least_as_doubtful": 1,
        "canaries": 6,
        "decides": "recent margin",
        "probably_right": None,
        "importance": 1.0,
        "core_level": 1.0,
    }
    return {
        "sample_id": "s",
        "standing": "edge",
        "reason": "new",
        "meaning": "Too few visits.",
        "since": {**verdict, "event_time": "2010-12-01 11:00:00", "partition": 0},
        "now": {"importance": 1.0, "importance_of_mean": 1.0, "alignment": None},
        "question": {
            "event_time": "2010-12-01 10:00:00",
            "item_id": "7",
            "sampling_probability": 0.25,
            "origin": "",
            "confirmed": None,
            "part": "stream",
            "query": "",
            "history": [],
            "context_text": "",
            "item_text": "",
            **question,
        },
        "labels": [],
        "visits": [],
        "verdicts": [{**verdict, "stratum": None, "canaries": 3, "p_value": None}, verdict],
        "rounds": [],
        "events": None,
        "score": None,
        "item_now": None,
        "estimators": [],
        "teaching": {"why": "it was never scored", "same": [], "opposite": []},
    }
