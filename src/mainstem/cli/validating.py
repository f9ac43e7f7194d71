"""`mainstem validate LOG`: faults of a log before it is replayed, and windows that fit it."""

import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mainstem.cli.notes import explain_words
from mainstem.printable import in_json
from mainstem.settings import Settings

if TYPE_CHECKING:
    from mainstem.validate import Finding, Validation, Window

__all__ = ["validate"]

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_WIDTH: Final = 3  # columns of the plot for each duration
_PLACES: Final = 3  # examples shown for each rule
_NOTHING: Final = {
    "label_window": "no outcome except returns answers a question",
    "revision_window": "no outcome answers a question",
    "grace": "no event is late",
}


def validate(
    log: Annotated[
        str, typer.Argument(help="The event log, a folder of logs, or - for standard input.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check an event log against every rule, and suggest windows.

    The exit code is 1 if a rule fails.
    """
    from mainstem.cli.tables import working  # rich is slow to import
    from mainstem.events import read_lines
    from mainstem.validate import FAIL
    from mainstem.validate import validate as hold

    settings = Settings.read(os.environ)
    now = time.time_ns() // 1_000_000
    with _at_rest(log) as path, working(f"reading {path.name}"):
        found = hold(lambda: read_lines(path), settings, now)
    if as_json:
        print(in_json(_plain(log, found)))
    else:
        _show(found)
    if found.status == FAIL:
        raise typer.Exit(1)


@contextmanager
def _at_rest(log: str) -> Iterator[Path]:
    """The log as a file that can be read twice."""
    if log != "-":
        yield Path(log)
        return
    from mainstem.events.logs import spool

    with tempfile.TemporaryDirectory(prefix="mainstem-validate-") as folder:
        yield spool(Path(folder))


def _plain(log: str, found: "Validation") -> dict[str, Any]:
    delays = {
        kind: {
            "count": spread.count,
            **{f"p{part}_ms": spread.quantile(part / 100) for part in (50, 90, 99)},
            "largest_ms": spread.largest,
        }
        for kind, spread in sorted(found.delays.kinds.items())
    }
    return {
        "log": log,
        "lines": found.lines,
        "questions": found.questions,
        "asks": sorted(found.asks),
        "status": found.status,
        "rules": [asdict(finding) for finding in found.findings],
        "delays": delays,
        "windows": [asdict(window) for window in found.windows],
    }


def _show(found: "Validation") -> None:
    from mainstem.cli.tables import show  # rich is slow to import
    from mainstem.validate import duration

    show(
        ("", "rule", "found", "what to do"),
        ((one.status, one.rule, one.found + _places(one), one.advice) for one in found.findings),
    )
    if found.delays.kinds:
        print()
        parts = (0.5, 0.9, 0.99)
        show(
            ("delay of", "outcomes", "half within", "90 %", "99 %", "longest"),
            (
                (
                    kind,
                    f"{spread.count:,}",
                    *(duration(spread.quantile(part)) for part in parts),
                    duration(spread.largest),
                )
                for kind, spread in sorted(found.delays.kinds.items())
            ),
        )
        print("\n" + "\n".join(_plot(found)))
    if found.asks - {"labelled"}:  # a labelled text brings its answer, so no window applies
        print("\nwindows: what each value would cost; `mainstem settings` explains each setting")
        show(
            ("setting", "value", "cost", "of what", ""),
            (row for window in found.windows for row in _rows(window)),
        )
    if any(
        window.setting == "grace" and (window.suggested or window.now) < window.now
        for window in found.windows
    ):
        print(
            "a log that was sorted or exported does not tell how late live events arrive; shorten "
            "grace with care"
        )
    print(f"\n{found.status}: {found.lines:,} lines, in which {_asking(found)}")
    explain_words(
        "PASS: the rule holds; WARN: a replay loses what is named; FAIL: mend the log first",
        "grace: how long the join waits for events that arrive late",
        "label_window: how long a question waits for the outcomes of its first label",
        "revision_window: how long later outcomes may revise a label",
    )


def _asking(found: "Validation") -> str:
    """Which kinds of event ask; if impressions and views do, purchases are only outcomes."""
    names = {found.questions: _ASKS[found.questions], "labelled": "labelled texts"}
    kinds = " and ".join(name for kind, name in names.items() if kind in found.asks)
    return f"{kinds} ask" if kinds else "nothing asks"


_ASKS: Final = {"shown": "impressions and views", "purchases": "purchases"}


def _places(finding: "Finding") -> str:
    if not finding.examples:
        return ""
    places = [
        f"{one.offset}{f' ({one.event_id})' if one.event_id else ''}"
        for one in finding.examples[:_PLACES]
    ]
    return f"; at {', '.join(places)}"


def _plot(found: "Validation") -> list[str]:
    """A line of bars for each kind of outcome: how many came within each duration."""
    from mainstem.validate import RUNGS, duration

    rungs = [rung for rung in RUNGS if rung <= found.delays.longest]
    names = [*(duration(rung) for rung in rungs), "more"]
    wide = max(map(len, found.delays.kinds))
    lines = []
    for kind, spread in sorted(found.delays.kinds.items()):
        counts = spread.between(rungs)
        lines.append(f"{kind:{wide}}  {_bars(counts)}")
    axis = "".join(f"{name:>{_WIDTH}.{_WIDTH}} " for name in names[:-1])
    return [*lines, f"{'up to':{wide}}  {axis}"]


def _bars(counts: Iterable[int]) -> str:
    counts = list(counts)
    highest = max(counts)
    return "".join(f"{_BLOCKS[-(-count * 8 // highest)] * _WIDTH} " for count in counts)


def _rows(window: "Window") -> Iterator[tuple[str, str, str, str, str]]:
    """The value in force, the one suggested, and the candidates next to each."""
    from mainstem.validate import duration

    marked = [
        n for n, one in enumerate(window.candidates) if one.millis in {window.now, window.suggested}
    ]
    shown = sorted(
        {n + step for n in marked for step in (-1, 0, 1)} & set(range(len(window.candidates)))
    )
    if window.suggested is None:
        little = (
            f"too few outcomes to go by: {window.measured:,} measured"
            if window.measured
            else f"nothing to go by: {_NOTHING[window.setting]}"
        )
        yield window.setting, duration(window.now), "-", little, "now"
        return
    for place, number in enumerate(shown):
        one = window.candidates[number]
        marks = {"now": window.now, "suggested": window.suggested}
        mark = ", ".join(name for name, millis in marks.items() if millis == one.millis)
        yield (
            ("" if place else window.setting),
            duration(one.millis),
            "not known" if one.cost is None else f"{one.cost:.2%}",
            "" if place else window.costs,
            mark,
        )
