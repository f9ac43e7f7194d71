"""Importer for labelled texts, or pairs of texts, of any subject.

The table needs a column with the text and a column with the label. The setting
`MAINSTEM_OBJECTIVES__CLASSES` lists the classes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from mainstem.errors import ImportSourceError
from mainstem.events.vocabulary import Labelled
from mainstem.importers.making import named, row_by_row
from mainstem.importers.names import is_nothing, label_of, name_of, text_of, worded
from mainstem.importers.rows import Row as NumberedRow
from mainstem.importers.tables import Row
from mainstem.importers.values import time_reader

__all__ = ["MOST_CLASSES", "LabelledColumns", "classes_of", "events_of", "parse_names"]

MOST_CLASSES: Final = 127  # the bound of the setting `classes`
_SECOND: Final = 1000


@dataclass(frozen=True, kw_only=True)
class LabelledColumns:
    """Which column of a table holds what.

    Attributes:
        text, label: names of the columns with the text and its label, which must exist.
        pair, time, user, id, category: names of further columns; empty if the table has none.
        time_format, zone: how times are written (see `values.time_reader`).
        start: time of the first text in milliseconds since 1970 if no column holds times; each
            further text is one second later.
        names: the name of each label, by the label in the table; if any is given, labels without a
            name are left out.
    """

    text: str
    label: str
    pair: str = ""
    time: str = ""
    user: str = ""
    id: str = ""
    category: str = ""
    time_format: str = ""
    zone: str = "UTC"
    start: int = 0
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """The columns that the table must have."""
        given = [self.text, self.label, self.pair, self.time, self.user, self.id, self.category]
        return list(dict.fromkeys(name for name in given if name))


def events_of(
    rows: Iterable[Row], columns: LabelledColumns, left_out: Counter[str], labels: Counter[str]
) -> Iterator[Labelled]:
    """Turn rows, in their order, into labelled texts.

    Args:
        rows: one mapping per row.
        columns: the names of the columns.
        left_out: counts, by reason, the rows that became no event.
        labels: counts the texts of each label.

    Raises:
        ImportSourceError: if a row's time cannot be read, or there are more than `MOST_CLASSES`
            labels.

    Example:
        >>> names = {"0": "world", "1": "sports"}
        >>> columns = LabelledColumns(text="headline", label="topic", names=names)
        >>> rows = [{"headline": "Rain stops play", "topic": 1}, {"headline": "", "topic": 0}]
        >>> left_out, labels = Counter(), Counter()
        >>> [text.label for text in events_of(rows, columns, left_out, labels)], left_out
        (['sports'], Counter({'no text': 1}))
    """
    millis = time_reader(columns.time_format, columns.zone)
    number = -1

    def of_row(row: Row) -> Iterator[Labelled]:
        nonlocal number
        number = row.number - 1 if isinstance(row, NumberedRow) else number + 1
        text, label = worded(text_of(row[columns.text])), label_of(row[columns.label])
        if reason := _reason_to_leave_out(text, label, columns.names):
            left_out[reason] += 1
            return
        label = columns.names.get(label, label)
        labels[label] += 1
        if len(labels) > MOST_CLASSES:
            msg = (
                f"column {columns.label!r} has more than {MOST_CLASSES} different labels; "
                "is it the column with the labels?"
            )
            raise ImportSourceError(msg)
        time = millis(row[columns.time]) if columns.time else columns.start + _SECOND * number
        event = Labelled(
            event_id=name_of(row[columns.id]) if columns.id else "",
            event_timestamp=time,
            user_id=name_of(row[columns.user]) if columns.user else "",
            text=text,
            label=label,
            pair=worded(text_of(row[columns.pair])) if columns.pair else None,
            category=(worded(text_of(row[columns.category])) or None) if columns.category else None,
        )
        yield _with_ids(event)

    return row_by_row(rows, of_row, left_out)


def classes_of(labels: Iterable[str], names: Mapping[str, str]) -> str:
    """Return the value of the setting `classes` for a table.

    Args:
        labels: the labels that the table has.
        names: the name of each label; if not empty, its order is the order of the classes.

    Returns:
        The names, or else the sorted labels, joined by commas. Numbers sort as numbers.

    Raises:
        ImportSourceError: if there are fewer than two classes, or a class has a comma in its name.

    Example:
        >>> classes_of(["10", "9"], {})
        '9,10'
        >>> classes_of(["sports", "world"], {"0": "world", "1": "sports"})
        'world,sports'
    """
    ordered = list(dict.fromkeys(names.values())) or sorted(labels, key=_as_number)
    if len(ordered) < 2:
        msg = (
            f"there must be two labels or more; got {ordered!r}; is it the column with the labels?"
        )
        raise ImportSourceError(msg)
    if odd := [label for label in ordered if "," in label]:
        msg = (
            f"a class cannot have a comma in its name; got {odd[0]!r}; "
            "name the labels with --names 'LABEL=NAME,LABEL=NAME'"
        )
        raise ImportSourceError(msg)
    return ",".join(ordered)


def parse_names(text: str) -> dict[str, str]:
    """Parse the names of labels as they are given on the command line.

    Raises:
        ImportSourceError: if the text does not look like `LABEL=NAME,LABEL=NAME`, or gives a label
            twice.

    Example:
        >>> parse_names("0=world, 1=sports")
        {'0': 'world', '1': 'sports'}
    """
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    names = {label_of(label): text_of(name) for label, _, name in pairs}
    if not all(names) or not all(names.values()) or len(names) < len(pairs):
        msg = f"write names of labels like '0=world,1=sports', each label once; got {text!r}"
        raise ImportSourceError(msg)
    return names


def _reason_to_leave_out(text: str, label: str, names: Mapping[str, str]) -> str:
    if not text:
        return "no text"
    if not label:
        return "no label"
    if is_nothing(label) and label not in names:
        return f"no label (it says {label!r}; if that is a label, name it with --names)"
    return f"label {label!r} has no name" if names and label not in names else ""


def _with_ids(event: Labelled) -> Labelled:
    """The event with an id made from its content and a user of its own if the table has neither."""
    if not event.event_id:
        event = named(event)
    return event if event.user_id else msgspec.structs.replace(event, user_id=event.event_id)


def _as_number(label: str) -> tuple[int, float, str]:
    try:
        return 0, float(label), label
    except ValueError:
        return 1, 0.0, label
