"""Sections about quality: over event time, on the last part of the log, and the rounds."""

from collections.abc import Iterator
from typing import Final

from mainstem.answers.page.charts import Bar, Chart, Line, Mark, bars, lines
from mainstem.answers.page.facts import Facts
from mainstem.answers.page.layout import PLAIN, auc_told, figure, note, section
from mainstem.answers.page.markup import Markup, element, table
from mainstem.answers.page.scales import moment
from mainstem.store.versions import VersionTold

__all__ = ["last_part", "marks_of", "over_time", "rounds"]


_PLANTED: Final = (
    "Labels were turned wrong on purpose. Versions are measured by the true labels, which the "
    "history does not hold; only the report of the replay has the plain rankings."
)
_COUNTING: Final = (
    "A version beats counting if its AUC on the samples of the gate is above that of popularity "
    "and of logistic regression on the behaviour features, which need no network."
)


def over_time(facts: Facts) -> Markup:
    """AUC and loss on arrival, part by part, with a mark for each version."""
    title = "Quality over event time"
    if not facts.quality:
        return section("quality", title, note("No sample has been scored yet."))
    two = facts.source.settings.objectives.answers_yes_or_no
    what = "AUC" if two else "share of labels put first"
    told = (
        f"The {what} of samples as the version at work scored them on arrival, before any version "
        "trained on them. "
    )
    plain = (
        "The plain rankings know what happened before each part began. .5 is chance. "
        if two
        else ""
    )
    marks = "A vertical line marks a version; a red one, a version that the gate refused."
    return section(
        "quality", title, note(f"{told}{plain}{marks}"), *_quality(facts, what), *_loss(facts)
    )


def marks_of(facts: Facts) -> list[Mark]:
    """A mark for each version but the first, at the event time at which it was made."""
    reasons = {one.version: one.reason for one in facts.versions}
    marks = []
    for one in facts.made:
        state = "promoted" if one.promoted else "refused"
        told = f"version {one.version} {state} at {moment(one.event_time)}: "
        if one.version:
            told += reasons.get(one.version, "")
            marks.append(Mark(one.event_time, f"v{one.version}", told, not one.promoted))
    return sorted(marks, key=lambda mark: mark.time)


def last_part(facts: Facts) -> Markup:
    """AUC of versions and plain rankings on the last part of the log, the best first."""
    title = "The last part of the log"
    ranked = {one.version: one.auc_later for one in facts.versions if one.auc_later is not None}
    if facts.later is None or not ranked:
        return section("later", title, note(_why_no_last_part(facts)))
    newest = max(one.version for one in facts.versions if one.promoted)
    rows = [
        (auc, PLAIN.get(name, name), name)
        for name, auc in facts.later.plain.items()
        if auc is not None
    ]
    rows += [
        (auc, f"version {version}" + (", the newest" if version == newest else ""), "model")
        for version, auc in ranked.items()
        if version in (min(ranked), newest)
    ]
    rows.sort(key=lambda row: -row[0])
    told = [Bar(name, kind, auc, auc_told(auc)) for auc, name, kind in rows]
    said = ", ".join(f"{one.name} {one.told}" for one in told)
    caption = f"AUC on the last {facts.later.samples:,} samples, which no round trains on"
    drawn = bars(Chart("later-chart", caption, f"From best to worst: {said}."), told, base=0.5)
    every = [(f"version {version}", auc_told(auc)) for version, auc in sorted(ranked.items())]
    every += [(PLAIN.get(name, name), auc_told(auc)) for name, auc in facts.later.plain.items()]
    shown = figure(drawn, f"{caption}. Bars begin at .5, which is chance.", ("", "AUC"), every)
    planted = [note(_PLANTED)] if facts.source.is_planted else []
    return section("later", title, shown, *planted)


