"""The shares of wrong labels that a shop asks for, counted from its log and its truth."""

from collections import Counter, defaultdict
from io import BytesIO
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mainstem.errors import SettingError
from mainstem.events import Impression, Item
from mainstem.ids import uuid_of
from mainstem.simulate import Shop, TruthOfItem, TruthOfQuestion, simulate
from mainstem.simulate.shares import Counts, UnreachableError, to_turn
from mainstem.simulate.words import WORDS
from tests.simulate.simulated import Made, labels_of, make

FEW_FIT = {"fitting": 0.1, "wrong_yes": 0.66}
MOST_FIT = {"fitting": 0.8, "wrong_no": 0.66}
SMALL = {"users": 80, "days": 4, "plain": True}
COUNTS = st.integers(0, 12)
SHARES = st.sampled_from([0, 0.1, 0.25, 0.4, 0.5, 0.66, 0.9, 1])


def shown(made: Made) -> list[tuple[TruthOfQuestion, TruthOfItem]]:
    """Return every item of every question."""
    return [(question, item) for question in made.questions.values() for item in question.items]


def wrong_shares(made: Made, *, category: str = "", source: str = "") -> dict[int, float]:
    """Return the share of each label by the join that the truth contradicts."""
    labels = labels_of(made)
    categories = {item.item_id: item.category for item in made.readable(Item)}
    wrong: dict[int, list[bool]] = defaultdict(list)
    for question, item in shown(made):
        label = labels.get(uuid_of("sample", question.question, item.item_id))
        is_in = category in {"", categories[item.item_id]} and source in {"", question.source}
        if label is not None and is_in:
            wrong[label].append(label != item.label)
    return {label: sum(those) / len(those) for label, those in wrong.items()}


@pytest.mark.parametrize(
    ("shop", "expected"),
    [
        (FEW_FIT, {1: 0.66, 0: 0}),
        (MOST_FIT, {1: 0, 0: 0.66}),
        ({"wrong_yes": 0.2, "wrong_no": 0.3}, {1: 0.2, 0: 0.3}),
        ({"wrong_yes": 0.3, "views": 0.4, "language": "zh"}, {1: 0.3, 0: 0}),
        ({"wrong_no": 0.1, "catalogue": "excerpt"}, {1: 0, 0: 0.1}),
        ({"wrong_yes": 0.4, "turned_over": 0.1}, {1: 0.4, 0: 0.1}),
    ],
)
def test_the_share_of_wrong_labels_is_the_one_asked_for(shop, expected) -> None:
    """The join's labels, compared with the truth, are wrong in the share that the shop names."""
    made = make(**SMALL, **shop)
    found = wrong_shares(made)
    assert found == pytest.approx(expected, abs=0.05 if "turned_over" in shop else 0.002)
    told = {label: made.said.wrong(label) for label in found}
    assert found == pytest.approx(told, abs=1e-12)


def test_labels_that_accidents_made_wrong_count() -> None:
    """With habits and accidents the share holds for all wrong labels, whatever made them wrong."""
    made = make(users=150, wrong_yes=0.5, wrong_no=0.3)
    assert wrong_shares(made) == pytest.approx({1: 0.5, 0: 0.3}, abs=0.01)
    causes = {item.cause for _, item in shown(made)}
    assert {"unseen", "misclick", "bot", "wrong yes", "wrong no"} <= causes


@pytest.mark.parametrize(
    ("shop", "part"),
    [
        ({"wrong_yes_of": "category=shoes:0.3"}, {"category": "shoes"}),
        ({"wrong_yes_of": "source=view:0.3", "views": 0.6}, {"source": "view"}),
        ({"wrong_yes": 0.2, "wrong_yes_of": "category=shoes:0.3"}, {"category": "shoes"}),
    ],
)
def test_a_part_has_a_share_of_its_own(shop, part) -> None:
    """A category, or a source, has its own share, and all others have theirs."""
    made = make(**SMALL, **shop)
    assert wrong_shares(made, **part)[1] == pytest.approx(0.3, abs=0.02)
    expected, other = shop.get("wrong_yes", 0), {"category": "mugs"}
    if "source" in part:
        other = {"source": "impression"}
    assert wrong_shares(made, **other)[1] == pytest.approx(expected, abs=0.05 if expected else 0)


