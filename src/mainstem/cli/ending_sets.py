"""The end of a replay for people: the sets, and a few samples in words."""

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias
from uuid import UUID

import numpy as np

from mainstem.answers.explain import MEANINGS
from mainstem.cli.lines import aligned, points, wrapped
from mainstem.loop import Loop
from mainstem.printable import printable
from mainstem.standing import CORE, REASONS, STANDINGS, what_decides, why_none_called
from mainstem.store.telling import kept_apart, trusted_met
from mainstem.store.texts import words_of
from mainstem.validate.lacking import unmet_trust

__all__ = ["first_to_explain", "samples", "sets"]

_EACH: Final = 2  # samples shown in words
_LINES: Final = 3  # lines of a text
_PARTITIONS: Final = 3  # partitions that are named if their reasons differ
_SETS: Final = {
    "core": "sound, and worth learning from; drawn by importance",
    "edge": "undecided or overlooked; every sample starts here",
    "contradictory": "noise: label proven wrong by the canaries; never drawn",
    "spent": "noise: sound, nothing left to teach; hardly ever drawn",
}
_SOURCES: Final = {
    "purchase": "the shopper bought it",
    "drawn": "drawn as an item that the shopper did not buy",
    "impression": "from what the shopper did when the item was shown",
    "view": "from what the shopper did after a view of the item",
    "labelled": "the text came with it",
}
_RETURNED: Final = "the shopper bought it and returned it"
_Told: TypeAlias = Callable[[Any, Any, Any], str]
_Score: TypeAlias = Callable[[Any, Any], Any]
_Place: TypeAlias = tuple[int, int]  # a partition, and a row in it


def sets(loop: Loop, report: dict[str, Any]) -> Iterator[str]:
    """Lines with the size and the meaning of each set.

    They also say what decided, why nothing is called contradictory, and which trusted samples the
    log lacks.
    """
    counts = report["sets"]
    apart = kept_apart(loop.store)
    others = f"; {apart:,} more guide or check the model" if apart else ""
    yield f"\nsets: {sum(counts.values()):,} samples at the last judgement{others}"
    yield from aligned([(name, f"{counts[name]:,}", _SETS[name]) for name in counts], "lrl")
    yield from _in_partitions(loop, what_decides, "")
    if not counts["contradictory"]:
        yield from _in_partitions(loop, why_none_called, "nothing is called contradictory")
    named, met = loop.trust.named, trusted_met(loop.store)
    if absent := next((str(sample_id) for sample_id in named if sample_id not in met), ""):
        told = unmet_trust(len(met & named.keys()), len(named), absent, loop.surveyed.example)
        yield wrapped(told)


def samples(loop: Loop) -> Iterator[str]:
    """Lines with two samples of core and two doubtful ones, and what their figures mean."""
    yield "\ncore, the most important: samples that would move the model most"
    core, doubtful = _ranked(loop, _core), _ranked(loop, _doubtful)
    yield from _told(loop, core, _no_core(loop))
    yield "\ndoubtful, most so: samples whose label the model disagrees with most"
    yield from _told(loop, doubtful, "none: the model disagrees with no label")
    if core or doubtful:
        yield ""
        yield wrapped(
            "Importance is the mean length of a sample's gradient over its visits; 1 is the mean "
            "canary. A visit is one scoring by one version. The margin is how far the model puts "
            "the label above any other; below 0 it disagrees. The p-value is the probability that "
            "a sound sample is at least this doubtful."
        )


def first_to_explain(loop: Loop) -> UUID | None:
    """The id of a sample to look into: the most important of core, the most doubtful, or any."""
    for score in (_core, _doubtful, lambda rows, _: np.zeros(len(rows))):
        for partition, row in _ranked(loop, score):
            return UUID(str(loop.worker.rows[partition].id_of(row)))
    return None


def _in_partitions(loop: Loop, told: _Told, lead: str) -> Iterator[str]:
    """What is told of each partition after a lead, once if it is the same in all of them."""
    found = {
        partition: told(loop.worker.rows[partition], judged, loop.settings)
        for partition, judged in sorted(loop.judged.items())
    }
    several = len(set(found.values())) > 1
    for partition, text in list(found.items())[: _PARTITIONS if several else 1]:
        start = f"{lead}{f' in partition {partition}' if several else ''}".strip()
        if text:
            yield wrapped(f"{start}: {text}" if start else text)


def _ranked(loop: Loop, score: _Score) -> list[_Place]:
    """The few samples of the highest score; a score below 0 leaves a sample out."""
    ranked = [
        (float(value), partition, row)
        for partition, judged in loop.judged.items()
        for row, value in enumerate(score(loop.worker.rows[partition], judged))
        if value >= 0
    ]
    return [(partition, row) for _, partition, row in sorted(ranked, reverse=True)[:_EACH]]


def _core(rows: Any, judged: Any) -> Any:
    return np.where(judged.standing == CORE, rows["importance"], -1)


def _doubtful(rows: Any, judged: Any) -> Any:
    # subtle: evidence is a rank, so some sample always comes last; only those that the model
    # disagrees with are doubtful
    called = judged.reason == REASONS.index("contradictory")
    against = called | ((rows["margin"] < 0) & (rows["recent_margin"] < 0))
    return np.where(against, np.nan_to_num(judged.evidence, nan=-1), -1)


def _no_core(loop: Loop) -> str:
    needed = loop.settings.standing.core_visits
    visits = max(
        (int(rows["visits"].max(initial=0)) for rows in loop.worker.rows.values()), default=0
    )
    if visits < needed:
        return (
            f"none: core takes {needed} visits (MAINSTEM_STANDING__CORE_VISITS), and no sample "
            f"has more than {visits}"
        )
    if all(np.isnan(judged.p_value).all() for judged in loop.judged.values()):
        return "none: too few canaries tell which labels are sound"
    return "none: no sample is both sound and more important than most sound ones"


def _told(loop: Loop, places: list[_Place], none: str) -> Iterator[str]:
    if not places:
        yield wrapped(none)
    for number, place in enumerate(places):
        if number:
            yield ""
        for name, text in _in_words(loop, *place):
            yield wrapped(printable(text), first=f"  {name:10}", rest=" " * 12, most=_LINES)


def _in_words(loop: Loop, partition: int, row: int) -> Iterator[tuple[str, str]]:
    rows, judged = loop.worker.rows[partition], loop.judged[partition]
    context, item, label, source = words_of(loop.store, rows.id_of(row))
    if source == "labelled":
        yield "text", context
        if item:
            yield "pair", item
    else:
        yield "item", item
        yield "context", context or "none: no query, and no history of the shopper"
    # a purchase is a question answered yes, unless the item came back
    origin = _RETURNED if (source, label) == ("purchase", 0) else _SOURCES[source]
    yield "label", f"{loop.settings.objectives.label_names[label]}: {origin}"
    standing, reason = STANDINGS[judged.standing[row]], REASONS[judged.reason[row]]
    yield "standing", f"{standing}, {reason}: {MEANINGS[reason]}"
    visits, p_value = int(rows["visits"][row]), judged.p_value[row]
    evidence = (
        f"importance {rows['importance'][row]:.2f}, margin {rows['margin'][row]:+.2f} over "
        f"{visits} {'visit' if visits == 1 else 'visits'}, "
    )
    yield (
        "evidence",
        evidence + ("no p-value" if np.isnan(p_value) else f"p-value {points(p_value)}"),
    )
    yield "sample id", str(rows.id_of(row))
