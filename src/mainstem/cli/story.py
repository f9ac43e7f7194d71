"""The story of a sample on one screen, for people."""

import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from mainstem.cli.lines import WORDS
from mainstem.cli.taught import disagreeing, nearest, of_item_now, taught
from mainstem.printable import number_of, printable

__all__ = ["said", "tell_story"]

_WIDTH: Final = 100  # columns, if the output is not a terminal
_MOST: Final = 6  # rows of a table, so that the whole story is one screen
_NAMES: Final = {"norm in canaries": "importance_seen", "running margin": "running_margin"}
"""The field behind a column of a table, where the two have different names."""
_ALONE: Final = {
    "purchase": "bought",
    "drawn": "drawn as an item that was not bought",
    "labelled": "labelled so",
}
"""What gives a label before any outcome."""
_SOURCES: Final = {
    "impression": "an impression",
    "view": "a view",
    "purchase": "a purchase",
    "labelled": "a labelled text",
}
_PARTS: Final = {
    "stream": "stream: judged, and drawn by rounds",
    "canary": "canary: other samples are compared with it; judged and drawn like them",
    "direction": "direction: gives the trusted gradient; never drawn",
    "gate": "gate: judges versions; never drawn",
}
_TITLES: Final = {
    "events": "events of the log that made it",
    "visits": "visits: each scoring by a version",
    "verdicts": "verdicts: each judgement that moved it",
    "drawn by": "rounds that drew it",
}


def tell_story(story: dict[str, Any]) -> None:
    """Print a story, as `answers.explain.story_of` gives it, on one screen."""
    from rich.console import Console  # rich is slow to import

    screen = Console(
        width=None if sys.stdout.isatty() else _WIDTH, highlight=False, markup=False, emoji=False
    )
    standing = f"{story['standing']}, {story['reason']}" if story["standing"] else "not judged"
    screen.print(f"sample {story['sample_id']}: {standing}", style="bold")
    asked = (*_asked(story["question"]), *of_item_now(story["item_now"]))
    for line in (*_why(story), "", *asked, *_labels(story)):
        screen.print(_cell(line), no_wrap=True, overflow="ellipsis")
    _table(screen, "events", ("line", "event_time", "kind", "event_id"), story["events"] or ())
    visits = (
        "version",
        "kind",
        "label",
        "norm",
        "norm in canaries",
        "importance",
        "alignment",
        "loss",
        "margin",
        "running margin",
    )
    _table(screen, "visits", visits, story["visits"])
    verdicts = (
        "position",
        "version",
        "standing",
        "p",
        "evidence",
        "canaries less doubtful",
        "importance",
        "core level",
    )
    _table(screen, "verdicts", verdicts, [{**row, **_in_words(row)} for row in story["verdicts"]])
    for line in said(story["verdicts"]):
        screen.print(_cell(line), no_wrap=True, overflow="ellipsis")
    _table(
        screen,
        "drawn by",
        ("version", "drawn from", "probability", "of", "promoted", "reason"),
        map(_drawn, story["rounds"]),
    )
    screen.print()
    for line in (*disagreeing(story["estimators"]), *taught(story["teaching"])):
        screen.print(_cell(line), no_wrap=True, overflow="ellipsis")
    near = ("teaches", "cosine", "label", "standing", "sample", "texts")
    _table(screen, "", near, nearest(story["teaching"]))
    screen.print(f"\nwhat each word means: {WORDS}")


def _why(story: dict[str, Any]) -> Iterator[str]:
    yield story["meaning"]
    if since := story["since"]:
        place = f"sample {since['judgement']} of partition {since['partition']}"
        when = _second(since["event_time"])
        judged = f"judged at {place}, with version {since['version']}"
        yield f"It has stood there since {when}: {judged}."
    if now := story["now"]:
        of_mean, cosine = now["importance_of_mean"], now["alignment"]
        # a forward visit has neither
        length = "" if of_mean is None else f", length of its mean response {_cell(of_mean)}"
        alignment = "no alignment yet" if cosine is None else f"alignment {_cell(cosine)}"
        yield (
            f"Importance {_cell(now['importance'])} (1 is the mean canary){length}; {alignment}."
        )
    if score := story["score"]:
        behind = number_of(score["versions_behind"], "version")
        yield (
            f"Scored last by version {score['scored_by']} at {_second(score['scored_at'])}: "
            f"{score['days']:.1f} days and {behind} ago."
        )


