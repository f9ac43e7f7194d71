"""What a person sees at the end of a replay: quality, sets, samples in words, the ledger, and what is missing in them."""

import math
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shlex import quote
from typing import Any, Final, TypeAlias

import numpy as np

from mainstem.loop import Loop
from mainstem.printable import printable
from mainstem.standing import CORE, REASONS, why_none_called
from mainstem.store.suggestions import IMPORTANT_ITEMS, IMPORTANT_TEXTS
from mainstem.store.telling import items_asked, refusals, trusted_met
from mainstem.store.texts import words_of
from mainstem.validate.lacking import counted, unmet_trust

__all__ = ["ending_of"]

_EACH: Final = 2  # samples shown in words
_PARTITIONS: Final = 3  # whose want of verdicts is told
_REASONS: Final = 3  # why lines were refused
_Score: TypeAlias = Callable[[Any, Any], Any]


def ending_of(loop: Loop, report: dict[str, Any], seconds: float) -> Iterator[str]:
    """The report of a loop that has run to its end, line by line, in words."""
    yield from _quality(report)
    yield from _sets(loop, report)
    yield from _planted(report)
    yield from _samples(loop, "core, most important", _core, _no_core(loop))
    yield from _samples(
        loop, "doubtful, most so", _doubtful, "none: the model disagrees with no label"
    )
    yield from _ledger(loop, report, seconds)


def _quality(report: dict[str, Any]) -> Iterator[str]:
    yield "\nAUC on the last part of the log, never trained on"
    versions = {one["version"]: one["auc_later"] for one in report["versions"]}
    if any(auc is not None for auc in versions.values()):
        yield f"  {', '.join(f'version {version} {_points(auc)}' for version, auc in versions.items())}"
    else:
        yield f"  none: {_why_no_auc(report['later'])}"
    plain = {
        name.replace("_", " "): auc for name, auc in report["baselines"].items() if auc is not None
    }
    if plain:
        yield f"  without a model: {', '.join(f'{name} {_points(auc)}' for name, auc in plain.items())}"


def _why_no_auc(later: dict[str, Any]) -> str:
    if not later["samples"]:
        return "no sample is of that part (MAINSTEM_LEARNING__LATER_SHARE says how large it is)"
    labels = ", ".join(later["labels"])
    return f"its {later['samples']:,} samples are all {labels}, and two labels are needed to tell one from another"


def _sets(loop: Loop, report: dict[str, Any]) -> Iterator[str]:
    yield f"\nsets  {', '.join(f'{name} {count:,}' for name, count in report['sets'].items())}"
    if not report["sets"]["contradictory"]:
        why = {
            partition: why_none_called(loop.worker.rows[partition], judged, loop.settings)
            for partition, judged in sorted(loop.judged.items())
        }
        several = len(set(why.values())) > 1
        for partition, reason in list(why.items())[: _PARTITIONS if several else 1]:
            yield f"  nothing is called contradictory{f' in partition {partition}' if several else ''}: {reason}"
    named, met = loop.trust.named, trusted_met(loop.store)
    if absent := next((str(sample_id) for sample_id in named if sample_id not in met), ""):
        yield f"  {unmet_trust(len(met & named.keys()), len(named), absent, loop.surveyed.example)}"


def _planted(report: dict[str, Any]) -> Iterator[str]:
    if "planted" not in report:
        return
    planted = report["planted"]
    rank = (
        "cannot rank them"
        if planted["auroc"] is None
        else f"ranks them at AUROC {_points(planted['auroc'])}"
    )
    yield (
        f"\nplanted errors  {planted['n']:,} labels turned wrong; the evidence {rank}; "
        f"{planted['called']:,} samples called contradictory, {planted['false']:,} of them sound"
    )


def _samples(loop: Loop, title: str, score: _Score, none: str) -> Iterator[str]:
    """Two samples with their evidence, those of the highest score first; a score below 0 is for none of them."""
    yield f"\n{title}"
    ranked = [
        (float(value), partition, row)
        for partition, judged in loop.judged.items()
        for row, value in enumerate(score(loop.worker.rows[partition], judged))
        if value >= 0
    ]
    if not ranked:
        yield f"  {none}"
    for _, partition, row in sorted(ranked, reverse=True)[:_EACH]:
        sample_id, words, evidence = _in_words(loop, partition, row)
        yield f"  {words}\n    {evidence}\n    {_program()} history {sample_id} --home {quote(_short(loop.home))}"


def _core(rows: Any, judged: Any) -> Any:
    return np.where(judged.standing == CORE, rows["importance"], -1)


def _doubtful(rows: Any, judged: Any) -> Any:
    """Evidence is a rank, so somebody is always last: doubtful are only those with whose label the model disagrees."""
    called = judged.reason == REASONS.index("contradictory")
    against = called | ((rows["margin"] < 0) & (rows["recent_margin"] < 0))
    return np.where(against, np.nan_to_num(judged.evidence, nan=-1), -1)


def _no_core(loop: Loop) -> str:
    needed = loop.settings.standing.core_visits
    visits = max(
        (int(rows["visits"].max(initial=0)) for rows in loop.worker.rows.values()), default=0
    )
    if visits < needed:
        return f"none: it takes {needed} visits (MAINSTEM_STANDING__CORE_VISITS), and no sample has more than {visits}"
    return "none: no sample holds against canaries enough, with an importance above most"


def _in_words(loop: Loop, partition: int, row: int) -> tuple[str, str, str]:
    rows, judged = loop.worker.rows[partition], loop.judged[partition]
    sample_id = str(rows.id_of(row))
    context, item, label, source = words_of(loop.store, rows.id_of(row))
    texts = (
        f"{item!r} after {context!r}"
        if source != "labelled"
        else f"{context!r}" + (f" and {item!r}" if item else "")
    )
    words = f"{loop.settings.objectives.class_names[label]} ({source}): {texts}"
    p_value = "none" if np.isnan(judged.p_value[row]) else f"{judged.p_value[row]:.3f}"
    evidence = (
        f"{rows['visits'][row]} visits, importance {rows['importance'][row]:.2f} of a canary's, "
        f"running margin {rows['margin'][row]:+.2f}, p-value {p_value}, reason {REASONS[judged.reason[row]]}"
    )
    return sample_id, words, evidence


def _ledger(loop: Loop, report: dict[str, Any], seconds: float) -> Iterator[str]:
    ledger, home = report["ledger"], report["home"]
    state = "in balance" if not ledger["balance"] else f"OUT BY {ledger['balance']:,}"
    yield f"\nledger {state}: {counted(ledger)}"
    for reason, path, times in refusals(loop.store, _REASONS):
        yield f"  refused {times:,} x {printable(reason)} at {printable(path)}"
    yield f"{report['samples']:,} samples in {seconds:.0f} s, hash {report['hash']}"
    if report["samples"]:
        yield f"\nthe history lies in {Path(home) / 'history'}; ask it:"
        yield f'  {_program()} sql "{_query(loop)}" --home {quote(home)}'


def _query(loop: Loop) -> str:
    """A question that this log has an answer to."""
    if items_asked(loop.store):
        return IMPORTANT_ITEMS
    return IMPORTANT_TEXTS


def _program() -> str:
    """What to type for `mainstem` here: its path, where it is not among the shell's commands."""
    return "mainstem" if shutil.which("mainstem") else sys.argv[0]


def _points(value: float | None) -> str:
    """A figure between 0 and 1, without its leading zero."""
    if value is None:
        return "not known"
    return (
        f"{value:.3f}".removeprefix("0")
        if math.isfinite(value)
        else "not known (its scores are not finite)"
    )


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
