"""Logs of purchases only: a purchase is a question answered yes; drawn items are answered no."""

import pytest

from mainstem.events import Event, Item
from mainstem.join import Sample
from tests.join.shop import (
    NAMES,
    Joined,
    click,
    impression,
    join,
    purchase,
    return_,
    search,
    shelf,
    view,
)


def sold(*events: Event, **more) -> Joined:
    return join(*events, **{"questions": "purchases", "negatives": 2, **more})


def drawn(joined: Joined) -> list[Sample]:
    return [sample for sample in joined.samples if sample.source == "drawn"]


def test_a_purchase_is_a_question_answered_yes() -> None:
    """Where purchases are questions, each is its own answer and is not drawn."""
    joined = sold(purchase("p", 1000), negatives=0)
    told = [
        (sample.source, sample.label, sample.outcomes, sample.sampling_probability)
        for sample in joined.samples
    ]
    assert told == [("purchase", 1, (), 1.0)]
    assert joined.counts == {"question": 1, "answered": 1}


@pytest.mark.parametrize(
    ("time", "versions"), [(1100, [(1, 0)]), (1101, [(0, 1), (1, 0)]), (2001, [(0, 1)])]
)
def test_a_return_takes_a_purchase_back(time: int, versions: list[tuple[int, int]]) -> None:
    """A return changes the first label within its window, revises it later, and at last is late."""
    assert versions == sold(purchase("p", 1000), return_("r", time), negatives=0).of("cup")


def test_only_purchases_ask_and_only_returns_answer() -> None:
    """Where purchases are questions, impressions, views, clicks and searches are context."""
    rest = [impression("i", 10, "cup"), view("v", 20), click("c", 30), search("s", 40, "tea")]
    joined = sold(*rest, purchase("p", 100), negatives=0)
    assert joined.counts == {"question": 1, "context": 4, "answered": 1}
    assert [(sample.query, sample.history) for sample in joined.samples] == [("tea", ("cup",))]


def test_negatives_are_drawn_from_the_other_known_items() -> None:
    """Each purchase gets distinct other items answered no, with their probability."""
    joined = sold(*[purchase(f"p{number}", 1000 + number) for number in range(50)])
    assert 100 == len(drawn(joined))
    assert {2 / 4} == {sample.sampling_probability for sample in drawn(joined)}
    assert {(0, 0, ())} == {
        (sample.label, sample.label_version, sample.outcomes) for sample in drawn(joined)
    }
    assert set(NAMES) - {"cup"} == {sample.item_id for sample in drawn(joined)}
    by_question = [
        {sample.item_id for sample in joined.samples[place : place + 3]}
        for place in range(0, 150, 3)
    ]
    assert [3] * 50 == [len(items) for items in by_question]


def test_a_negative_shares_its_questions_context() -> None:
    """A drawn item has the context, the user and the time of its purchase."""
    bought, *others = sold(purchase("h", 900, "mug"), purchase("p", 1000)).samples[3:]
    context = (
        bought.question_id,
        bought.event_time,
        bought.user,
        bought.history,
        bought.context_text,
    )
    assert [context] * 2 == [
        (sample.question_id, sample.event_time, sample.user, sample.history, sample.context_text)
        for sample in others
    ]


def test_a_drawn_negative_is_never_revised() -> None:
    """Neither buying nor returning a drawn item, nor returning the purchase, changes its answer."""
    first = sold(purchase("p", 1000))
    other = drawn(first)[0]
    log = [
        purchase("p", 1000),
        purchase("x", 1500, other.item_id),
        return_("y", 1700, other.item_id),
        return_("r", 1800),
    ]
    later = [sample for sample in sold(*log).samples if sample.question_id == other.question_id]
    assert [*first.samples] == later[:3]
    assert [(sample.item_id, sample.label_version, sample.label) for sample in later[3:]] == [
        ("cup", 1, 0)
    ]


def test_only_items_known_at_the_time_are_drawn() -> None:
    """An item is drawn only for purchases after it is known, and fewer if too few are known."""
    catalogue = shelf("cup", "mug")
    catalogue.add(Item(event_id="i", event_timestamp=1001, item_id="pot", title="pot"))
    first, second = purchase("p", 1000), purchase("q", 1001)
    joined = sold(first, second, catalogue=catalogue)
    told = [
        (sample.event_time, sample.item_id, sample.sampling_probability) for sample in drawn(joined)
    ]
    assert sorted(told) == [(1000, "mug", 1.0), (1001, "mug", 1.0), (1001, "pot", 1.0)]
    assert [] == drawn(sold(first, catalogue=shelf("cup")))


def test_a_draw_depends_on_the_seed_and_on_the_question_only() -> None:
    """A question draws the same items among other events, and others under another seed."""
    asked = purchase("p", 1000)
    noise = [
        purchase(f"n{number}", 900 + 10 * number, "mug", user_id="bob") for number in range(20)
    ]
    alone = drawn(sold(asked))
    assert alone == [
        sample
        for sample in drawn(sold(*noise, asked))
        if sample.question_id == alone[0].question_id
    ]
    seeds = {
        tuple(sample.item_id for sample in drawn(sold(asked, seed=seed))) for seed in range(10)
    }
    assert len(seeds) > 1


def test_a_log_with_questions_draws_nothing() -> None:
    """Where impressions and views are questions, nothing is drawn."""
    joined = join(view("q", 1000), purchase("p", 1050), negatives=2)
    assert {"view"} == {sample.source for sample in joined.samples}