def said(verdicts: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What decided at the last verdict, and what each part of learnt evidence said of the label."""
    if not verdicts:
        return
    last = verdicts[-1]
    if last["probably_right"] is None:
        yield f"decided by     {last['decides']}; no evidence was learnt from confirmed samples"
        return
    right, weight = _cell(last["probably_right"]), _cell(last["weight"])
    yield f"decided by     {last['decides']}: right with probability {right}; it weighs {weight}"
    each = zip(last["parts"], last["say"], strict=True)
    said = ", ".join(f"{part} {say:+.2f}" for part, say in each)
    yield f"log-odds       that the label in the log is wrong: {said}"


def _asked(question: dict[str, Any]) -> Iterator[str]:
    time, item = _second(question["event_time"]), question["item_id"]
    if question["source"] == "drawn":
        probability = _cell(question["sampling_probability"])
        asked = f"{time}: item {item}, drawn as a negative with probability {probability}"
    else:
        asked = f"{time} by {_SOURCES[question['source']]}" + (f": item {item}" if item else "")
    origin = f" ({question['origin']})" if question["origin"] else ""
    yield f"asked          {asked}"
    yield f"part           {_PARTS[question['part']]}{origin}"
    yield f"query          {question['query'] or '-'}"
    yield f"earlier items  {', '.join(question['history']) or '-'}"
    yield f"context        {question['context_text'] or '-'}"
    yield f"item           {question['item_text'] or '-'}"


def _labels(story: dict[str, Any]) -> Iterator[str]:
    before: dict[str, Any] = {}
    alone = _ALONE.get(story["question"]["source"], "no outcome")
    for one in story["labels"]:
        new = (
            ", ".join((Counter(one["outcomes"]) - Counter(before.get("outcomes", ()))).elements())
            or alone
        )
        said = f"revised by {new}; it was {before['label']}" if before else new
        yield f"label {one['label']}  {said} (label version {one['label_version']})"
        before = one
    targets = before.get("targets", {})
    if len(targets) > 1 or any(one not in {0, 1} for one in targets.values()):
        known = ", ".join(
            f"{name} {'unknown' if one is None else _cell(one)}" for name, one in targets.items()
        )
        yield f"targets        {known}"
    if story["question"]["origin"] == "confirmed":
        yield f"label {story['question']['confirmed']}  confirmed; it replaces the label of the log"


def _in_words(verdict: dict[str, Any]) -> dict[str, Any]:
    return {
        "position": verdict["judgement"],
        "standing": f"{verdict['standing']}, {verdict['reason']}",
        "p": verdict["p_value"],
        "canaries less doubtful": _place(verdict),
        "core level": verdict["core_level"],
    }


def _place(verdict: dict[str, Any]) -> str:
    """The share of the canaries it was compared with that are less doubtful, rounded down."""
    if verdict["probably_right"] is not None and verdict["p_value"] is not None:
        # subtle: learnt evidence compares with confirmed samples whose label in the log is right,
        # which the counts of canaries do not tell
        return f"{math.floor(1000 * (1 - verdict['p_value'])) / 10:g} % of the sound ones"
    if verdict["stratum"] is None:
        return f"too few: {verdict['canaries']:,}"
    less = verdict["stratum_canaries"] - verdict["at_least_as_doubtful"]
    share = 1000 * less // verdict["stratum_canaries"] / 10
    alike = f" (label {verdict['label']})" if verdict["stratum"] == "label" else ""
    return f"{share:g} % of {verdict['stratum_canaries']:,}{alike}"


def _drawn(one: dict[str, Any]) -> dict[str, Any]:
    promoted = "yes" if one["promoted"] else "no"
    return {
        **one,
        "drawn from": f"{one['drawn_from']}{', cold' if one['cold'] else ''}",
        "of": one["drawn"],
        "promoted": promoted,
    }


def _table(screen: Any, name: str, header: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """Print a table of the first row and the newest rows; print nothing if there are no rows."""
    from rich.table import Table  # rich is slow to import

    rows = list(rows)
    if not rows:
        return
    left_out = len(rows) - _MOST
    shown = rows if left_out <= 0 else [rows[0], *rows[-_MOST + 1 :]]
    columns = [[_cell(row[_NAMES.get(head, head)]) for row in shown] for head in header]
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for head, column in zip(header, columns, strict=True):
        # only the last column is cut
        width = None if head == header[-1] else max(map(len, (head, *column)))
        table.add_column(head, no_wrap=True, overflow="ellipsis", min_width=width)
    for cells in zip(*columns, strict=True):
        table.add_row(*cells)
    more = (
        f" (the first and the last {_MOST - 1} of {len(rows)}; `mainstem history` shows all)"
        if left_out > 0
        else ""
    )
    if name:
        screen.print(f"\n{_TITLES[name]}{more}", style="bold")
    screen.print(table)


def _second(time: Any) -> str:
    """An event time to the second; it may be a datetime or text."""
    return str(time)[:19]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3g}"
    return printable(str(value))
