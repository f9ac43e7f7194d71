"""The learner: a round draws samples, fine-tunes a copy, evaluates it, and lets the gate decide."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.errors import NonFiniteError, OvertakenError
from mainstem.ids import number_of
from mainstem.join import PlacedSample
from mainstem.learning.before import Before, before_training
from mainstem.learning.comparing import beats_counting, compare
from mainstem.learning.draws.draw import Draw, Pool
from mainstem.learning.draws.inclusion import loss_weights
from mainstem.learning.draws.next_draw import next_draw
from mainstem.learning.evaluation.ranked import as_ranked
from mainstem.learning.figures import figures_of
from mainstem.learning.gate import decide
from mainstem.learning.keeping import keep_round
from mainstem.learning.rounds import Claim, Made, Position, Round
from mainstem.learning.training.fine_tuning import Training, fine_tune
from mainstem.learning.training.planned import planned_epochs
from mainstem.learning.training.precision import check_precision
from mainstem.learning.training.processes import check_processes
from mainstem.models import ActiveVersion
from mainstem.objectives.layout import Layout
from mainstem.process.stopwatch import SPENT
from mainstem.scoring.direction import direction_of
from mainstem.scoring.kinds import scales_of
from mainstem.scoring.reservoir import trusted_reservoir
from mainstem.scoring.schedule import newest
from mainstem.settings import Objectives, Settings
from mainstem.standing import CORE, EDGE, STANDINGS
from mainstem.store import Store, drawn_samples, samples_between
from mainstem.store.draws import Drawn, write_draw
from mainstem.store.rounds import useful_epochs
from mainstem.tracking import Tracker
from mainstem.versions import Versions

__all__ = ["Learner", "RoundPool"]


class RoundPool(Pool, Protocol):
    """Columns by name, each of shape (N,), with the sample ids of their rows."""

    def id_of(self, row: int) -> UUID:
        """The sample id in a row."""


class Learner:
    """Makes new versions from the history.

    Args:
        store: the history; samples are read from it, and draws, rounds, evaluations and versions
            are written to it.
        versions: place where promoted versions are saved.
        settings: settings for drawing, training, evaluation and the gate.
        tracker: shows the figures of each round that is kept; None shows none.

    Raises:
        SettingError: if the device cannot train in the precision, or with so many processes.
    """

    def __init__(
        self,
        store: Store,
        versions: Versions,
        settings: Settings,
        tracker: Tracker | None = None,
    ) -> None:
        check_precision(settings)
        check_processes(settings)
        self._store = store
        self._versions = versions
        self._settings = settings
        self._tracker = tracker

    def round(
        self,
        version: int,
        parent: int,
        active: ActiveVersion,
        pool: RoundPool,
        position: Position,
        claim: Claim | None = None,
    ) -> Round:
        """Run one round.

        Args:
            version: number of the version to make. A round that is not promoted uses it up too.
            parent: number of the current version.
            active: the current version.
            pool: all samples that have a visit.
            position: how far the input has come.
            claim: the claim to be the only learner. Once it no longer holds, nothing more is
                written; the draw may be written by then.

        Raises:
            OvertakenError: if another learner took over during the round.
            ProcessError: if a process of its training ended; nothing but the draw is written, and
                the same round may be begun again.
        """
        claim = claim or Claim()
        with SPENT.counting() as costs:
            before = self._before(active, position)
            heeds = isinstance(before, str) or before.heeds
            drawn = self._draw(version, parent, pool, position, heeds=heeds)
            samples = list(drawn_samples(self._store, version))
            importance = _column_of("importance", samples, pool, drawn)
            samples = self._weighed(samples, pool, drawn, heeds=heeds)
            if isinstance(before, str):
                made = Made.failed(before)
            elif not samples:
                kept = self._settings.learning.held_out
                reason = f"nothing could be drawn; learning.held_out keeps out the newest {kept:,}"
                made = Made.failed(reason)
            else:
                made = self._tried(version, active, samples, before, position, importance)
        if not claim.holds():
            msg = (
                f"another learner took over during round {version}; "
                "it begins the round again, and this one stops"
            )
            raise OvertakenError(msg)
        standing = pool["standing"][drawn.rows]
        done = Round(
            version=version,
            parent=parent,
            position=position,
            drawn=[one.sample_id for one in samples],
            drawn_core=int((standing == CORE).sum()),
            drawn_edge=int((standing == EDGE).sum()),
            cold=drawn.cold,
            made=made,
            active=self._ready(made),
            available=drawn.available,
            costs=costs,
        )
        keep_round(done, self._store, self._versions, claim.generation)
        if self._tracker:
            self._tracker.told(version, figures_of(done))
        return done

    def _before(self, active: ActiveVersion, position: Position) -> Before | str:
        """What is known before anything is trained, or why nothing can be."""
        held_out = self._held_out(position)
        try:
            return before_training(active, held_out, position, self._store, self._settings)
        except NonFiniteError as error:  # this ends the round, and is its reason
            return str(error)

    def _weighed(
        self, samples: Sequence[PlacedSample], pool: RoundPool, drawn: Draw, *, heeds: bool
    ) -> list[PlacedSample]:
        """Samples with the weights that they have in the loss."""
        learning = self._settings.learning
        right = np.array(_column_of("weight", samples, pool, drawn))
        chance = np.array(_by_sample(drawn.probability, samples, pool, drawn))
        weights = right ** (learning.evidence_weight if heeds else 0.0)
        weights = weights * loss_weights(chance, learning.inclusion_weight)
        return [
            one._replace(weight=one.weight * weight)
            for one, weight in zip(samples, weights.tolist(), strict=True)
        ]

    def _tried(
        self,
        version: int,
        active: ActiveVersion,
        samples: Sequence[PlacedSample],
        before: Before,
        position: Position,
        importance: Sequence[float],
    ) -> Made:
        """The new version, or why there is none."""
        try:
            return self._made(version, active, samples, before, position, importance)
        except NonFiniteError as error:  # this ends the round, and is its reason
            return Made.failed(str(error))

    def _ready(self, made: Made) -> ActiveVersion | None:
        """The new version ready to score, if it is promoted."""
        if not (made.training and made.decision.promoted):
            return None
        encoder, sketch = made.training.encoder, self._settings.responses.sketch
        return ActiveVersion(encoder, self._settings, direction=made.direction, sketch=sketch)

    def _made(
        self,
        version: int,
        active: ActiveVersion,
        samples: Sequence[PlacedSample],
        before: Before,
        position: Position,
        importance: Sequence[float],
    ) -> Made:
        """Fine-tune a copy, evaluate it and its parent, and decide."""
        seed = number_of("train", self._settings.run.seed, version)
        settings = self._planned(version)
        held_out, objectives = before.held_out, self._settings.objectives
        training = fine_tune(active.encoder, samples, held_out, settings, seed, importance)
        child = ActiveVersion(training.encoder, self._settings)
        known = _known_logits(training, held_out, objectives)
        drawn = as_ranked(samples, objectives)
        found = compare(before.logits, child, drawn, before.judged, known)
        measured = found.measured
        decision = decide(measured["gate"], measured["held_out"], self._settings.learning)
        scale: float | None = None
        kinds: Mapping[str, Any] = {}
        direction: Mapping[str, Any] = {}
        if decision.promoted:
            canaries = trusted_reservoir(self._store, self._settings, "canary", position.ends)
            asked = self._settings.responses.kinds
            scale, kinds = scales_of(child, [*canaries, *held_out], asked)
            direction = direction_of(child, self._store, position.ends)
        return Made(
            decision=decision,
            training=training,
            comparison=found,
            beats_counting=beats_counting(decision, found.counted),
            scale=scale,
            kinds=kinds,
            direction=direction,
            errors=before.errors,
        )

    def _planned(self, version: int) -> Settings:
        """The settings with as many passes as a round plans."""
        learning = self._settings.learning
        if not learning.adaptive_epochs:
            return self._settings
        planned = planned_epochs(useful_epochs(self._store, version), learning.epochs)
        return self._settings.but({"learning.epochs": planned})

    def _draw(
        self, version: int, parent: int, pool: RoundPool, position: Position, *, heeds: bool
    ) -> Draw:
        drawn = next_draw(
            self._store,
            pool,
            self._settings,
            version=version,
            parent=parent,
            ends=position.ends,
            later_from=position.later_from,
            heeds=heeds,
        )
        written = Drawn(
            sample_id=[pool.id_of(row) for row in drawn.rows],
            label_version=pool["label_version"][drawn.rows].tolist(),
            standing=[STANDINGS[one] for one in pool["standing"][drawn.rows]],
            probability=drawn.probability,
        )
        write_draw(self._store, version, written)
        return drawn

    def _held_out(self, position: Position) -> list[PlacedSample]:
        found = samples_between(self._store, self._newest(position))
        return [sample for sample in found if sample.part in {"stream", "canary"}]

    def _newest(self, position: Position) -> dict[int, tuple[int, int]]:
        """Positions of the samples that a round holds out, by partition."""
        return newest(position.ends, self._settings.learning.held_out, len(position.ends))


def _known_logits(
    training: Training, held_out: Sequence[PlacedSample], objectives: Objectives
) -> dict[UUID, NDArray[np.float64]]:
    """Logits of the new version for the held-out samples, which the training computed."""
    if training.held_out is None:
        return {}
    logits = Layout.of(objectives).ranked(training.held_out)
    return {one.sample_id: row for one, row in zip(held_out, logits, strict=True)}


def _column_of(
    name: str, samples: Sequence[PlacedSample], pool: RoundPool, drawn: Draw
) -> list[float]:
    """The importance or the weight with which each sample was drawn; see `_by_sample`."""
    return _by_sample(pool[name][drawn.rows], samples, pool, drawn)


def _by_sample(
    values: NDArray[Any], samples: Sequence[PlacedSample], pool: RoundPool, drawn: Draw
) -> list[float]:
    """Values of the drawn rows in the order of their samples.

    A value is NaN for a sample that another learner drew, which took over in the meantime; this
    round then ends before anything comes of it.
    """
    known = zip(drawn.rows.tolist(), values.tolist(), strict=True)
    by_id = {pool.id_of(row): value for row, value in known}
    return [by_id.get(sample.sample_id, math.nan) for sample in samples]
