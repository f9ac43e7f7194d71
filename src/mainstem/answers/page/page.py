"""Put the page together: one file that loads nothing and runs nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mainstem.answers.page.costs import costs
from mainstem.answers.page.counting import counting
from mainstem.answers.page.facts import Ask, Facts, facts_of
from mainstem.answers.page.layout import PLAIN, auc_told
from mainstem.answers.page.ledger import hashes, ledger
from mainstem.answers.page.markup import Markup, element, joined
from mainstem.answers.page.scales import moment
from mainstem.answers.page.sets import members, sets
from mainstem.answers.page.slices import slices
from mainstem.answers.page.source import source_of
from mainstem.answers.page.style import STYLE
from mainstem.answers.page.versions import last_part, over_time, rounds
from mainstem.join.ledger import imbalance
from mainstem.settings import Settings
from mainstem.versions import Versions

__all__ = ["page_about", "page_of"]

# subtle: even if a text of the log came through unescaped, a browser would run and load nothing
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def page_about(
    folder: Path, store: str | None, settings: Settings, ask: Ask, versions: Versions | None
) -> str:
    """The report of a history as an HTML document.

    Args:
        folder: folder of the home.
        store: URL of a deployment's history, which is meant instead of the home.
        settings: settings that the history was made with.
        ask: asks the history.
        versions: where the versions are; None where that is not known.

    Raises:
        HomeError: if the folder is meant, and is no home.
    """
    return page_of(facts_of(source_of(folder, store, settings), ask, versions))


def page_of(facts: Facts) -> str:
    """The report as an HTML document, a pure function of the history.

    Args:
        facts: what the history says.
    """
    title = f"mainstem report: {facts.source.name}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    sections = (over_time, last_part, slices, counting, rounds, costs, sets, members)
    body = element(
        "body",
        element("header", element("h1", title), *_span(facts), _tiles(facts)),
        element("main", *(each(facts) for each in (*sections, ledger, hashes))),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _span(facts: Facts) -> Iterator[Markup]:
    if facts.quality:
        begin, end = facts.quality[0].begin, facts.quality[-1].end
        told = f"Questions asked from {moment(begin)} to {moment(end)} UTC, in event time."
        yield element("p", told, class_="soft")


def _tiles(facts: Facts) -> Markup:
    """The figures that matter most, in boxes."""
    promoted = [one for one in facts.versions if one.promoted]
    out = sum(imbalance(row) for row in facts.ledger)
    told = [
        ("samples", f"{facts.held.samples:,}", ""),
        (
            "rounds",
            f"{len(facts.rounds):,}",
            f"{sum(one.promoted for one in facts.rounds):,} promoted",
        ),
        ("newest version", str(promoted[-1].version) if promoted else "-", _beside(facts)),
        ("core", f"{facts.sets_then[-1].core:,}" if facts.sets_then else "-", ""),
        ("ledger", f"out by {out:,}" if out else "in balance" if facts.ledger else "-", ""),
    ]
    boxes = [
        element(
            "div",
            element("dt", name),
            element("dd", value, *([element("small", more)] if more else [])),
        )
        for name, value, more in told
    ]
    return element("dl", joined(boxes), class_="tiles")


def _beside(facts: Facts) -> str:
    """AUC of the newest version on the last part, beside the best plain ranking there."""
    ranked = [one.auc_later for one in facts.versions if one.promoted]
    if not ranked or ranked[-1] is None or facts.later is None:
        return ""
    told = f"AUC {auc_told(ranked[-1])}"
    plain = {name: auc for name, auc in facts.later.plain.items() if auc is not None}
    if not plain:
        return told
    best = max(plain, key=lambda name: plain[name])
    return f"{told}; {PLAIN.get(best, best)} {auc_told(plain[best])}"
