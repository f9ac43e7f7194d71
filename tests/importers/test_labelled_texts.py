"""Labelled texts: columns by name, classes from labels, and real news compared with pyarrow."""

from collections import Counter
from typing import Any

import pyarrow.compute as pc
import pytest
from pyarrow import parquet

from mainstem.errors import ImportSourceError
from mainstem.events import Labelled
from mainstem.importers.labelled import LabelledColumns, classes_of, events_of, parse_names
from mainstem.importers.tables import read_rows
from mainstem.settings import Objectives
from tests.importers.importing import joined, real, texts

COLUMNS = LabelledColumns(text="body", label="topic")
ROWS = [
    {"body": "Where is my parcel?", "topic": "delivery"},
    {"body": "Charged twice", "topic": "payment"},
]


def read(
    rows: list[dict[str, Any]], columns: LabelledColumns
) -> tuple[list[Labelled], Counter[str], Counter[str]]:
    """Return the events, what was left out, and the labels."""
    left_out, labels = Counter(), Counter()
    return list(events_of(rows, columns, left_out, labels)), left_out, labels


def test_two_columns_are_enough() -> None:
    """Without times the texts are one second apart, and each has its own user."""
    events, _, labels = read(ROWS, COLUMNS)
    assert [("Where is my parcel?", "delivery"), ("Charged twice", "payment")] == texts(events)
    assert [0, 1000] == [event.event_timestamp for event in events]
    assert 2 == len({event.user_id for event in events})
    assert "delivery,payment" == classes_of(labels, {})
    assert {"question": 2, "answered": 2} == joined(events, classes="delivery,payment")


def test_every_column_can_be_named() -> None:
    """Pair, time, user, id and category are read from the columns that are named."""
    columns = LabelledColumns(
        text="q",
        label="ok",
        pair="a",
        time="at",
        user="who",
        id="n",
        category="desk",
        time_format="%d.%m.%Y",
        zone="Asia/Tokyo",
    )
    row = {
        "q": "Can I pay later?",
        "ok": 1.0,
        "a": "Yes, in 30 days",
        "at": "02.01.1970",
        "who": 5,
        "n": 9,
        "desk": "bank",
    }
    assert [
        Labelled(
            event_id="9",
            event_timestamp=15 * 3_600_000,
            user_id="5",
            text="Can I pay later?",
            label="1",
            pair="Yes, in 30 days",
            category="bank",
        )
    ] == read([row], columns)[0]


def test_what_is_no_labelled_text_is_left_out_and_counted() -> None:
    """An empty text, an empty label and a label without a name have separate counts."""
    rows = [
        {"body": " ", "topic": 1},
        {"body": "a", "topic": None},
        {"body": "b", "topic": 2},
        {"body": "c", "topic": 1},
    ]
    events, left_out, labels = read(
        rows, LabelledColumns(text="body", label="topic", names={"1": "payment"})
    )
    assert [("c", "payment")] == texts(events)
    assert Counter({"no text": 1, "no label": 1, "label '2' has no name": 1}) == left_out
    assert Counter({"payment": 1}) == labels


@pytest.mark.parametrize(
    ("labels", "names", "expected"),
    [
        (["10", "9", "2"], "", "2,9,10"),
        (["b", "a"], "", "a,b"),
        (["sports"], "1=sports,0=world", "sports,world"),
    ],
)
def test_the_classes_are_a_setting_as_it_must_be(
    labels: list[str], names: str, expected: str
) -> None:
    """Named classes keep their order, numbers sort as numbers, and `Objectives` accepts them."""
    made = classes_of(labels, parse_names(names))
    assert (expected, expected.split(",")) == (made, list(Objectives(classes=made).class_names))


@pytest.mark.parametrize("labels", [[], ["one"], ["a", "b, c"]])
def test_labels_that_make_no_setting_are_told(labels: list[str]) -> None:
    """Fewer than two classes, or a comma in a class name, are refused."""
    with pytest.raises(ImportSourceError, match="label"):
        classes_of(labels, {})


@pytest.mark.parametrize("names", ["0", "0=", "=world", "0=world,0=sports"])
def test_names_written_in_another_way_are_told(names: str) -> None:
    """Class names are refused unless each has one label and each label one name."""
    with pytest.raises(ImportSourceError, match="like '0=world,1=sports'"):
        parse_names(names)


def test_a_column_that_holds_no_labels_is_told() -> None:
    """A column with more labels than there can be classes stops the import early."""
    with pytest.raises(
        ImportSourceError, match="column 'topic' has more than 127 different labels"
    ):
        read([{"body": "a", "topic": str(number)} for number in range(200)], COLUMNS)


def test_real_news_of_four_classes_join() -> None:
    """Ten thousand headlines join, with as many of each noisy label as pyarrow counts."""
    path = real("noisy_agnews_10k/noisy_train.parquet")
    names = parse_names("0=world,1=sports,2=business,3=sci-tech")
    columns, labels = LabelledColumns(text="text", label="noisy_label", names=names), Counter()
    events = list(events_of(read_rows(path, columns.columns), columns, Counter(), labels))
    counted = pc.value_counts(parquet.read_table(path)["noisy_label"]).to_pylist()
    assert {names[str(pair["values"])]: pair["counts"] for pair in counted} == labels
    assert {"question": 10_000, "answered": 10_000} == joined(
        events, classes=classes_of(labels, names)
    )
