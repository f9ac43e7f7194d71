"""Comparing a home with the truth of a simulated shop."""

import json
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mainstem.bench.truth import compare, share_of
from mainstem.ids import uuid_of
from mainstem.settings import Run, Settings

SHOP = {"shop": {}, "tracking_bug": None}
Row = tuple[UUID, int, str, str, float | None]


def truth_of(path: Path, *items: tuple[float, int, str]) -> Path:
    """Write a truth file of questions with one item each: probability, true label, cause."""
    questions = [
        {"question": f"q{number}", "time": number, "source": "view", "items": [["i", *item]]}
        for number, item in enumerate(items)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in [SHOP, *questions]))
    return path


def row(
    number: int,
    label: int,
    standing: str = "edge",
    reason: str = "undecided",
    evidence: float | None = 0.5,
) -> Row:
    """A row of a home about the item of a question."""
    return uuid_of("sample", f"q{number}", "i"), label, standing, reason, evidence


def test_what_was_called_and_what_is_wrong_worked_by_hand(tmp_path: Path) -> None:
    """Wrong labels and calls, worked by hand, are counted in total and by kind and label."""
    items = [
        (0.9, 1, "misclick"),
        (0.9, 1, "bot"),
        (0.1, 0, "bot"),
        (0.1, 0, ""),
        (0.9, 1, "unseen"),
        (0.1, 0, ""),
    ]
    called = ("noise", "contradictory")
    judged: list[Row] = [
        row(0, 0, *called, 0.9),
        row(1, 0, *called, 0.8),
        row(2, 1, "core", "important", 0.1),
        row(3, 0, *called, 0.7),
        row(4, 0, "noise", "spent", 0.2),
        row(5, 0, evidence=None),
        (UUID(int=1), 1, "edge", "new", None),
    ]
    found = compare(judged, truth_of(tmp_path / "t", *items), Settings())
    assert (6, 1, 4, 3) == (found["samples"], found["unknown"], found["wrong"], found["called"])
    assert (1 / 3, 2 / 4) == (found["false_discoveries"], found["found"])
    # with evidence: one sound sample and four wrong ones, two of which rank above it
    assert 2 / 4 == found["auroc"]
    kinds = {
        one["kind"]: (one["samples"], one["contradictory"], one["core"], one["spent"])
        for one in found["by_kind"]
    }
    assert {
        "bot": (2, 1, 1, 0),
        "misclick": (1, 1, 0, 0),
        "none": (2, 1, 0, 0),
        "unseen": (1, 0, 0, 1),
    } == kinds
    assert [("no", 5, 3), ("yes", 1, 1)] == [
        (one["label"], one["samples"], one["wrong"]) for one in found["by_label"]
    ]
    # within no: wrong ones at .9, .8 and .2, and a sound one at .7
    assert {"no": 2 / 3, "yes": None} == found["auroc_within_label"]
    assert (1 / 1, 0 / 1, 3 / 4, 4 / 6) == tuple(
        found[f"{standing}_wrong"] for standing in ("core", "edge", "noise", "all")
    )
    assert [
        ("core", 1, 1, 1.0),
        ("edge", 1, 0, 0.0),
        ("noise", 4, 3, 0.75),
        ("all", 6, 4, 2 / 3),
    ] == [tuple(one.values()) for one in found["by_standing"]]


def test_the_evidence_ranks_within_a_label_as_scikit_learn_says(tmp_path: Path) -> None:
    """AUROC, whole and within each label of the log, is scikit-learn's, ties included."""
    # errors are nearly all in yes, and evidence is higher for yes, so the whole flatters
    draw = np.random.default_rng(4)
    labels = draw.integers(0, 2, 500)
    wrong = draw.random(500) < np.where(labels == 1, 0.6, 0.05)
    evidence = np.round(draw.random(500) / 2 + labels / 2, 2)
    items = [(0.5, int(label ^ one), "wrong yes") for label, one in zip(labels, wrong, strict=True)]
    judged = [
        row(number, int(label), evidence=float(doubt))
        for number, (label, doubt) in enumerate(zip(labels, evidence, strict=True))
    ]
    found = compare(judged, truth_of(tmp_path / "t", *items), Settings())
    assert roc_auc_score(wrong, evidence) == pytest.approx(found["auroc"], abs=1e-12)
    assert found["auroc"] > 0.7
    for number, name in enumerate(("no", "yes")):
        expected = roc_auc_score(wrong[labels == number], evidence[labels == number])
        assert expected == pytest.approx(found["auroc_within_label"][name], abs=1e-12)
        assert expected < 0.65
    assert wrong.mean() == found["edge_wrong"] == found["all_wrong"]
    assert found["core_wrong"] is None


def test_a_log_without_accidents_has_nothing_to_find(tmp_path: Path) -> None:
    """Where no label is wrong, shares of wrong labels are undefined and no call is made."""
    found = compare(
        [row(0, 1), row(1, 0)], truth_of(tmp_path / "t", (0.9, 1, ""), (0.1, 0, "")), Settings()
    )
    assert (0, None, None, None) == (
        found["wrong"],
        found["auroc"],
        found["false_discoveries"],
        found["found"],
    )


def test_a_share_of_the_truth_holds_whole_questions_and_true_labels(tmp_path: Path) -> None:
    """A share of the truth vouches for whole questions by true label, repeatably for a seed."""
    path = truth_of(tmp_path / "t", *[(0.5, number % 2, "bot") for number in range(400)])
    chosen = list(share_of(path, 0.25, Settings()))
    assert pytest.approx(100, abs=40) == len(chosen)
    labels = {
        uuid_of("sample", f"q{number}", "i"): ("no", "yes")[number % 2] for number in range(400)
    }
    assert all(labels[one.sample_id] == one.label for one in chosen)
    assert chosen == list(share_of(path, 0.25, Settings()))
    assert chosen != list(share_of(path, 0.25, Settings(run=Run(seed=1))))
    assert 400 == len(list(share_of(path, 1.0, Settings())))
