"""A sample also holds its targets and the position of its item."""

import numpy as np
import pytest

from mainstem.events import Impression, Shown
from mainstem.join import Sample, relabelled_sample
from mainstem.objectives import code_of, targets_of
from tests.join.shop import cart, click, impression, join, purchase, return_, view


def shown(*items: tuple[str, int | None]) -> Impression:
    """Make an impression whose items have positions, or none."""
    told = tuple(Shown(item_id=item_id, position=position) for item_id, position in items)
    return Impression(
        event_id="q", event_timestamp=1000, user_id="ann", impression_id="q", items=told
    )


def positions(samples: list[Sample]) -> list[tuple[str, int]]:
    """Return item and position of each sample."""
    return [(sample.item_id, sample.position) for sample in samples]


def test_an_item_keeps_the_position_it_was_shown_at() -> None:
    """A position on the impression is kept, and without one it is the place in the list."""
    joined = join(shown(("cup", 7), ("mug", None), ("pot", 1)))
    assert [("cup", 7), ("mug", 2), ("pot", 1)] == positions(joined.samples)


def test_an_item_shown_twice_stands_where_it_was_first() -> None:
    """A repeated item has its first position, and the items after it keep theirs."""
    joined = join(impression("q", 1000, "cup", "cup", "mug"))
    assert [("cup", 1), ("mug", 3)] == positions(joined.samples)


def test_a_revised_sample_keeps_its_position() -> None:
    """A revised sample keeps the position of its first version."""
    joined = join(impression("q", 1000, "cup", "mug"), click("c", 1500, "mug"))
    assert [("cup", 1), ("mug", 2), ("mug", 2)] == positions(joined.samples)


def test_what_was_in_no_list_has_no_position() -> None:
    """A view, a purchase as a question and a drawn negative have no position."""
    viewed = join(view("v", 1000))
    bought = join(purchase("p", 1000), questions="purchases", negatives=2)
    assert [1, 3] == [len(viewed.samples), len(bought.samples)]
    assert {0} == {sample.position for sample in [*viewed.samples, *bought.samples]}


def test_the_label_is_the_first_target() -> None:
    """The label is the first target after an outcome, a return, a purchase and a draw."""
    log = [impression("q", 1000, "cup", "mug"), click("c", 1050, "mug"), return_("r", 1500, "mug")]
    samples = [
        *join(*log).samples,
        *join(purchase("p", 1000), questions="purchases", negatives=2).samples,
    ]
    assert [0, 1, 0, 1, 0, 0] == [sample.label for sample in samples]
    assert [(float(sample.label),) for sample in samples] == [sample.targets for sample in samples]


@pytest.mark.parametrize(
    ("outcomes", "source", "target"),
    [
        ((), "view", 0.0),
        ((), "drawn", 0.0),
        ((), "purchase", 1.0),
        (("click", "cart"), "impression", 1.0),
        (("purchase", "return"), "purchase", 0.0),
    ],
)
def test_an_answer_is_the_last_word(outcomes: tuple[str, ...], source: str, target: float) -> None:
    """The last outcome sets the target, and without any only a purchase as a question is yes."""
    assert (target,) == targets_of(outcomes, source)


def test_another_label_brings_its_target() -> None:
    """A sample with the other label has the other target and is otherwise the same."""
    [sample] = join(view("v", 1000), click("c", 1050)).samples
    other = relabelled_sample(sample, 0)
    assert ((1.0,), (0.0,), 0) == (sample.targets, other.targets, other.label)
    assert sample == relabelled_sample(other, 1)


def test_each_objective_has_its_target() -> None:
    """Of several outcomes each objective reads its own, and a return takes the purchase back."""
    log = [
        impression("q", 1000, "cup", "mug"),
        click("c", 1010),
        purchase("p", 1020),
        cart("k", 1500, "mug"),
        return_("r", 1600),
    ]
    samples = join(*log, names="purchase,click,cart,relevance,answer").samples
    expected = [
        ("cup", 1, (1.0, 1.0, 0.0, -1.0, 1.0)),
        ("mug", 0, (0.0, 0.0, 0.0, -1.0, 0.0)),
        ("mug", 0, (0.0, 0.0, 1.0, -1.0, 1.0)),
        ("cup", 0, (0.0, 1.0, 0.0, -1.0, 0.0)),
    ]
    assert expected == [(sample.item_id, sample.label, sample.targets) for sample in samples]


def test_what_could_not_be_clicked_has_no_click() -> None:
    """A view says nothing about a click, and a log of purchases nothing about carts either."""
    [viewed] = join(view("v", 1000), cart("k", 1010), names="click,cart").samples
    assert (1, (-1.0, 1.0)) == (viewed.label, viewed.targets)
    bought = join(purchase("p", 1000), questions="purchases", negatives=1, names="click,purchase")
    assert [(1, (-1.0, 1.0)), (0, (-1.0, 0.0))] == [
        (sample.label, sample.targets) for sample in bought.samples
    ]


def test_a_low_propensity_weighs_more_up_to_the_cap() -> None:
    """With a cap, a shown item weighs 1 / propensity; without one, propensities are ignored."""
    items = [
        Shown(item_id=name, propensity=propensity)
        for name, propensity in (("cup", 0.5), ("mug", 0.01), ("pot", None))
    ]
    asked = Impression(
        event_id="q", event_timestamp=1000, user_id="ann", impression_id="q", items=tuple(items)
    )
    weighed, ignored = (
        join(asked, click("c", 1500, "mug"), propensity_cap=cap).samples for cap in (20.0, 0.0)
    )
    assert [2.0, 20.0, 1.0, 20.0] == [sample.weight for sample in weighed]
    assert {1.0} == {sample.weight for sample in ignored}


def test_an_answer_has_the_same_number_from_the_join_and_from_the_history() -> None:
    """The history keeps targets in single precision, and two answers differ in their numbers."""
    third = (1.0, 1 / 3)
    kept = tuple(float(np.float32(one)) for one in third)
    assert code_of(third) == code_of(kept) != code_of((1.0, 1.0))
    assert [0, 1, 7] == [code_of((float(one),)) for one in (0, 1, 7)]
    assert code_of((0.5,)) >= 1 << 31
