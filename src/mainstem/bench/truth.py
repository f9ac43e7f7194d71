"""Compare a home with the truth of a simulated shop.

The comparison says how many of the samples called wrong are wrong, and how many wrong ones were
found. A sample is wrong where its label in the log is not what the shopper would have answered.
Trusted samples do not count: their labels were given, not judged.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import numpy as np

from mainstem.ids import fraction_of, uuid_of
from mainstem.learning.evaluation import auc
from mainstem.settings import Settings
from mainstem.simulate import TruthOfItem, TruthOfQuestion, best_auc, read_truth
from mainstem.store.judged import JudgedSample
from mainstem.trusted.files import Vouched

__all__ = ["SETS", "STANDINGS", "compare", "items_of", "share_of"]

SETS: Final = ("core", "edge", "contradictory", "spent")
STANDINGS: Final = ("core", "edge", "noise", "all")
"""The standings, and all samples, whose shares of wrong labels are told."""
_SOUND: Final = "none"


def compare(judged: Iterable[JudgedSample], truth: Path, settings: Settings) -> dict[str, Any]:
    """Compare judged samples with the truth.

    Args:
        judged: samples with their standings, as the history has them.
        truth: file that `mainstem simulate --truth` wrote.
        settings: settings that name the labels.

    Returns:
        samples: judged samples that are in the truth.
        unknown: judged samples that are not in it.
        wrong: samples whose label is not what the shopper would have answered.
        auroc: how well the evidence ranks wrong samples above sound ones; None unless there are
            both.
        auroc_within_label: the same among the samples of each label in the log, by its name. Where
            nearly all errors are in one label, `auroc` may only tell the labels apart.
        core_wrong, edge_wrong, noise_wrong, all_wrong: share of wrong labels among the samples of
            each standing, and among all; None if there are none.
        optimum: best AUC that any model can reach on the items of the truth; None if it has none.
        called: samples called contradictory.
        false_discoveries: share of the called samples that are sound; None if none was called.
        found: share of the wrong samples that were called; None if none is wrong.
        by_standing: a row for each of `STANDINGS`, with `samples`, `wrong` and `share_wrong`.
        by_kind, by_label: a row for each cause of wrong labels (`none` for sound samples) and for
            each label in the log, with `samples`, `wrong`, `mean_evidence`, and the number of
            samples in each of `SETS`.

    Raises:
        LogError: if the file is no truth.
    """
    known = {sample_id: item for sample_id, _, item in items_of(truth)}
    by_kind: dict[str, Counter[str]] = {}
    by_label: dict[str, Counter[str]] = {}
    by_standing: dict[str, Counter[str]] = {name: Counter() for name in STANDINGS}
    ranked: dict[str, tuple[list[int], list[float]]] = {}
    unknown = 0
    for sample_id, label, standing, reason, doubt in judged:
        item = known.get(sample_id)
        if item is None:
            unknown += 1
            continue
        is_wrong = label != item.label
        given = settings.objectives.label_names[label]
        kind = (item.cause or "unexplained") if is_wrong else _SOUND
        for group in (
            by_kind.setdefault(kind, Counter()),
            by_label.setdefault(given, Counter()),
        ):
            group.update(
                {"samples": 1, "wrong": is_wrong, reason if standing == "noise" else standing: 1}
            )
            group.update({"evidence": doubt} if doubt is not None else {})
        for name in (standing, "all"):
            by_standing[name].update({"samples": 1, "wrong": is_wrong})
        wrong, evidence = ranked.setdefault(given, ([], []))
        if doubt is not None:
            wrong.append(is_wrong)
            evidence.append(doubt)
    total = sum(by_label.values(), Counter())
    called, called_sound = total["contradictory"], by_kind.get(_SOUND, Counter())["contradictory"]
    return {
        "samples": total["samples"],
        "unknown": unknown,
        "wrong": total["wrong"],
        "auroc": _auroc(list(ranked.values())),
        "auroc_within_label": {label: _auroc([ranked[label]]) for label in sorted(ranked)},
        **{f"{name}_wrong": _share_wrong(group) for name, group in by_standing.items()},
        "optimum": best_auc(item.probability for item in known.values()) if known else None,
        "called": called,
        "false_discoveries": called_sound / called if called else None,
        "found": (called - called_sound) / total["wrong"] if total["wrong"] else None,
        "by_standing": [{"standing": name, **_wrong(group)} for name, group in by_standing.items()],
        "by_kind": [{"kind": kind, **_row(group)} for kind, group in sorted(by_kind.items())],
        "by_label": [{"label": label, **_row(group)} for label, group in sorted(by_label.items())],
    }


def share_of(truth: Path, share: float, settings: Settings) -> Iterator[Vouched]:
    """True labels of a share of the questions, as if somebody had asked the shoppers.

    Args:
        truth: file that `mainstem simulate --truth` wrote.
        share: share of the questions in [0, 1]; a hash of the seed chooses them.
        settings: settings that give the seed and name the labels.

    Yields:
        The true label of each item of the chosen questions.

    Raises:
        LogError: if the file is no truth.
    """
    for sample_id, question, item in items_of(truth):
        if fraction_of("trust", settings.run.seed, question) < share:
            label = settings.objectives.class_names[item.label]
            yield Vouched(
                sample_id=sample_id, question_id=uuid_of("question", question), label=label
            )


def items_of(truth: Path) -> Iterator[tuple[UUID, str, TruthOfItem]]:
    """Sample id, event id of the question, and truth of every item in a truth file."""
    for one in read_truth(truth):
        if isinstance(one, TruthOfQuestion):
            for item in one.items:
                yield uuid_of("sample", one.question, item.item_id), one.question, item


def _auroc(ranked: list[tuple[list[int], list[float]]]) -> float | None:
    wrong = [one for those, _ in ranked for one in those]
    evidence = [one for _, those in ranked for one in those]
    return auc(np.array(wrong, np.int64), np.array(evidence))


def _wrong(group: Counter[str]) -> dict[str, Any]:
    told = {name: group[name] for name in ("samples", "wrong")}
    return {**told, "share_wrong": _share_wrong(group)}


def _share_wrong(group: Counter[str]) -> float | None:
    return group["wrong"] / group["samples"] if group["samples"] else None


def _row(group: Counter[str]) -> dict[str, Any]:
    return {
        "samples": group["samples"],
        "wrong": group["wrong"],
        "mean_evidence": group["evidence"] / group["samples"],
        **{name: group[name] for name in SETS},
    }
