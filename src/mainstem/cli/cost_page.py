"""The bench of costs as a table and as a page: quality against cost, one chart for each stream."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, Final

from mainstem.answers.page.layout import figure, section
from mainstem.answers.page.markup import Markup
from mainstem.cli.quality_chart import chart, page
from mainstem.disk import write_whole

__all__ = ["page_of", "write_page", "write_table"]

_COLUMNS: Final = ("stream", "policy", "draw", "epochs", "seed", "auc_true")
_COSTS: Final = ("score", "rescore", "train", "features", "tokens", "seconds")


def write_table(path: Path, found: Mapping[str, Any]) -> None:
    """Write one row for each cell.

    Args:
        path: file for the table, in CSV.
        found: what `bench_cost` returned.
    """
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow((*_COLUMNS, *_COSTS))
    for one in found["cells"]:
        rows.writerow(
            (*(one[name] for name in _COLUMNS), *(one["cost"].get(name) for name in _COSTS))
        )
    write_whole(path, text.getvalue().encode())


def write_page(path: Path, found: Mapping[str, Any]) -> None:
    """Write the page.

    Args:
        path: file for the page.
        found: what `bench_cost` returned.
    """
    write_whole(path, page_of(found).encode())


def page_of(found: Mapping[str, Any]) -> str:
    """The page as an HTML document that loads nothing and runs nothing.

    Args:
        found: what `bench_cost` returned.
    """
    told = (
        "AUC on true labels after the last round, against what scoring and training cost, in "
        "tokens times the factor of each kind of pass. Means over seeds."
    )
    sections = [_of_stream(number, stream, found) for number, stream in enumerate(found["curves"])]
    return page("Quality against cost", told, sections)


def _of_stream(number: int, stream: str, found: Mapping[str, Any]) -> Markup:
    curves: Mapping[str, Sequence[Mapping[str, Any]]] = found["curves"][stream]
    target = found["target"][stream]
    rows = [
        (family, one["policy"], f"{one['cost']:,.0f}", f"{one['auc_true']:.4f}")
        for family, points in curves.items()
        for one in points
    ]
    caption = f"Quality against cost; the line is the target, {target:.4f}."
    header = ("curve", "policy", "cost", "AUC on true labels")
    drawing = chart(f"stream-{number}", stream, curves, target)
    return section(f"stream-{number}", stream, figure(drawing, caption, header, rows))
