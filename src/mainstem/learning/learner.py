"""The learner: a round draws, fine-tunes a copy of the current version, evaluates it, and lets the gate decide."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol
from uuid import UUID

import numpy as np
from torch import Tensor

from mainstem.errors import NonFiniteError, OvertakenError
from mainstem.ids import number_of
from mainstem.join import PlacedSample
from mainstem.learning.draws.draw import Draw, Pool, draw
from mainstem.learning.evaluation.evaluation import Evaluation, evaluate
from mainstem.learning.gate import Decision, decide
from mainstem.learning.training.fine_tuning import Training, fine_tune
from mainstem.models import Scorer
from mainstem.scoring.direction import direction_of
from mainstem.scoring.scale import scale_of
from mainstem.settings import Settings
from mainstem.standing import STANDINGS
from mainstem.store import Store, drawn_samples, samples_between, trusted_samples
from mainstem.store.writes import columns_of
from mainstem.versions import Versions

__all__ = ["Claim", "Learner", "Position", "Round", "RoundPool"]

_NOTHING: Final = Evaluation(0, None, None)


class RoundPool(Pool, Protocol):
    """Columns by name, each of shape (N,), and the sample ids of their rows."""

    def id_of(self, row: int) -> UUID:
        """The sample id in a row."""


@dataclass(frozen=True)
class Position:
    """Where in the input a round stands.

    Attributes:
        ends: next sample offset of each partition.
        event_time: how far event time has come, in milliseconds.
        later_from: event time from which on nothing is trained on.
    """

    ends: Mapping[int, int]
    event_time: int
    later_from: int


@dataclass(frozen=True)
class Round:
    """What one round did: the samples it drew, and the child, ready for the stream, where it was promoted (else None)."""

    version: int
    parent: int
    drawn: list[UUID]
    cold: bool
    decision: Decision
    scorer: Scorer | None
    scale: float | None


@dataclass(frozen=True)
class Claim:
    """That this learner is the one: its generation in the group, and a look whether it still is."""

    generation: int = 0
    holds: Callable[[], bool] = lambda: True


@dataclass(frozen=True)
class _Made:
    """What a round came to; without a training where a number in it was not finite."""

    training: Training | None
    measured: Mapping[str, tuple[Evaluation, Evaluation]]
    decision: Decision
    scale: float | None
    direction: Mapping[str, Tensor]


class Learner:
    """Makes new versions out of the history.

    Args:
        store: read for samples, written with draws, rounds, evaluations and versions.
        versions: where promoted versions are saved.
        settings: all of learning.
    """

    def __init__(self, store: Store, versions: Versions, settings: Settings) -> None:
        self._store = store
        self._versions = versions
        self._settings = settings

    def round(
        self, version: int, parent: int, scorer: Scorer, pool: RoundPool, position: Position, claim: Claim | None = None
    ) -> Round:
        """Run one round.

        Args:
            version: number of the version to make; a round that is not promoted uses its number up.
            parent, scorer: the current version and its number.
            pool: all samples that have a response.
            position: how far the input has come.
            claim: that this learner is the one; nothing but the draw is written once it no longer holds.

        Raises:
            OvertakenError: if another learner took over meanwhile.
        """
        claim = claim or Claim()
        drawn = self._draw(version, pool, position)
        samples = list(drawn_samples(self._store, version))
        held_out = self._held_out(position)
        try:
            made = self._made(version, scorer, samples, held_out, position)
        except NonFiniteError as error:  # the round ends here, and that is its reason
            made = _Made(None, {}, Decision(False, "", _NOTHING, _NOTHING, str(error)), None, {})
        if not claim.holds():
            msg = f"another learner took over while round {version} went on; it begins the round again"
            raise OvertakenError(msg)
        from_core = int((pool["standing"][drawn.rows] == STANDINGS.index("core")).sum())
        self._keep(version, parent, drawn, from_core, made, position, claim)
        ids = [one.sample_id for one in samples]
        at_work = None
        if made.training and made.decision.promoted:
            encoder, direction = made.training.encoder, made.direction
            at_work = Scorer(encoder, self._settings, direction=direction, sketch=self._settings.responses.sketch)
        return Round(version, parent, ids, drawn.cold, made.decision, at_work, made.scale)

    def _made(
        self,
        version: int,
        scorer: Scorer,
        samples: Sequence[PlacedSample],
        held_out: Sequence[PlacedSample],
        position: Position,
    ) -> "_Made":
        """Fine-tune a copy, evaluate it beside its parent, and decide."""
        seed = number_of("train", self._settings.run.seed, version)
        training = fine_tune(scorer.encoder, samples, held_out, self._settings, seed)
        child = Scorer(training.encoder, self._settings)
        gate = trusted_samples(self._store, "gate", position.ends)
        measured = {
            name: (evaluate(scorer, some), evaluate(child, some)) for name, some in (("gate", gate), ("held_out", held_out))
        }
        decision = decide(measured["gate"], measured["held_out"], self._settings)
        scale = scale_of(child, [*trusted_samples(self._store, "canary", position.ends), *held_out])
        direction = direction_of(child, self._store, position.ends) if decision.promoted else {}
        return _Made(training, measured, decision, scale, direction)

    def _draw(self, version: int, pool: RoundPool, position: Position) -> Draw:
        held_out = self._settings.learning.held_out // len(position.ends)
        ends = np.array([position.ends[partition] - held_out for partition in sorted(position.ends)])
        candidates = (pool["offset"] < ends[pool["partition"]]) & (pool["event_time"] < position.later_from)
        random = np.random.default_rng(number_of("draw", self._settings.run.seed, version))
        drawn = draw(pool, candidates, self._settings, random)
        self._store.execute("DELETE FROM draws WHERE version = {version:UInt32}", version=version)  # of a killed round
        self._store.write(
            "draws",
            {
                "version": [version] * len(drawn.rows),
                "sample_id": [pool.id_of(row) for row in drawn.rows],
                "label_version": [int(pool["label_version"][row]) for row in drawn.rows],
                "standing": [STANDINGS[pool["standing"][row]] for row in drawn.rows],
                "probability": drawn.probability,
            },
        )
        return drawn

    def _held_out(self, position: Position) -> list[PlacedSample]:
        count = self._settings.learning.held_out // len(position.ends)
        newest = samples_between(self._store, {p: (end - count, end) for p, end in position.ends.items()})
        return [sample for sample in newest if sample.part in {"stream", "canary"}]

    def _keep(
        self,
        version: int,
        parent: int,
        drawn: Draw,
        from_core: int,
        made: "_Made",
        position: Position,
        claim: Claim,
    ) -> None:
        """Evaluations and the round, then the version's files, then its row: each can be written again."""
        training, measured, decision = made.training, made.measured, made.decision
        self._store.write("evaluations", columns_of(_evaluation_rows(version, parent, measured)))
        row = {
            "version": version,
            "parent": parent,
            "event_time": position.event_time,
            "offsets": [position.ends[partition] for partition in sorted(position.ends)],
            "drawn": len(drawn.rows),
            "drawn_core": from_core,
            "drawn_edge": len(drawn.rows) - from_core,
            "cold": int(drawn.cold),
            "steps": training.steps if training else 0,
            "epochs": training.epochs if training else 0,
            "judged_on": decision.judged_on,
            "auc_before": decision.before.auc,
            "auc_after": decision.after.auc,
            "log_loss_before": decision.before.log_loss,
            "log_loss_after": decision.after.log_loss,
            "promoted": int(decision.promoted),
            "reason": decision.reason,
        }
        self._store.write("rounds", columns_of([row]))
        digest = ""
        if training and decision.promoted:
            saved = self._versions.save(
                training.encoder,
                version=version,
                parent=parent,
                event_time=position.event_time,
                reason=decision.reason,
                scale=made.scale,
                generation=claim.generation,
                direction=made.direction,
            )
            digest = saved.files["weights.safetensors"]
        self._store.write(
            "versions",
            columns_of(
                [
                    {
                        "version": version,
                        "parent": parent,
                        "event_time": position.event_time,
                        "promoted": int(decision.promoted),
                        "reason": decision.reason,
                        "model": "",
                        "digest": digest,
                    }
                ]
            ),
        )


def _evaluation_rows(
    version: int, parent: int, measured: Mapping[str, tuple[Evaluation, Evaluation]]
) -> list[dict[str, Any]]:
    return [
        {"version": of, "round": version, "slice": name, **asdict(evaluation)}
        for name, pair in measured.items()
        for of, evaluation in zip((parent, version), pair, strict=True)
    ]