def rounds(facts: Facts) -> Markup:
    """A table of rounds, and those that promoted nothing with their reason."""
    if not facts.rounds:
        return section("rounds", "Rounds", note("No round has been run."))
    told = {one.version: one for one in facts.versions}
    rows = [
        (
            str(one.version),
            f"{one.samples:,}",
            f"{one.drawn:,}",
            one.drawn_from,
            auc_told(one.auc_before),
            auc_told(one.auc_after),
            "held-out" if one.judged_on == "held_out" else one.judged_on or "-",
            "yes" if one.promoted else "no",
            _beats(told.get(one.version)),
            auc_told(told[one.version].auc_later if one.version in told else None),
        )
        for one in facts.rounds
    ]
    header = ("round", "at sample", "drawn", "from", "before", "after", "judged on", "promoted")
    shown = table(
        "AUC before and after fine-tuning, on the samples that the gate judged by",
        (*header, "beats counting", "last part"),
        rows,
    )
    return section("rounds", "Rounds", shown, note(_COUNTING), *_refused(facts))


def _beats(one: VersionTold | None) -> str:
    """Whether a version ranks better than counting, with the AUC of what it was compared with."""
    if one is None or one.beats_counting is None:
        return "-"
    known = (("popularity", one.popularity), ("logistic", one.logistic))
    beside = ", ".join(f"{name} {auc_told(auc)}" for name, auc in known if auc is not None)
    return f"{'yes' if one.beats_counting else 'no'}: {beside}"


def _quality(facts: Facts, what: str) -> Iterator[Markup]:
    parts = facts.quality
    names = [name for name in PLAIN if any(part.plain.get(name) is not None for part in parts)]
    series = [Line("versions at work", "model", [(one.end, one.model) for one in parts])]
    series += [
        Line(PLAIN[name], name, [(one.end, one.plain.get(name)) for one in parts]) for name in names
    ]
    series = [one for one in series if any(value is not None for _, value in one.points)]
    if not series:
        yield note("All samples so far have one label, and two are needed to rank.")
        return
    last = parts[-1]
    described = (
        f"{len(parts)} parts from {moment(parts[0].begin)} to {moment(last.end)} UTC. In the last "
        f"part the versions at work reach {auc_told(last.model)}"
        + "".join(f", {PLAIN[name]} {auc_told(last.plain.get(name))}" for name in names)
        + "."
    )
    caption = f"{what} on each part of the log, as its samples arrived"
    chart = Chart("quality-chart", caption, described)
    rows = [
        (
            moment(one.end),
            f"{one.samples:,}",
            auc_told(one.model),
            *(auc_told(one.plain.get(name)) for name in names),
        )
        for one in parts
    ]
    header = ("up to (UTC)", "samples", "versions at work", *(PLAIN[name] for name in names))
    yield figure(lines(chart, series, marks_of(facts)), caption, header, rows)


def _loss(facts: Facts) -> Iterator[Markup]:
    parts = facts.quality
    described = (
        f"From {parts[0].loss:.3f} in the first part to {parts[-1].loss:.3f} in the last one."
    )
    caption = "Mean loss on each part of the log, in nats, as its samples arrived"
    series = [Line("versions at work", "model", [(one.end, one.loss) for one in parts])]
    drawn = lines(Chart("loss-chart", caption, described), series, marks_of(facts))
    rows = [(moment(one.end), f"{one.loss:.4f}") for one in parts]
    yield figure(drawn, caption, ("up to (UTC)", "loss"), rows)


def _refused(facts: Facts) -> Iterator[Markup]:
    refused = [one for one in facts.rounds if not one.promoted]
    if not refused:
        yield note("The gate promoted the version of every round.")
        return
    yield element("h3", "Refused rounds")
    yield element("ul", *(element("li", f"round {one.version}: {one.reason}") for one in refused))


def _why_no_last_part(facts: Facts) -> str:
    if not facts.versions:
        return "There is no version yet."
    if facts.later is None:
        return (
            "No part of the log is kept aside: that is for a replay which has come to its end, "
            "and a deployment has no end."
        )
    return "No version was measured on it: it has no samples, or only one label."
