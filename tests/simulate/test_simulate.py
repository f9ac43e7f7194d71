"""The truth of a simulated shop agrees with the join and names every accident and the best AUC."""

import random
from collections import Counter, defaultdict
from statistics import mean
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mainstem.events import Impression, Item, Refusal
from mainstem.ids import uuid_of
from mainstem.simulate import best_auc
from tests.simulate.simulated import ACCIDENTS, CAUSES, DAY, GRACE, OPPOSITE, Made, labels_of, make


@pytest.mark.parametrize(
    "given",
    [
        ACCIDENTS,
        {"plain": True, **ACCIDENTS},
        {"language": "zh"},
        {"catalogue": "excerpt"},
        {"fitting": 0.5, "wrong_yes": 0.4, "wrong_no": 0.3, **ACCIDENTS},
        {
            "users": 3,
            "items": 10,
            "page": 9,
            "sessions": 4,
            "views": 0.5,
            "days": 200,
            **ACCIDENTS,
            "bots": 0.5,
        },
    ],
    ids=[
        "all accidents",
        "plain with all accidents",
        "Chinese",
        "excerpt",
        "wrong shares with all accidents",
        "few who come often, with all accidents",
    ],
)
def test_the_join_answers_as_the_truth_says(given) -> None:
    """The joined label is the truth's without a cause and the opposite with one, except `lost`."""
    made = make(seed=3, **given)
    labels = labels_of(made)
    found: Counter[tuple[str, str]] = Counter()
    for question in made.questions.values():
        for item in question.items:
            label = labels.pop(uuid_of("sample", question.question, item.item_id), None)
            answer = "same" if label == item.label else "opposite"
            found[item.cause, "missing" if label is None else answer] += 1
    assert {} == labels, "the join knows questions that the truth does not"
    turned = {cause for cause in ("wrong yes", "wrong no") if cause.replace(" ", "_") in given}
    assert set() == {cause for cause, _ in found} - CAUSES - turned
    assert {("", "same")} == {pair for pair in found if pair[0] == ""}
    assert [] == [pair for pair in found if pair[0] in OPPOSITE | turned and pair[1] != "opposite"]
    assert made.said.causes == _summed(found)
    if "malformed" in given:
        expected = turned | CAUSES - ({"unseen"} if "plain" in given else set())
        assert expected == {cause for cause, _ in found}


def _summed(found: Counter[tuple[str, str]]) -> Counter[str]:
    causes: Counter[str] = Counter()
    for (cause, _), count in found.items():
        if cause:
            causes[cause] += count
    return causes


def test_labels_are_drawn_from_their_probabilities() -> None:
    """Items of one probability are wanted about that often."""
    made = make(users=400)
    by_probability: dict[float, list[int]] = defaultdict(list)
    for question in made.questions.values():
        for item in question.items:
            by_probability[round(item.probability, 1)].append(item.label - item.probability)
    assert 10 == len(by_probability)
    for off in by_probability.values():
        assert abs(mean(off)) < 4 * 0.5 / len(off) ** 0.5


def test_accidents_change_the_log_and_not_the_shoppers() -> None:
    """Accidents change the log, but not the questions, probabilities and labels of a seed."""
    quiet, loud = (
        make(days=4, **{name: rate * factor for name, rate in ACCIDENTS.items()})
        for factor in (0, 1)
    )

    def wishes(made: Made) -> list[Any]:
        return [
            (
                one.question,
                one.time,
                [(item.item_id, item.probability, item.label) for item in one.items],
            )
            for one in made.questions.values()
        ]

    assert wishes(quiet) == wishes(loud)
    assert quiet.lines != loud.lines
    assert {"unseen"} == set(quiet.said.causes)
    assert [] == quiet.accidents


def test_the_best_auc_is_the_sum_over_all_pairs() -> None:
    """The closed form equals the sum over ordered pairs of different items, ties counting half."""
    draw = random.Random(5)
    probabilities = [round(draw.random(), 1) for _ in range(40)]
    above = pairs = 0.0
    for place, one in enumerate(probabilities):
        for other_place, other in enumerate(probabilities):
            if place != other_place:
                pairs += one * (1 - other)
                above += one * (1 - other) * ((one > other) + (one == other) / 2)
    assert best_auc(probabilities) == pytest.approx(above / pairs, rel=1e-12)


