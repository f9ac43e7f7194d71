"""The report of a replay, as one value: printed as JSON, or told in words by the screen."""

import hashlib
from dataclasses import asdict
from typing import Any, Final

from mainstem.answers.fingerprint import content_hash, content_hash_0_1
from mainstem.answers.rivals import rivals
from mainstem.bench.planting import Plant
from mainstem.join.ledger import imbalance, totals
from mainstem.learning.evaluation import Evaluation
from mainstem.learning.evaluation.baselines import baselines
from mainstem.learning.evaluation.evaluation import logits_of
from mainstem.learning.evaluation.ranked import as_ranked
from mainstem.learning.judged import Judged
from mainstem.loop import Loop
from mainstem.models import ActiveVersion
from mainstem.process.stopwatch import SPENT, Cost
from mainstem.standing import REASONS, STANDINGS
from mainstem.store import samples_since
from mainstem.store.costs import COSTS_OF_VERSIONS, LATER, KeptCost, write_costs
from mainstem.store.counts import counts_hash, uncounted
from mainstem.store.evaluations import KeptEvaluation, write_evaluations
from mainstem.store.telling import refusals
from mainstem.store.texts import bought_before
from mainstem.store.versions import ROUNDS_TOLD, VERSIONS_TOLD, promoted_versions
from mainstem.validate.lacking import why_no_samples

__all__ = ["report_of", "why_empty"]

_MOST_LATER: Final = 20_000  # samples of the last part of the log that versions are compared on


def report_of(loop: Loop, home: str, plant: Plant | None = None) -> dict[str, Any]:
    """The report of a loop that has run to its end.

    Args:
        loop: the loop, whose history is still open. The evaluations of its versions are written.
        home: name of the home, as the user gave it.
        plant: the errors that were planted; None if none were.

    Returns:
        ledger: each count added up over all partitions, and `balance`, which is 0 if it balances.
        samples: how many samples were made, each label version counted.
        hash, hash_0_1, counts_hash, set_hash: fingerprints of samples, labels and ledger (over all
            fields, and over those of 0.1), of the hourly counts, and of standings.
        uncounted: events that no count includes, because their hour was closed when they came.
        sets: how many samples are core, edge, contradictory and spent.
        rounds: what each round drew, its quality before and after, and whether it promoted.
        costs: samples, tokens, forward-equivalents and seconds of each version, by kind of pass.
        later: how many samples the last part of the log has, and their labels.
        versions: measures of each promoted version on that part, and whether the gate found it
            better than counting.
        baselines: AUC of each plain ranking on that part, and of models on the same features.
        against_trees: AUC of the newest version less that of the trees, with an interval.
        home: as given.
        planted: how well planted errors were found; only with `plant`.
    """
    ledger = totals(loop.ledger.values())
    report: dict[str, Any] = {
        "ledger": {**ledger, "balance": sum(imbalance(row) for row in loop.ledger.values())},
        "samples": loop.samples,
        "hash": content_hash(loop.store, ledger),
        "hash_0_1": content_hash_0_1(loop.store, ledger),
        "counts_hash": counts_hash(loop.store),
        "uncounted": uncounted(loop.store),
        "sets": _sets(loop),
        "set_hash": _set_hash(loop),
        "rounds": _rounds(loop),
        **_later(loop, plant),
        "costs": [one._asdict() for one in COSTS_OF_VERSIONS.of(loop.store)],
        "home": home,
    }
    if plant:
        report["planted"] = plant.found(
            [(loop.worker.rows[p], judged) for p, judged in sorted(loop.judged.items())]
        )
    return report


def why_empty(loop: Loop, report: dict[str, Any]) -> str:
    """Why a replay made no sample, and what to do; empty if it made some.

    Args:
        loop: a loop that has run to its end.
        report: its report.
    """
    if loop.samples:
        return ""
    return why_no_samples(report["ledger"], refusals(loop.store, 5), loop.settings.join.questions)


