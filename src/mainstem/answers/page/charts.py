"""Charts as inline SVG, each with a title, a description and a legend; a style sheet colours them.

Widths and heights are in units of the drawing, which a browser scales to the screen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mainstem.answers.page.markup import Markup, element
from mainstem.answers.page.scales import Scale, moment, round_numbers, short_moment, thinned

__all__ = ["Bar", "Chart", "Line", "Mark", "areas", "bars", "lines"]

_WIDTH: Final = 560
_HEIGHT: Final = 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 24, 30
_BAR: Final = 28  # height of a bar with its gap
_NAMES: Final = 205  # width of the names beside the bars
_FIGURE: Final = 52  # width of the figure behind a bar


@dataclass(frozen=True)
class Chart:
    """What a chart is called and says, for people who cannot see it.

    Attributes:
        name: name of its ids, unique on the page.
        title: what it shows.
        described: what there is to see in it, in a few sentences.
    """

    name: str
    title: str
    described: str


@dataclass(frozen=True)
class Line:
    """A line, or an area between the areas before it and its own height.

    Attributes:
        name: its name in the legend.
        kind: its class in the style sheet, which gives colour and dashes.
        points: moment in milliseconds and value; None interrupts a line.
    """

    name: str
    kind: str
    points: Sequence[tuple[int, float | None]]


@dataclass(frozen=True)
class Mark:
    """A moment that a chart marks, such as that of a new version.

    Attributes:
        time: the moment in milliseconds.
        name: its short name above the line.
        told: a sentence about it, shown when a pointer rests on the line.
        is_refused: whether it marks a version that was not promoted.
    """

    time: int
    name: str
    told: str
    is_refused: bool = False


@dataclass(frozen=True)
class Bar:
    """A named bar.

    Attributes:
        name: its name, in front of it.
        kind: its class in the style sheet.
        value: where it ends.
        told: the value in words, behind it.
    """

    name: str
    kind: str
    value: float
    told: str


def lines(chart: Chart, series: Sequence[Line], marks: Sequence[Mark] = ()) -> Markup:
    """Lines over event time, with moments marked.

    Args:
        chart: title and description.
        series: the lines, of which at least one has a value.
        marks: moments to mark, in order.
    """
    values = [value for one in series for _, value in one.points if value is not None]
    frame = _Frame.of(series, marks, min(values), max(values))
    drawn: list[Markup] = []
    for one in series:
        drawn += [_path(run, frame, one.kind) for run in _runs(one)]
        drawn += [_point(one, time, value, frame) for run in _runs(one) for time, value in run]
    return _chart(chart, _HEIGHT, [*frame.drawn(), *frame.marked(marks), *drawn], series)


def areas(chart: Chart, series: Sequence[Line], marks: Sequence[Mark] = ()) -> Markup:
    """Areas stacked over event time, the first one at the bottom.

    Args:
        chart: title and description.
        series: areas with values at the same moments, at least one.
        marks: moments to mark, in order.
    """
    times = [time for time, _ in series[0].points]
    below = [0.0] * len(times)
    edges: list[tuple[str, list[float], list[float]]] = []
    for one in series:
        above = [low + (value or 0) for low, (_, value) in zip(below, one.points, strict=True)]
        edges.append((one.kind, below, above))
        below = above
    frame = _Frame.of(series, marks, 0, max(below))
    drawn: list[Markup] = []
    for kind, low, high in edges:
        there = [(time, value) for time, value in zip(times, high, strict=True)]
        back = [(time, value) for time, value in zip(times, low, strict=True)][::-1]
        corners = " ".join(f"{x},{y}" for x, y in map(frame.at, [*there, *back]))
        drawn.append(element("polygon", points=corners, class_=f"area {kind}"))
    return _chart(chart, _HEIGHT, [*drawn, *frame.drawn(), *frame.marked(marks)], series)


def bars(chart: Chart, rows: Sequence[Bar], base: float = 0) -> Markup:
    """Horizontal bars with their figures.

    Args:
        chart: title and description.
        rows: the bars, from top to bottom, at least one.
        base: the value at which every bar begins.
    """
    values = [base, *(one.value for one in rows)]
    low, high = min(values), max(values)
    scale = Scale(low, high if high > low else low + 1, _NAMES, _WIDTH - _FIGURE)
    foot = scale.at(base)
    drawn = [element("line", x1=foot, x2=foot, y1=0, y2=len(rows) * _BAR, class_="axis")]
    for number, one in enumerate(rows):
        top, end = number * _BAR + 4, scale.at(one.value)
        middle = top + _BAR / 2
        size = {"width": round(abs(end - foot), 2), "height": _BAR - 8}
        drawn += [
            element("text", one.name, x=_NAMES - 8, y=middle, class_="name end"),
            element("rect", x=min(end, foot), y=top, class_=f"bar {one.kind}", **size),
            element("text", one.told, x=max(end, foot) + 5, y=middle, class_="name"),
        ]
    return _chart(chart, len(rows) * _BAR + 4, drawn, ())


@dataclass(frozen=True)
class _Frame:
    """The places of moments and values in a chart, with its axes."""

    time: Scale
    value: Scale
    numbers: Sequence[float]

    @classmethod
    def of(cls, series: Sequence[Line], marks: Sequence[Mark], low: float, high: float) -> "_Frame":
        numbers = round_numbers(low, high)
        times = [time for one in series for time, _ in one.points] + [one.time for one in marks]
        return cls(
            Scale(min(times), max(times), _LEFT, _WIDTH - _RIGHT),
            Scale(numbers[0], numbers[-1], _HEIGHT - _BOTTOM, _TOP),
            numbers,
        )

    def at(self, point: tuple[int, float]) -> tuple[float, float]:
        return self.time.at(point[0]), self.value.at(point[1])

    def drawn(self) -> Iterator[Markup]:
        """The axes: a line and a number for each round value, and three moments."""
        for number in self.numbers:
            y = self.value.at(number)
            yield element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="grid")
            yield element("text", f"{number:,.10g}", x=_LEFT - 6, y=y + 4, class_="name end")
        low, span = int(self.time.low), int(self.time.high - self.time.low)
        places = {"name": 0.0, "name middle": 0.5, "name end": 1.0}
        for kind, share in places.items() if span else ():
            time = low + round(share * span)
            x = self.time.at(time)
            yield element("text", short_moment(time, span), x=x, y=_HEIGHT - 8, class_=kind)

    def marked(self, marks: Sequence[Mark]) -> Iterator[Markup]:
        """A vertical line for each mark; of marks that are close together the first is named."""
        places = [self.time.at(one.time) for one in marks]
        named = set(thinned(places, 28))
        for number, (one, x) in enumerate(zip(marks, places, strict=True)):
            kind = "mark refused" if one.is_refused else "mark"
            line = element("line", x1=x, x2=x, y1=_TOP - 6, y2=_HEIGHT - _BOTTOM)
            parts = [element("title", one.told), line]
            if number in named:
                parts.append(element("text", one.name, x=x, y=_TOP - 10, class_="name middle"))
            yield element("g", *parts, class_=kind)


def _runs(line: Line) -> Iterator[list[tuple[int, float]]]:
    """The pieces of a line between missing values."""
    run: list[tuple[int, float]] = []
    for time, value in line.points:
        if value is not None:
            run.append((time, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _path(run: Sequence[tuple[int, float]], frame: _Frame, kind: str) -> Markup:
    corners = " ".join(f"{x},{y}" for x, y in map(frame.at, run))
    return element("polyline", points=corners, class_=f"line {kind}")


def _point(line: Line, time: int, value: float, frame: _Frame) -> Markup:
    x, y = frame.at((time, value))
    told = element("title", f"{line.name}, {moment(time)}: {value:.3f}")
    return element("circle", told, cx=x, cy=y, r=3, class_=f"point {line.kind}")


def _chart(chart: Chart, height: int, drawn: Sequence[Markup], series: Sequence[Line]) -> Markup:
    title, described = f"{chart.name}-title", f"{chart.name}-described"
    drawing = element(
        "svg",
        element("title", chart.title, id=title),
        element("desc", chart.described, id=described),
        *drawn,
        viewBox=f"0 0 {_WIDTH} {height}",
        role="img",
        aria_labelledby=title,
        aria_describedby=described,
    )
    # one line needs no key: the title names it
    keys = [
        element("li", element("span", class_=f"key {one.kind}", aria_hidden="true"), one.name)
        for one in series
        if len(series) > 1
    ]
    legend = [element("ul", *keys, class_="legend")] if keys else []
    return element("div", drawing, *legend, class_="chart")
