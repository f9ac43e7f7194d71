"""The report of a replay, as one value: printed as JSON, or told in words by the screen."""

import hashlib
from typing import Any, Final

from mainstem.answers.fingerprint import content_hash, content_hash_0_1
from mainstem.bench.planting import Plant
from mainstem.join.ledger import imbalance, totals
from mainstem.learning.evaluation import Evaluation, evaluate
from mainstem.learning.evaluation.baselines import baselines
from mainstem.loop import Loop
from mainstem.models import ActiveVersion
from mainstem.standing import REASONS, STANDINGS
from mainstem.store import samples_since
from mainstem.store.telling import refusals
from mainstem.store.texts import bought_before
from mainstem.store.versions import ROUNDS_TOLD, promoted_versions
from mainstem.store.writes import columns_of
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
        hash, hash_0_1, set_hash: fingerprints of samples, labels and ledger (over all fields, and
            over those of 0.1), and of standings.
        sets: how many samples are core, edge, contradictory and spent.
        rounds: what each round drew, its quality before and after, and whether it promoted.
        later: how many samples the last part of the log has, and their labels.
        versions, baselines: AUC of each promoted version and of each plain ranking on that part.
        home: as given.
        planted: how well planted errors were found; only with `plant`.
    """
    ledger = totals(loop.ledger.values())
    report: dict[str, Any] = {
        "ledger": {**ledger, "balance": sum(imbalance(row) for row in loop.ledger.values())},
        "samples": loop.samples,
        "hash": content_hash(loop.store, ledger),
        "hash_0_1": content_hash_0_1(loop.store, ledger),
        "sets": _sets(loop),
        "set_hash": _set_hash(loop),
        "rounds": _rounds(loop),
        **_later(loop, plant),
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
        }
        for one in ROUNDS_TOLD.of(loop.store)
    ]


def _later(loop: Loop, plant: Plant | None) -> dict[str, Any]:
    """AUC of every version and baseline on the last part of the log, by the true labels."""
    later = samples_since(loop.store, loop.later_from, _MOST_LATER)
    labels = [plant.truth(sample) if plant else sample.label for sample in later]
    measured: list[tuple[int, Evaluation]] = []
    for version in promoted_versions(loop.store):
        active = ActiveVersion(loop.versions.load(version), loop.settings)
        measured.append((version, evaluate(active, later, labels)))
    rows = [
        {
            "version": version,
            "round": 0,
            "slice": "later",
            "samples": found.samples,
            "auc": found.auc,
            "log_loss": found.log_loss,
        }
        for version, found in measured
    ]
    loop.store.write("evaluations", columns_of(rows))
    answered, names = (
        bought_before(loop.store, loop.later_from),
        loop.settings.objectives.label_names,
    )
    return {
        "later": {"samples": len(later), "labels": [names[label] for label in sorted(set(labels))]},
        "versions": [{"version": version, "auc_later": found.auc} for version, found in measured],
        "baselines": baselines(answered, later, labels)
        if loop.settings.objectives.answers_yes_or_no
        else {},
    }