def answers(query: str, item: Item, language: str) -> bool:
    """Whether the words of an item answer a query: its category, and a colour or material."""
    nouns = {noun: name for name, nouns in WORDS[language].categories for noun in nouns}
    noun = max((one for one in nouns if query.endswith(one)), key=len)
    return nouns[noun] == item.category and query.removesuffix(noun).strip() in item.title


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.8, 1])
def test_so_many_items_of_a_page_answer_its_query(share, language) -> None:
    """The share of the items shown whose words answer the query is the one asked for."""
    made = make(**SMALL, fitting=share, language=language)
    items = {item.item_id: item for item in made.readable(Item)}
    found: Counter[bool] = Counter()
    for page in made.readable(Impression):
        shown_ids = [one.item_id for one in page.items]
        assert len(shown_ids) == len(set(shown_ids)) <= 10
        fitting = [answers(page.query, items[item_id], language) for item_id in shown_ids]
        assert abs(sum(fitting) - share * len(fitting)) < 1
        found.update(fitting)
    assert found[True] / found.total() == pytest.approx(share, abs=0.02)


def test_what_is_alike_is_confused_more_often() -> None:
    """The more words an item shares with items of the opposite label, the more often it turns."""
    for shop, label, cause in ((FEW_FIT, 0, "wrong yes"), (MOST_FIT, 1, "wrong no")):
        made = make(users=300, items=400, days=6, plain=True, **shop)
        words = {item.item_id: _words(item) for item in made.readable(Item)}
        turned: dict[int, list[bool]] = defaultdict(list)
        for question, item in shown(made):
            if item.label == label:
                opposite = [words[one.item_id] for one in question.items if one.label != label]
                common = max((len(words[item.item_id] & one) for one in opposite), default=0)
                turned[min(common, 3)].append(item.cause == cause)
        shares = [sum(turned[common]) / len(turned[common]) for common in range(4)]
        assert all(more > less + 0.1 for less, more in pairwise(shares)), shares


def _words(item: Item) -> set[str | None]:
    return {*item.title.split()[:-1], item.category}


@pytest.mark.parametrize(
    ("shop", "name"),
    [
        ({"wrong_yes": 0.95}, "wrong_yes cannot be 0.95"),
        ({"wrong_no": 0.95}, "wrong_no cannot be 0.95"),
        ({"wrong_yes": 1.0, "misclicks": 0.1}, "wrong_yes cannot be 1"),
        ({"wrong_yes_of": "category=mugs:0.9"}, "wrong_yes of category=mugs cannot be 0.9"),
    ],
)
def test_an_unreachable_share_is_refused_with_the_largest(shop, name) -> None:
    """The message names the largest share, which is reached; with .01 more it is not."""
    with pytest.raises(SettingError, match=f"{name}; the largest possible is") as refused:
        make(**SMALL, **shop)
    largest = float(str(refused.value).partition("largest possible is ")[2][:5])
    setting = next(iter(shop))

    def with_share(share: float) -> Made:
        value = f"category=mugs:{share}" if setting.endswith("_of") else share
        return make(**SMALL, **shop | {setting: value})

    with_share(largest)
    with pytest.raises(SettingError, match="the largest possible is"):
        with_share(round(largest + 0.01, 3))


def test_the_largest_share_turns_every_label() -> None:
    """With the largest share no item that is not wanted keeps its no."""
    made = make(**SMALL)
    yes, no = made.said.labels[1, 1], made.said.labels[0, 0]
    all_turned = make(**SMALL, wrong_yes=no / (yes + no))
    assert {(1, 1): yes, (1, 0): no} == dict(all_turned.said.labels)


@pytest.mark.parametrize(
    ("shop", "said"),
    [
        ({"wrong_yes": 1.1}, "wrong_yes must be from 0 to 1"),
        ({"wrong_yes": 0.7, "wrong_no": 0.4}, "the largest possible is below 0.300"),
        ({"wrong_yes_of": "shoes:0.1"}, "wrong_yes_of names parts like .* got 'shoes:0.1'"),
        ({"wrong_yes_of": "source=page:0.1"}, "a source is impression or view; got"),
        ({"wrong_no_of": "category=shoes:much"}, "wrong_no_of names parts like"),
        ({"wrong_no_of": "category=shoes:2"}, "a share of wrong_no_of must be from 0 to 1"),
        ({"wrong_no_of": "category=shoes:nan"}, "a share of wrong_no_of must be from 0 to 1"),
        ({"wrong_yes_of": "source=view:0.1, source=view:0.2"}, "names source=view twice"),
        ({"fitting": 1.5}, "fitting must be from 0 to 1"),
    ],
)
def test_a_share_that_means_nothing_is_refused(shop, said) -> None:
    """A share out of range, or a part that cannot be read, is refused with what was given."""
    with pytest.raises(SettingError, match=said):
        Shop(**shop)