def _sets(loop: Loop) -> dict[str, int]:
    sets = dict.fromkeys(("core", "edge", "contradictory", "spent"), 0)
    for judged in loop.judged.values():
        for name, count in judged.counts().items():
            sets[name] += count
    return sets


def _set_hash(loop: Loop) -> str:
    """A hash of each (sample_id, label_version, standing, reason) at the last judgement, sorted."""
    told: list[str] = []
    for rows in loop.worker.rows.values():
        each = zip(rows["label_version"], rows["standing"], rows["reason"], strict=True)
        told += [
            f"{rows.id_of(row)} {label_version} {STANDINGS[standing]} {REASONS[reason]}\n"
            for row, (label_version, standing, reason) in enumerate(each)
        ]
    return hashlib.blake2b("".join(sorted(told)).encode(), digest_size=16).hexdigest()


def _rounds(loop: Loop) -> list[dict[str, Any]]:
    return [
        {
            "version": one.version,
            "drawn": one.drawn,
            "before": {"auc": one.auc_before, "log_loss": one.log_loss_before},
            "after": {"auc": one.auc_after, "log_loss": one.log_loss_after},
            "promoted": bool(one.promoted),
            "reason": one.reason,
            "weighed": bool(one.weighed),
        }
        for one in ROUNDS_TOLD.of(loop.store)
    ]


@SPENT.on("evaluate")
def _later(loop: Loop, plant: Plant | None) -> dict[str, Any]:
    """Measures of every version and baseline on the last part of the log, by the true labels."""
    found = samples_since(loop.store, loop.later_from, _MOST_LATER)
    samples = as_ranked(found, loop.settings.objectives)
    labels = [plant.truth(sample) if plant else sample.label for sample in samples]
    later = Judged.of("later", samples, loop.store, labels)
    promoted = promoted_versions(loop.store)
    measured = {version: _measured(loop, version, later) for version in promoted}
    rows = [
        KeptEvaluation(version, 0, name, **asdict(found), popularity=None, logistic=None)
        for version, (each, _) in measured.items()
        for name, found in each.items()
    ]
    write_evaluations(loop.store, rows)
    write_costs(
        loop.store, [KeptCost(version, LATER, *cost) for version, (_, cost) in measured.items()]
    )
    names = loop.settings.objectives.ranked_names
    beats = {one.version: one.beats_counting for one in VERSIONS_TOLD.of(loop.store)}
    return {
        "later": {
            "samples": len(samples),
            "labels": [names[label] for label in sorted(set(labels))],
        },
        "versions": [
            _version_told(version, each[later.name], beats.get(version))
            for version, (each, _) in measured.items()
        ],
        **_beside(loop, later, promoted),
    }


def _beside(loop: Loop, later: Judged, promoted: list[int]) -> dict[str, Any]:
    """Plain rankings and models on the features, where the labels are yes or no."""
    if not loop.settings.objectives.answers_yes_or_no:
        return {"baselines": {}, "against_trees": None}
    answered = bought_before(loop.store, loop.later_from)
    plain = baselines(answered, later.samples, later.labels.tolist())
    if not later.samples:
        return {"baselines": plain, "against_trees": None}
    found = rivals(loop, max(promoted), later)
    return found | {"baselines": plain | found["baselines"]}


def _measured(loop: Loop, version: int, later: Judged) -> tuple[dict[str, Evaluation], Cost]:
    """Measures of a version on each slice, as a ranking, position left out; and what they cost."""
    active = ActiveVersion(loop.versions.load(version), loop.settings)
    with SPENT.counting() as counted, SPENT.on("evaluate"):
        logits = logits_of(active, later.samples, examined=False)
    calibration = loop.versions.manifest(version).calibration
    return later.measured(logits, calibration), counted["evaluate"]


def _version_told(version: int, found: Evaluation, beats_counting: int | None) -> dict[str, Any]:
    return {
        "version": version,
        "auc_later": found.auc,
        "log_loss": found.log_loss,
        "calibration_error": found.calibration_error,
        "ndcg_10": found.ndcg_10,
        "mrr": found.mrr,
        "beats_counting": None if beats_counting is None else bool(beats_counting),
    }
