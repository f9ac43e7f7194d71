"""Labelled texts: question and answer in one."""

import pytest

from mainstem.events import Labelled, Tick
from mainstem.join import Catalogue, Joiner, LedgerRow, Rejection, Sample, imbalance
from mainstem.settings import Join, Objectives, Settings

SETTINGS = Settings(
    join=Join(questions="purchases"), objectives=Objectives(classes="sports,business,world")
)


def text(number: int, label: str, **more: str) -> Labelled:
    """A text of its own reader."""
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
    """What a joiner makes of them, and of a tick."""
    joiner = Joiner(0, settings, Catalogue(), b"secret")
    outputs = [
        output
        for offset, event in enumerate([*events, Tick(event_timestamp=10**9)])
        for output in joiner.step(offset, event)
    ]
    samples = [one for one in outputs if isinstance(one, Sample)]
    return samples, [one for one in outputs if isinstance(one, Rejection)], joiner.ledger_row()


def test_a_label_is_the_number_of_its_class() -> None:
    """The order of the setting numbers the classes; the text is what the model reads first, its pair second."""
    samples, _, _ = joined(
        text(1, "world"), text(2, "sports", pair="other", category="c", item_id="i")
    )
    assert [(2, "text 1", ""), (0, "text 2", "other")] == [
        (one.label, one.context_text, one.item_text) for one in samples
    ]
    assert [("", ""), ("c", "i")] == [(one.category, one.item_id) for one in samples]
    assert {("labelled", 0)} == {(one.source, one.label_version) for one in samples}


def test_a_label_without_a_class_is_rejected_with_its_reason() -> None:
    """A class that the settings do not name is told, without the user, and the stream goes on."""
    samples, rejections, row = joined(text(1, "weather"), text(2, "world"))
    assert [2] == [one.label for one in samples]
    [rejection] = rejections
    assert (
        "'weather' is no class; the setting `classes` names sports, business, world"
        == rejection.reason
    )
    assert "$.label" == rejection.path
    assert "u1" not in rejection.body
    assert (1, 0) == (row.counts["rejected"], imbalance(row))


def test_every_labelled_text_is_an_answered_question() -> None:
    """The ledger counts it as a question that is open until its time has passed, then as answered; repeats once."""
    _, _, row = joined(text(1, "world"), text(2, "world"), text(1, "world"))
    assert (2, 2, 0, 1) == tuple(
        row.counts[name] for name in ("question", "answered", "open", "duplicate")
    )
    assert 0 == imbalance(row)


@pytest.mark.parametrize(("label", "expected"), [("no", 0), ("yes", 1)])
def test_without_classes_a_label_is_no_or_yes(label: str, expected: int) -> None:
    """The setting is empty by default: two classes."""
    [sample], _, _ = joined(text(1, label), settings=Settings(join=Join(questions="shown")))
    assert expected == sample.label
