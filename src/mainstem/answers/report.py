"""What a replay came to, as one value: for machines as JSON, for people as the demo's screen."""

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
from mainstem.store.texts import bought_before
from mainstem.store.versions import ROUNDS_TOLD, promoted_versions
from mainstem.store.writes import columns_of

__all__ = ["report_of"]

_MOST_LATER: Final = 20_000  # later samples that versions are compared on


def report_of(loop: Loop, home: str, plant: Plant | None = None) -> dict[str, Any]:
    """The report of a loop that has run to its end.

    Returns:
        ledger (each count over all partitions, and `balance`), samples, hash, sets, set_hash, rounds, later, versions,
        baselines, home; with planted errors also planted.
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


def _sets(loop: Loop) -> dict[str, int]:
    sets = dict.fromkeys(("core", "edge", "contradictory", "spent"), 0)
    for judged in loop.judged.values():
        for name, count in judged.counts().items():
            sets[name] += count
    return sets


def _set_hash(loop: Loop) -> str:
    """Of sorted (sample_id, label_version, standing, reason) at the last judgement."""
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
    """Every version and the baselines on the last part of the log in time, against the true labels."""
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
        loop.settings.objectives.class_names,
    )
    return {
        "later": {"samples": len(later), "labels": [names[label] for label in sorted(set(labels))]},
        "versions": [{"version": version, "auc_later": found.auc} for version, found in measured],
        "baselines": baselines(answered, later, labels)
        if loop.settings.objectives.answers_yes_or_no
        else {},
    }