@pytest.mark.parametrize(
    ("shop", "said"),
    [
        ({"wrong_yes_of": "category=cars:0.1"}, "no item has category 'cars'; the catalogue has"),
        ({"wrong_yes_of": "source=view:0.1"}, "source=view, of which nothing is shown"),
    ],
)
def test_a_part_that_the_log_lacks_is_refused(shop, said) -> None:
    """A category that the catalogue lacks, or a source without questions, writes no line."""
    log = BytesIO()
    with pytest.raises(SettingError, match=said):
        simulate(Shop(users=20, items=60, days=2, plain=True, **shop), log)
    assert b"" == log.getvalue()


def test_parts_that_share_no_item_may_each_be_mostly_wrong() -> None:
    """Wrong yes of one category and wrong no of another never meet in an item."""
    Shop(wrong_yes_of="category=mugs:0.7", wrong_no_of="category=shoes:0.7")
    Shop(wrong_yes=0.7, wrong_yes_of="category=shoes:0", wrong_no_of="category=shoes:0.7")
    with pytest.raises(SettingError, match="largest possible"):
        Shop(wrong_yes_of="category=mugs:0.7", wrong_no_of="source=view:0.7")


def test_a_log_of_some_lines_has_the_share_too() -> None:
    """With `events` the share holds in the lines that are written, which are about as many."""
    made = make(events=3000, users=200, items=120, plain=True, **FEW_FIT)
    assert 2900 <= len(made.lines) < 3150
    assert wrong_shares(made)[1] == pytest.approx(0.66, abs=0.002)


def test_turned_labels_change_the_log_and_not_the_shoppers() -> None:
    """Questions, probabilities and true labels are those of the shop without wrong labels."""

    def wishes(made: Made) -> list[Any]:
        return [
            (one.question, one.time, [(item.item_id, item.label) for item in one.items])
            for one in made.questions.values()
        ]

    assert wishes(make(**SMALL)) == wishes(make(**SMALL, wrong_yes=0.3, wrong_no=0.2))


def turned_over(counts: Counts, to_yes: int, to_no: int) -> list[tuple[int, int]]:
    """Return how many yes are wrong of how many, and how many no, after labels are turned."""
    wrong_yes, wrong_no = counts.wrong_yes + to_yes, counts.wrong_no + to_no
    yes = counts.right_yes - to_no + wrong_yes
    return [(wrong_yes, yes), (wrong_no, sum(counts) - yes)]


@given(st.tuples(COUNTS, COUNTS, COUNTS, COUNTS), SHARES, SHARES)
def test_labels_are_turned_until_the_shares_are_reached(numbers, wrong_yes, wrong_no) -> None:
    """Each share is reached to within one label, or lay above; a refused one is above all."""
    assume(not (wrong_yes and wrong_no and wrong_yes + wrong_no >= 1))
    counts = Counts(*numbers)
    for place, share in enumerate((wrong_yes, wrong_no)):
        tried = [
            turned_over(counts, *((0, number) if place else (number, 0)))[place]
            for number in range((counts.right_yes if place else counts.right_no) + 1)
        ]
        largest = max(wrong / labels if labels else 0 for wrong, labels in tried)
        if share > largest:
            with pytest.raises(UnreachableError) as refused:
                to_turn(counts, wrong_yes=wrong_yes, wrong_no=wrong_no)
            assert (("wrong_yes", "wrong_no")[place], largest) == (
                refused.value.name,
                refused.value.largest,
            )
            return
    turned = to_turn(counts, wrong_yes=wrong_yes, wrong_no=wrong_no)
    assert 0 <= turned[0] <= counts.right_no
    assert 0 <= turned[1] <= counts.right_yes
    found = turned_over(counts, *turned)
    for share, number, (wrong, labels) in zip((wrong_yes, wrong_no), turned, found, strict=True):
        if share:
            assert wrong >= share * labels - 1
            assert not number or wrong <= share * labels + 1
        else:
            assert 0 == number
