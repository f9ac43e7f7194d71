"""Sections about the sets: their sizes over event time and now, and samples of them."""

from collections.abc import Iterator, Sequence
from typing import Final

from mainstem.answers.explain import MEANINGS
from mainstem.answers.page.charts import Chart, Line, areas
from mainstem.answers.page.facts import Facts, SetsThen
from mainstem.answers.page.layout import figure, note, section
from mainstem.answers.page.markup import Markup, element, log_text, table
from mainstem.answers.page.scales import moment
from mainstem.answers.page.versions import marks_of
from mainstem.store.texts import Member

__all__ = ["members", "sets"]

_SETS: Final = {
    "core": "core",
    "edge": "edge",
    "contradictory": "noise: contradictory",
    "spent": "noise: spent",
}
_MOST: Final = 200  # moments of the chart


def sets(facts: Facts) -> Markup:
    """The sets over event time, and their sizes and means now."""
    title = "Sets"
    if not facts.sets_then:
        return section("sets", title, note("Nothing has been judged yet."))
    now = facts.sets_then[-1]
    told = ", ".join(f"{getattr(now, name):,} {word}" for name, word in _SETS.items())
    shown = _shown(facts.sets_then)
    series = [
        Line(word, name, [(one.time, float(getattr(one, name))) for one in shown])
        for name, word in _SETS.items()
    ]
    caption = "Samples in each set after each judgement"
    described = f"{len(facts.sets_then):,} judgements up to {moment(now.time)} UTC. Now: {told}."
    chart = areas(Chart("sets-chart", caption, described), series, marks_of(facts))
    rows = [(moment(one.time), *(f"{getattr(one, name):,}" for name in _SETS)) for one in shown]
    drawn = figure(chart, caption, ("at (UTC)", *_SETS.values()), rows)
    return section("sets", title, drawn, _by_reason(facts), *_why_none(facts))


def members(facts: Facts) -> Markup:
    """The most important samples of core, and those that are called contradictory."""
    parts: list[Markup] = []
    names = facts.source.settings.objectives.label_names
    for title, rows in (("core", facts.core), ("contradictory", facts.contradictory)):
        if rows:
            caption = f"{title}: the most important samples"
            parts.append(table(caption, _HEADER, [_cells(row, names) for row in rows]))
    if not parts:
        return section("samples", "Samples", note("No sample is core or contradictory yet."))
    how = element(
        "p",
        element("code", "mainstem explain"),
        " with the first digits of an id tells the story of a sample.",
        class_="soft",
    )
    return section("samples", "Samples", *parts, how)


_HEADER: Final = ("sample", "item", "context", "label", "importance")


def _cells(row: Member, names: Sequence[str]) -> tuple[str, ...]:
    return (
        element("code", str(row.sample_id)[:8]),
        log_text(row.item_text or "-"),
        log_text(row.context_text or "-"),
        names[row.label] if row.label < len(names) else str(row.label),
        "-" if row.importance is None else f"{row.importance:.2f}",
    )


def _shown(then: Sequence[SetsThen]) -> list[SetsThen]:
    """Judgements at even distances, the last one among them, so that the page stays small."""
    if len(then) <= _MOST:
        return list(then)
    return [then[round(n * (len(then) - 1) / (_MOST - 1))] for n in range(_MOST)]


def _by_reason(facts: Facts) -> Markup:
    rows = [
        (
            one.reason,
            one.standing,
            f"{one.samples:,}",
            f"{one.importance:.2f}",
            f"{one.margin:+.2f}",
            element("span", MEANINGS.get(one.reason, ""), class_="prose"),
        )
        for one in facts.sets
    ]
    header = ("reason", "standing", "samples", "importance", "margin", "meaning")
    return table("The sets now, by reason, with the means of their figures", header, rows)


def _why_none(facts: Facts) -> Iterator[Markup]:
    """Why nothing is called contradictory, once for each reason."""
    if facts.sets_then[-1].contradictory:
        return
    for verdict in dict.fromkeys(one.verdict for one in facts.verdicts):
        canaries = sum(one.canaries for one in facts.verdicts if one.verdict == verdict)
        why = "none is found at this rate of false calls" if verdict == "given" else verdict
        yield note(f"Nothing is called contradictory: {why} ({canaries:,} canaries).")
