"""Keeps a round: writes its evaluations, costs and row, the files of a version, and its row.

The row of the version comes last; with it the round is done. Everything can be written twice, so a
learner that is killed in between does the round again.
"""

from collections.abc import Iterator
from dataclasses import asdict

from mainstem.learning.evaluation.counting import Counted
from mainstem.learning.rounds import Round
from mainstem.scoring.costs import kept_costs
from mainstem.store import Store
from mainstem.store.costs import ROUND_KINDS, write_costs
from mainstem.store.evaluations import KeptEvaluation, write_evaluations
from mainstem.store.rounds import KeptRound, write_round
from mainstem.store.versions import KeptVersion, write_version
from mainstem.versions import Versions

__all__ = ["keep_round", "row_of"]


def keep_round(done: Round, store: Store, versions: Versions, generation: int) -> None:
    """Write a round: its evaluations, costs, row and version; save the version if promoted.

    Args:
        done: the round.
        store: the history, which gets the rows.
        versions: place where versions are saved.
        generation: generation of the learner, for the manifest.
    """
    write_evaluations(store, list(_evaluations(done)))
    write_costs(store, kept_costs(done.version, done.costs, ROUND_KINDS))
    write_round(store, row_of(done))
    digest = _save(done, versions, generation)
    kept = KeptVersion(
        version=done.version,
        parent=done.parent,
        event_time=done.position.event_time,
        promoted=int(done.decision.promoted),
        reason=done.decision.reason,
        model="",
        digest=digest,
    )
    write_version(store, kept)


def _save(done: Round, versions: Versions, generation: int) -> str:
    """Save the files of the version if it is promoted; return the digest of its weights or ""."""
    if not (done.made.training and done.decision.promoted):
        return ""
    saved = versions.save(
        done.made.training.encoder,
        version=done.version,
        parent=done.parent,
        event_time=done.position.event_time,
        reason=done.decision.reason,
        scale=done.scale,
        kinds=done.made.kinds,
        generation=generation,
        direction=done.made.direction,
        calibration=done.made.comparison.calibration if done.made.comparison else None,
        beats_counting=done.made.beats_counting,
    )
    return saved.files["weights.safetensors"]


def row_of(done: Round) -> KeptRound:
    """The row of a round in table `rounds`."""
    training, decision, ends = done.made.training, done.decision, done.position.ends
    errors = done.made.errors
    return KeptRound(
        version=done.version,
        parent=done.parent,
        event_time=done.position.event_time,
        offsets=[ends[partition] for partition in sorted(ends)],
        drawn=len(done.drawn),
        drawn_core=done.drawn_core,
        drawn_edge=done.drawn_edge,
        cold=int(done.cold),
        steps=training.steps if training else 0,
        epochs=training.epochs if training else 0,
        judged_on=decision.judged_on,
        auc_before=decision.before.auc,
        auc_after=decision.after.auc,
        log_loss_before=decision.before.log_loss,
        log_loss_after=decision.after.log_loss,
        promoted=int(decision.promoted),
        reason=decision.reason,
        harder=errors.harder if errors else None,
        weighed=int(errors is None or errors.weights_help),
    )


def _evaluations(done: Round) -> Iterator[KeptEvaluation]:
    comparison = done.made.comparison
    if comparison is None:
        return
    for name, pair in comparison.measured.items():
        beside = asdict(comparison.counted.get(name, Counted()))
        for of, evaluation in zip((done.parent, done.version), pair, strict=True):
            yield KeptEvaluation(of, done.version, name, **asdict(evaluation), **beside)
