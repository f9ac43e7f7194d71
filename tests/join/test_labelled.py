"""Labelled texts are questions that bring their own answer."""

import msgspec
import pytest

from mainstem.events import Labelled, Tick
from mainstem.join import Catalogue, Joiner, LedgerRow, Rejection, Sample, imbalance
from mainstem.settings import Join, Objectives, Settings

SETTINGS = Settings(
    join=Join(questions="purchases"), objectives=Objectives(classes="sports,business,world")
)


def text(number: int, label: str, **more: str) -> Labelled:
    """Make a text that has its own user."""
    return Labelled(
        event_id=f"e{number}",
        event_timestamp=number,
        user_id=f"u{number}",
        text=f"text {number}",
        label=label,
        **more,
    )


def joined(
    *events: Labelled, settings: Settings = SETTINGS
) -> tuple[list[Sample], list[Rejection], LedgerRow]:
    """Return the outputs of a joiner for these events and a final tick."""
    joiner = Joiner(0, settings, Catalogue(), b"secret")
    outputs = [
        output
        for offset, event in enumerate([*events, Tick(event_timestamp=10**9)])
        for output in joiner.step(offset, event)
    ]
    samples = [one for one in outputs if isinstance(one, Sample)]
    return samples, [one for one in outputs if isinstance(one, Rejection)], joiner.ledger_row()


def test_a_label_is_the_number_of_its_class() -> None:
    """The setting's order numbers the classes; the text is the context and its pair the item."""
    samples, _, _ = joined(
        text(1, "world"), text(2, "sports", pair="other", category="c", item_id="i")
    )
    assert [(2, "text 1", ""), (0, "text 2", "other")] == [
        (one.label, one.context_text, one.item_text) for one in samples
    ]
    assert [("", ""), ("c", "i")] == [(one.category, one.item_id) for one in samples]
    assert {("labelled", 0)} == {(one.source, one.label_version) for one in samples}


def test_a_label_without_a_class_is_rejected_with_its_reason() -> None:
    """A text of an unknown class is rejected without its user, and the stream goes on."""
    samples, rejections, row = joined(text(1, "weather"), text(2, "world"))
    assert [2] == [one.label for one in samples]
    [rejection] = rejections
    reason = "'weather' is no class; the setting `classes` names sports, business, world"
    assert reason == rejection.reason
    assert "$.label" == rejection.path
    assert "u1" not in rejection.body
    assert (1, 0) == (row.counts["rejected"], imbalance(row))


def test_every_labelled_text_is_an_answered_question() -> None:
    """The ledger counts each labelled text as a question that is answered, and a copy once."""
    _, _, row = joined(text(1, "world"), text(2, "world"), text(1, "world"))
    assert (2, 2, 0, 1) == tuple(
        row.counts[name] for name in ("question", "answered", "open", "duplicate")
    )
    assert 0 == imbalance(row)


@pytest.mark.parametrize(("label", "expected"), [("no", 0), ("yes", 1)])
def test_without_classes_a_label_is_no_or_yes(label: str, expected: int) -> None:
    """With the default setting there are two classes, no and yes."""
    [sample], _, _ = joined(text(1, label), settings=Settings(join=Join(questions="shown")))
    assert expected == sample.label


def test_a_grade_is_a_relevance_and_its_class_an_answer() -> None:
    """Without a grade the place of the class counts; nothing is known of clicks."""
    objectives = Objectives(names="relevance,click,answer", classes="bad,fair,good")
    settings = Settings(join=Join(questions="purchases"), objectives=objectives)
    graded = msgspec.structs.replace(text(2, "good"), grade=0.75)
    samples, _, _ = joined(text(1, "fair"), graded, text(3, "bad"), settings=settings)
    expected = [(1, (0.5, -1.0, 1.0)), (1, (0.75, -1.0, 2.0)), (0, (0.0, -1.0, 0.0))]
    assert expected == [(sample.label, sample.targets) for sample in samples]