def test_the_best_auc_is_scikit_learns_on_drawn_labels() -> None:
    """Ranking by true probability has the best AUC by scikit-learn, and noise lowers it."""
    made = make(users=400)
    items = [item for question in made.questions.values() for item in question.items]
    labels = np.array([item.label for item in items])
    scores = np.array([item.probability for item in items])
    assert made.said.best_auc == best_auc(scores)
    assert made.said.best_auc == pytest.approx(roc_auc_score(labels, scores), abs=0.005)
    worse = scores + np.random.default_rng(0).normal(0, 0.2, len(scores))
    assert roc_auc_score(labels, worse) < made.said.best_auc - 0.01


@pytest.mark.parametrize("probabilities", [[], [0.3], [1.0, 1.0], [0.0, 0.0]])
def test_no_pair_no_auc(probabilities) -> None:
    """Without a possible pair of wanted and unwanted items there is no AUC."""
    with pytest.raises(ValueError, match="the AUC needs an item that may be wanted"):
        best_auc(probabilities)


def test_events_arrive_in_order_but_for_the_accidents() -> None:
    """Only late, disordered and duplicated events are out of order, each within its bounds."""
    made = make(**ACCIDENTS)
    why = defaultdict(set)
    for accident in made.accidents:
        why[accident.line].add(accident.accident)
    newest = 0
    back: dict[str, int] = Counter()
    for number, event in enumerate(made.events(), start=1):
        if isinstance(event, Refusal):
            assert "malformed" in why[number]
            continue
        behind = newest - event.event_timestamp
        newest = max(newest, event.event_timestamp)
        if behind > 0:
            assert why[number] & {"late", "disordered", "duplicated"}
            back["a little"] += 1
        if behind > GRACE:
            assert why[number] & {"late", "duplicated"}
            back["late"] += 1
    assert back["late"] > 100 < back["a little"]
    plain = [event.event_timestamp for event in make(plain=True).events()]
    assert sorted(plain) == plain


def test_accidents_come_at_their_rates_and_are_named_by_their_lines() -> None:
    """The truth names the event and the line of each accident, as often as its rate says."""
    made = make(users=200, **ACCIDENTS)
    events = made.events()
    named = Counter(accident.accident for accident in made.accidents)
    shoppers = len([event for event in events if not isinstance(event, Item)])
    for accident in ("duplicated", "late", "disordered", "malformed"):
        assert named[accident] / shoppers == pytest.approx(ACCIDENTS[accident], rel=0.15)
    assert named == made.said.accidents
    for accident in made.accidents:
        event = events[accident.line - 1]
        assert isinstance(event, Refusal) if accident.accident == "malformed" else True
        assert isinstance(event, Refusal) or accident.event == event.event_id
    refused = [number for number, event in enumerate(events, start=1) if isinstance(event, Refusal)]
    assert refused == [
        accident.line for accident in made.accidents if accident.accident == "malformed"
    ]
    reasons = {event.reason.split(" ")[0] for event in events if isinstance(event, Refusal)}
    assert len(reasons) >= 3
    ids = Counter(event.event_id for event in events if not isinstance(event, Refusal))
    assert named["duplicated"] == sum(count - 1 for count in ids.values())


def test_the_tracking_bug_is_where_the_truth_says() -> None:
    """The bug turns over every label of one category on its days, and no other label."""
    made = make(users=300, plain=True, tracking_bug=3)
    bug = made.head.tracking_bug
    assert 3 * DAY == bug.end - bug.begin
    category = {item.item_id: item.category for item in made.readable(Item)}
    for one in made.questions.values():
        for item in one.items:
            broken = bug.begin <= one.time < bug.end and category[item.item_id] == bug.category
            assert (item.cause == "tracking bug") == broken


def test_the_log_ends_about_where_it_should() -> None:
    """With `events` the shop closes early, and the truth still agrees with the join."""
    made = make(events=2000, users=500)
    assert 2000 <= len(made.lines) < 2100
    labels = labels_of(made)
    for one in made.questions.values():
        for item in one.items:
            if not item.cause:
                assert item.label == labels[uuid_of("sample", one.question, item.item_id)]


def test_a_shop_lists_dear_items_first_if_it_is_told_to() -> None:
    """Every page of such a shop begins with its dearest item and ends with its cheapest one."""
    made = make(users=20, days=3, plain=True, dear_first=1.0)
    prices = {item.item_id: item.price or 0 for item in made.readable(Item)}
    pages = [[prices[one.item_id] for one in page.items] for page in made.readable(Impression)]
    assert len(pages) > 20
    assert all(page == sorted(page, reverse=True) for page in pages)
    assert any(len(set(page)) > 5 for page in pages)
