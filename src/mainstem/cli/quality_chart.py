"""Quality against cost as a chart, and the page that holds such charts."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any, Final

from mainstem.answers.page.layout import note
from mainstem.answers.page.markup import Markup, element
from mainstem.answers.page.scales import Scale, round_numbers
from mainstem.answers.page.style import STYLE

__all__ = ["chart", "page"]

_WIDTH, _HEIGHT = 560, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 24, 36
_COLOURS: Final = ("model", "popularity", "overlap", "together", "contradictory", "spent")
_EXTRA: Final = """
.dot { stroke: var(--back); stroke-width: 1; } .curve { fill: none; stroke-width: 2; }
"""


def page(title: str, told: str, sections: Sequence[str]) -> str:
    """An HTML document that loads nothing and runs nothing.

    Args:
        title: its title.
        told: what all charts show.
        sections: what it consists of.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(STYLE + _EXTRA)),
    )
    body = element(
        "body", element("header", element("h1", title), note(told)), element("main", *sections)
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def chart(
    name: str,
    title: str,
    curves: Mapping[str, Sequence[Mapping[str, Any]]],
    target: float | None = None,
    *,
    joined: bool = True,
) -> Markup:
    """Draw points of cost and quality, in one colour for each curve.

    Args:
        name: begins the ids of what is drawn.
        title: the drawing in words.
        curves: points by the name of their curve, each with `policy`, `cost` and `auc_true`; a
            point with `low` and `high` has an interval, which is a line through it.
        target: quality that a line across marks; None draws none.
        joined: whether lines join the points of a curve.
    """
    points = [one for some in curves.values() for one in some]
    across, up, drawn = _axes(points, [] if target is None else [target])
    drawn.insert(0, element("title", title, id=f"{name}-title"))
    if target is not None:
        at = up.at(target)
        drawn.append(element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=at, y2=at, class_="axis"))
    for (family, some), colour in zip(curves.items(), cycle(_COLOURS), strict=False):
        drawn += _curve(family, some, (across, up), f"var(--{colour})", joined=joined)
    picture = element(
        "svg",
        *drawn,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_labelledby=f"{name}-title",
    )
    return element("div", picture, _legend(list(curves)), class_="chart")


def _axes(
    points: Sequence[Mapping[str, Any]], more: Sequence[float]
) -> tuple[Scale, Scale, list[Markup]]:
    """The scales of cost and of quality, and what is drawn of them."""
    qualities = [*more, *(one for point in points for one in _span(point))]
    costs = round_numbers(0, max(float(one["cost"]) for one in points))
    levels = round_numbers(min(qualities), max(qualities))
    across = Scale(costs[0], costs[-1], _LEFT, _WIDTH - _RIGHT)
    up = Scale(levels[0], levels[-1], _HEIGHT - _BOTTOM, _TOP)
    drawn = []
    for level in levels:
        y = up.at(level)
        drawn.append(element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="grid"))
        drawn.append(element("text", f"{level:.10g}", x=_LEFT - 6, y=y + 4, class_="name end"))
    for cost in costs:
        place = {"x": across.at(cost), "y": _HEIGHT - 14}
        drawn.append(element("text", f"{cost:,.10g}", class_="name middle", **place))
    return across, up, drawn


def _curve(
    family: str,
    points: Sequence[Mapping[str, Any]],
    scales: tuple[Scale, Scale],
    shade: str,
    *,
    joined: bool,
) -> list[Markup]:
    across, up = scales
    drawn = []
    if joined:
        places = sorted((across.at(one["cost"]), up.at(one["auc_true"])) for one in points)
        line = " ".join(f"{x},{y}" for x, y in places)
        drawn.append(element("polyline", points=line, class_="curve", style=f"stroke:{shade}"))
    for one in points:
        x, span = across.at(one["cost"]), _span(one)
        if len(span) > 1:
            ends = {"x1": x, "x2": x, "y1": up.at(span[0]), "y2": up.at(span[-1])}
            drawn.append(element("line", class_="curve", style=f"stroke:{shade}", **ends))
        told = element("title", f"{family}: {one['policy']}")
        place = {"cx": x, "cy": up.at(one["auc_true"]), "r": 4}
        drawn.append(element("circle", told, class_="dot", style=f"fill:{shade}", **place))
    return drawn


def _span(point: Mapping[str, Any]) -> list[float]:
    """The quality of a point, between the ends of its interval if it has one."""
    ends = [point.get("low"), point["auc_true"], point.get("high")]
    return [float(one) for one in ends if one is not None]


def _legend(families: Sequence[str]) -> Markup:
    named = [
        element("span", "\N{BLACK CIRCLE} ", style=f"color:var(--{colour})") + Markup(family + " ")
        for family, colour in zip(families, cycle(_COLOURS), strict=False)
    ]
    return element("p", Markup("".join(named)), class_="soft")
