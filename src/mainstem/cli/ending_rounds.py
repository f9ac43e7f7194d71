"""The end of a replay for people: a table of rounds, and versions beside plain rankings."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

from mainstem.cli.lines import aligned, points, wrapped
from mainstem.loop import Loop
from mainstem.store.versions import ROUNDS_TOLD, VERSIONS_TOLD, RoundTold, VersionTold

__all__ = ["counting", "quality", "rounds"]

_MOST: Final = 20  # rounds in the table, the newest ones
_HEADER: Final = ("round", "at sample", "drawn", "from", "before", "after", "promoted", "last part")
_MEANINGS: Final = {
    "popularity": "how often the item was bought before",
    "co_occurrence": "bought together with the shopper's history",
    "overlap": "words of the item in the shopper's history",
    "logistic": "logistic regression on the features of behaviour",
    "trees": "gradient-boosted trees on the features of behaviour",
    "words": "the newest version with its features at their mean",
}

_MODELS: Final = frozenset({"logistic", "trees", "words"})


def rounds(loop: Loop, report: dict[str, Any]) -> Iterator[str]:
    """Lines of a table with one row for each round, and what its columns mean."""
    yield "\nrounds"
    done = ROUNDS_TOLD.of(loop.store)
    if not done:
        every = f"{loop.settings.learning.round_every:,} samples (MAINSTEM_LEARNING__ROUND_EVERY)"
        yield wrapped(f"none: a round begins after every {every}; --no-learn runs none")
        return
    later = {one["version"]: _short(one["auc_later"]) for one in report["versions"]}
    first = ("-", "-", "-", "-", "-", "-", "version 0", later.get(0, "-"))
    shown = done[-_MOST:]
    yield from aligned(
        [_HEADER, *([first] if shown == done else []), *(_row(one, later) for one in shown)],
        "rrrlrrlr",
    )
    if len(shown) < len(done):
        yield f"  and {len(done) - len(shown):,} earlier rounds; `mainstem versions` lists all"
    yield from _legend(loop, report, shown)
    for one in shown:
        if not one.promoted:
            yield wrapped(f"round {one.version} promoted nothing: {one.reason}")
    yield from counting(VERSIONS_TOLD.of(loop.store))


def quality(report: dict[str, Any]) -> Iterator[str]:
    """Lines that compare the first and the newest version with plain rankings, best first."""
    later = report["later"]
    title = f"AUC on the last part of the log: {later['samples']:,} samples, never trained on"
    versions = {one["version"]: one["auc_later"] for one in report["versions"]}
    if all(auc is None for auc in versions.values()):
        yield "\nAUC on the last part of the log, never trained on"
        yield wrapped(f"none: {_why_none(later)}")
        return
    yield f"\n{title}"
    newest = max(versions)
    plain = {name: auc for name, auc in report["baselines"].items() if auc is not None}
    rows = [(auc, f"{_named(name)}{_how(name)}: {_MEANINGS[name]}") for name, auc in plain.items()]
    if 0 in versions:
        rows.append((versions[0], "version 0, before the first round"))
    if newest:
        rows.append((versions[newest], f"version {newest}, the newest"))
    for auc, what in sorted(rows, key=lambda row: -_rank(row[0])):
        yield wrapped(f"{points(auc)}  {what}", rest=" " * 8)
    if plain and _rank(versions[newest]) >= 0:
        yield _verdict(newest, versions[newest], plain)


def _row(one: RoundTold, later: dict[int, str]) -> tuple[str, ...]:
    return (
        str(one.version),
        f"{one.samples:,}",
        f"{one.drawn:,}",
        one.drawn_from,
        _short(one.auc_before),
        _short(one.auc_after) + ("*" if one.judged_on == "held_out" else ""),
        f"version {one.version}" if one.promoted else "no",
        later.get(one.version, "-"),
    )


def _legend(loop: Loop, report: dict[str, Any], shown: list[RoundTold]) -> Iterator[str]:
    learning = loop.settings.learning
    which = "a yes above a no" if loop.settings.objectives.answers_yes_or_no else "a class first"
    yield wrapped(
        f"AUC is how often a version ranks {which}; .5 is chance. `at sample` is how many samples "
        "had come when the round began; `drawn` and `from` say how many it trained on, and of "
        "what: all samples alike where evidence does not help, all by their weight while core "
        f"holds fewer than {learning.core_minimum:,}, else core and edge by importance. `before` "
        "and `after` are the AUC of the newest version and of its fine-tuned copy on the gate "
        "samples, which are kept to judge versions; `promoted` is the version that the copy "
        "became. `last part` is its AUC on the last "
        f"{report['later']['samples']:,} samples of the log, which no round trains on."
    )
    if any(one.judged_on == "held_out" for one in shown):
        yield wrapped(
            f"* on the newest samples, because the gate had fewer than {learning.gate_minimum:,}, "
            "or only one label"
        )


def counting(told: Sequence[VersionTold]) -> Iterator[str]:
    """Compare the newest version with counting, where its gate could."""
    promoted = [one for one in told if one.promoted]
    if not promoted or promoted[-1].auc is None or promoted[-1].beats_counting is None:
        return
    newest = promoted[-1]
    known = {"popularity": newest.popularity, "a regression on behaviour": newest.logistic}
    beside = [f"{name} {points(auc)}" for name, auc in known.items() if auc is not None]
    how = "better than both" if newest.beats_counting else "no better than counting"
    if newest.beats_counting and len(beside) == 1:
        how = "better"
    yield wrapped(
        f"On the samples that the gate judged it on, version {newest.version} has an AUC of "
        f"{points(newest.auc)}, {' and '.join(beside)}: it ranks {how}"
    )


def _verdict(newest: int, reached: float | None, plain: dict[str, float]) -> str:
    better = [_named(name) for name, auc in plain.items() if auc > (reached or 0)]
    if not better:
        return wrapped(f"Version {newest} ranks these at least as well as each plain ranking.")
    verb = "ranks" if len(better) == 1 else "rank"
    names = " and ".join(better).capitalize()
    return wrapped(f"{names} {verb} these better than version {newest} does.")


def _why_none(later: dict[str, Any]) -> str:
    if not later["samples"]:
        return (
            "no sample is in that part (MAINSTEM_LEARNING__LATER_SHARE says how large a share of "
            "the log it is)"
        )
    labels = ", ".join(later["labels"])
    return (
        f"its {later['samples']:,} samples are all labelled {labels}, and two labels are needed to "
        "rank one above the other"
    )


def _how(baseline: str) -> str:
    return "" if baseline in _MODELS else " (no model)"


def _named(baseline: str) -> str:
    return {"co_occurrence": "co-occurrence"}.get(baseline, baseline.replace("_", " "))


def _rank(auc: float | None) -> float:
    """The AUC itself, or -1 where there is none, so that it can be sorted."""
    return -1.0 if auc is None or not math.isfinite(auc) else auc


def _short(auc: float | None) -> str:
    return "-" if auc is None or not math.isfinite(auc) else points(auc)
