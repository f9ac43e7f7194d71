"""The bench of costs as a table and as a page: quality against cost, one chart for each stream."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from mainstem.answers.page.layout import figure, note, section
from mainstem.answers.page.markup import Markup, element
from mainstem.answers.page.scales import Scale, round_numbers
from mainstem.answers.page.style import STYLE
from mainstem.disk import write_whole

__all__ = ["page_of", "write_page", "write_table"]

_COLUMNS: Final = ("stream", "policy", "draw", "epochs", "seed", "auc_true")
_COSTS: Final = ("score", "rescore", "train", "features", "tokens", "seconds")
_WIDTH, _HEIGHT = 560, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 24, 36
_COLOURS: Final = ("model", "popularity", "overlap", "together", "contradictory", "spent")
_EXTRA: Final = """
.dot { stroke: var(--back); stroke-width: 1; } .curve { fill: none; stroke-width: 2; }
"""


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
    title = "Quality against cost"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(STYLE + _EXTRA)),
    )
    told = (
        "AUC on true labels after the last round, against what scoring and training cost, in "
        "tokens times the factor of each kind of pass. Means over seeds."
    )
    sections = [_of_stream(number, stream, found) for number, stream in enumerate(found["curves"])]
    body = element(
        "body", element("header", element("h1", title), note(told)), element("main", *sections)
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


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
    drawing = _chart(f"stream-{number}", stream, curves, target)
    return section(f"stream-{number}", stream, figure(drawing, caption, header, rows))


def _chart(
    name: str, title: str, curves: Mapping[str, Sequence[Mapping[str, Any]]], target: float
) -> Markup:
    points = [one for some in curves.values() for one in some]
    qualities = [target, *(float(one["auc_true"]) for one in points)]
    costs = round_numbers(0, max(float(one["cost"]) for one in points))
    levels = round_numbers(min(qualities), max(qualities))
    across = Scale(costs[0], costs[-1], _LEFT, _WIDTH - _RIGHT)
    up = Scale(levels[0], levels[-1], _HEIGHT - _BOTTOM, _TOP)
    drawn = [element("title", title, id=f"{name}-title")]
    for level in levels:
        y = up.at(level)
        drawn.append(element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="grid"))
        drawn.append(element("text", f"{level:.10g}", x=_LEFT - 6, y=y + 4, class_="name end"))
    for cost in costs:
        place = {"x": across.at(cost), "y": _HEIGHT - 14}
        drawn.append(element("text", f"{cost:,.10g}", class_="name middle", **place))
    at = up.at(target)
    drawn.append(element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=at, y2=at, class_="axis"))
    for (family, some), colour in zip(curves.items(), cycle(_COLOURS), strict=False):
        places = sorted((across.at(one["cost"]), up.at(one["auc_true"])) for one in some)
        joined = " ".join(f"{x},{y}" for x, y in places)
        shade = f"var(--{colour})"
        drawn.append(element("polyline", points=joined, class_="curve", style=f"stroke:{shade}"))
        for one in some:
            told = element("title", f"{family}: {one['policy']}")
            place = {"cx": across.at(one["cost"]), "cy": up.at(one["auc_true"]), "r": 4}
            drawn.append(element("circle", told, class_="dot", style=f"fill:{shade}", **place))
    picture = element(
        "svg",
        *drawn,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_labelledby=f"{name}-title",
    )
    return element("div", picture, _legend(list(curves)), class_="chart")


def _legend(families: Sequence[str]) -> Markup:
    named = [
        element("span", "\N{BLACK CIRCLE} ", style=f"color:var(--{colour})") + Markup(family + " ")
        for family, colour in zip(families, cycle(_COLOURS), strict=False)
    ]
    return element("p", Markup("".join(named)), class_="soft")
