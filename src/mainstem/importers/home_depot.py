"""Importer for Home Depot's search relevance: queries and product titles that people have graded.

Each row becomes a labelled pair. A grade is the mean of at least three raters, from 1 (irrelevant)
to 3 (a perfect match); it gives the label, and from 0 to 1 the pair's own grade. The source has
neither shoppers nor times: each pair gets a shopper of its own, and a time one second after the
pair before it. The pairs can serve as trusted samples, or be replayed like any labelled texts.

Source: Home Depot Product Search Relevance, Kaggle, 2016,
https://www.kaggle.com/c/home-depot-product-search-relevance.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final

from mainstem.events.vocabulary import Labelled
from mainstem.importers.making import row_by_row
from mainstem.importers.names import name_of, text_of, worded
from mainstem.importers.tables import Row
from mainstem.importers.values import number_of

__all__ = ["COLUMNS", "events_of"]

COLUMNS: Final = ("id", "product_uid", "search_term", "product_title", "relevance")
_SECOND: Final = 1000


def events_of(
    rows: Iterable[Row],
    start: int,
    relevant_from: float = 2.5,
    labels: Counter[str] | None = None,
    left_out: Counter[str] | None = None,
) -> Iterator[Labelled]:
    """Turn the rows of the source, in their order, into labelled pairs.

    Args:
        rows: one mapping per row, with the source's own column names (`COLUMNS`).
        start: time of the first pair, in milliseconds since 1970.
        relevant_from: lowest grade whose label is `yes`; lower grades get `no`.
        labels: counts the pairs of each label; None to count nothing.
        left_out: counts, by reason, the rows without an id, a query or a title.

    Raises:
        ImportSourceError: if a row has no grade from 1 to 3.

    Example:
        >>> row = {"id": 3, "product_uid": 100001, "search_term": "l bracket",
        ...        "product_title": "Simpson Strong-Tie 12-Gauge Angle", "relevance": 2.5}
        >>> pair, = events_of([row], start=0)
        >>> pair.text, pair.pair, pair.label, pair.item_id
        ('l bracket', 'Simpson Strong-Tie 12-Gauge Angle', 'yes', '100001')
    """
    numbers = count()
    left_out = Counter() if left_out is None else left_out

    def of_row(row: Row) -> Iterator[Labelled]:
        grade, row_id = number_of(row["relevance"], "relevance"), name_of(row["id"])
        query, title = worded(text_of(row["search_term"])), worded(text_of(row["product_title"]))
        if reason := "" if row_id and query and title else _missing(row_id, query):
            left_out[reason] += 1
            return
        row_id = f"home-depot-{row_id}"
        if grade is None or not 1 <= grade <= 3:
            msg = f"relevance {row['relevance']!r} is not a grade from 1 to 3"
            raise ValueError(msg)
        label = "yes" if grade >= relevant_from else "no"
        if labels is not None:
            labels[label] += 1
        yield Labelled(
            event_id=row_id,
            event_timestamp=start + _SECOND * next(numbers),
            user_id=row_id,
            text=query,
            pair=title,
            label=label,
            grade=(grade - 1) / 2,
            item_id=name_of(row["product_uid"]) or None,
        )

    return row_by_row(rows, of_row, left_out)


def _missing(row_id: str, query: str) -> str:
    if not row_id:
        return "no id"
    return "no title" if query else "no query"
