"""A sample also holds its targets and the position of its item."""

import pytest

from mainstem.events import Impression, Shown
from mainstem.join import Sample, relabelled_sample
from mainstem.objectives import targets_of
from tests.join.shop import click, impression, join, purchase, return_, view


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
    ("outcomes", "bought", "target"),
    [
        ((), False, 0.0),
        ((), True, 1.0),
        (("click", "cart"), False, 1.0),
        (("purchase", "return"), True, 0.0),
    ],
)
def test_an_answer_is_the_last_word(outcomes: tuple[str, ...], bought: bool, target: float) -> None:
    """The last outcome sets the target, and without any only a purchase as a question is yes."""
    assert (target,) == targets_of(outcomes, bought=bought)


def test_another_label_brings_its_target() -> None:
    """A sample with the other label has the other target and is otherwise the same."""
    [sample] = join(view("v", 1000), click("c", 1050)).samples
    other = relabelled_sample(sample, 0)
    assert ((1.0,), (0.0,), 0) == (sample.targets, other.targets, other.label)
    assert sample == relabelled_sample(other, 1)
