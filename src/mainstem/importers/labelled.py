"""Importer for any labelled texts, or pairs of texts: a column for the text, one for the label, and the loop runs on them.

Finance, customer service, public opinion: which classes there are is a setting (`MAINSTEM_OBJECTIVES__CLASSES`), not code.
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

MOST_CLASSES: Final = 127  # as the setting `classes` has it
_SECOND: Final = 1000


@dataclass(frozen=True, kw_only=True)
class LabelledColumns:
    """Which column says what, and how.

    Attributes:
        text, label: must be there.
        pair, time, user, id, category: may be empty, for none.
        time_format, zone: see `values.time_reader`.
        start: time of the first text in milliseconds, where no column has times; a second lies between two.
        names: what a label in the table is called, where it is not a name itself; labels without a name are left out.
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
        """Those that the table must have."""
        given = [self.text, self.label, self.pair, self.time, self.user, self.id, self.category]
        return list(dict.fromkeys(name for name in given if name))


def events_of(
    rows: Iterable[Row], columns: LabelledColumns, left_out: Counter[str], labels: Counter[str]
) -> Iterator[Labelled]:
    """Turn rows, in their order, into labelled texts.

    Args:
        rows: one mapping a row.
        columns: what the columns are called.
        left_out: counts, by reason, the rows that became none.
        labels: counts the texts of each label.

    Raises:
        ImportSourceError: if a row's time cannot be read, or there are more labels than there can be classes.

    Example:
        >>> columns = LabelledColumns(text="headline", label="topic", names={"0": "world", "1": "sports"})
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
            msg = f"column {columns.label!r} has more than {MOST_CLASSES} different labels; is it the column of the labels?"
            raise ImportSourceError(msg)
        event = Labelled(
            event_id=name_of(row[columns.id]) if columns.id else "",
            event_timestamp=millis(row[columns.time])
            if columns.time
            else columns.start + _SECOND * number,
            user_id=name_of(row[columns.user]) if columns.user else "",
            text=text,
            label=label,
            pair=worded(text_of(row[columns.pair])) if columns.pair else None,
            category=(worded(text_of(row[columns.category])) or None) if columns.category else None,
        )
        yield _with_ids(event)

    return row_by_row(rows, of_row, left_out)


def classes_of(labels: Iterable[str], names: Mapping[str, str]) -> str:
    """The value of the setting `classes`: names in the order given, else the labels in order (numbers as numbers).

    Raises:
        ImportSourceError: if the labels make no setting: there are fewer than two, or one has a comma in it.

    Example:
        >>> classes_of(["10", "9"], {}), classes_of(["sports", "world"], {"0": "world", "1": "sports"})
        ('9,10', 'world,sports')
    """
    ordered = list(dict.fromkeys(names.values())) or sorted(labels, key=_as_number)
    if len(ordered) < 2:
        msg = f"there are no two labels to tell apart; got {ordered!r}; is it the column of the labels?"
        raise ImportSourceError(msg)
    if odd := [label for label in ordered if "," in label]:
        msg = f"a class cannot have a comma in its name; got {odd[0]!r}; name the labels: --names 'LABEL=NAME,LABEL=NAME'"
        raise ImportSourceError(msg)
    return ",".join(ordered)


def parse_names(text: str) -> dict[str, str]:
    """Names of labels, as the command line gives them.

    Raises:
        ImportSourceError: if they are written in another way.

    Example:
        >>> parse_names("0=world, 1=sports")
        {'0': 'world', '1': 'sports'}
    """
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    names = {label_of(label): text_of(name) for label, _, name in pairs}
    if not all(names) or not all(names.values()) or len(names) < len(pairs):
        msg = f"names of labels are written like '0=world,1=sports', each label once; got {text!r}"
        raise ImportSourceError(msg)
    return names


def _reason_to_leave_out(text: str, label: str, names: Mapping[str, str]) -> str:
    if not text:
        return "no text"
    if not label:
        return "no label"
    if is_nothing(label) and label not in names:
        return f"no label (it says {label!r}; --names names a label that is called so)"
    return f"label {label!r} has no name" if names and label not in names else ""


def _with_ids(event: Labelled) -> Labelled:
    """Where the table has no ids, they are made of the content; where it has no users, each text has its own."""
    if not event.event_id:
        event = named(event)
    return event if event.user_id else msgspec.structs.replace(event, user_id=event.event_id)


def _as_number(label: str) -> tuple[int, float, str]:
    try:
        return 0, float(label), label
    except ValueError:
        return 1, 0.0, label
