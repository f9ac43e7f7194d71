"""What the sections of the page share: their frame, figures with a table, and how figures look."""

import math
from collections.abc import Sequence
from typing import Final

from mainstem.answers.page.markup import Markup, element, table

__all__ = ["PLAIN", "auc_told", "figure", "note", "section"]

PLAIN: Final = {
    "popularity": "popularity",
    "overlap": "word overlap",
    "co_occurrence": "co-occurrence",
}
"""The plain rankings by the name that the library gives them, in words."""


def section(name: str, title: str, *parts: str) -> Markup:
    """A section with its heading.

    Args:
        name: its anchor in the page.
        title: the words of its heading.
        parts: what it consists of.
    """
    heading = element("h2", title, id=f"{name}-heading")
    return element("section", heading, *parts, id=name, aria_labelledby=f"{name}-heading")


def figure(
    chart: Markup, caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]
) -> Markup:
    """A chart with a caption, and its figures in a table that a reader can open.

    Args:
        chart: the drawing.
        caption: what it shows, in one sentence.
        header: names of the table's columns.
        rows: cells of each row.
    """
    figures = element(
        "details", element("summary", "The figures as a table"), table(caption, header, rows)
    )
    return element("figure", chart, element("figcaption", caption), figures)


def note(text: str) -> Markup:
    """A paragraph that explains or says why something is missing."""
    return element("p", text, class_="soft")


def auc_told(value: float | None) -> str:
    """A figure between 0 and 1 with three decimals and no leading zero, as on other screens.

    Example:
        >>> auc_told(0.7517), auc_told(None)
        ('.752', '-')
    """
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:.3f}".removeprefix("0")
