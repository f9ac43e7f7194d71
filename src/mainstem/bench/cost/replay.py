"""Runs the loop over joined samples under one policy.

The rounds, the gate and the scoring are the product's own. Where a policy scores nothing, no sample
is visited or judged, and a round draws uniformly from all that came before it. Where a policy
chooses by itself, the learner draws all that it chose.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.cost.chooser import Chooser
from mainstem.bench.cost.found import Coverage
from mainstem.bench.cost.material import Material
from mainstem.bench.cost.policies import Policy
from mainstem.estimators import estimator
from mainstem.join import PlacedSample
from mainstem.learning import Learner, Position
from mainstem.learning.draws import RowsPool
from mainstem.learning.first import first_encoder, make_first_version
from mainstem.learning.learner import RoundPool
from mainstem.models import ActiveVersion
from mainstem.scoring import Schedule, ScoringWorker
from mainstem.scoring.schedule import NEVER, Reached
from mainstem.settings import Settings
from mainstem.standing import EDGE, REASONS, Judgement
from mainstem.store import Store
from mainstem.store.features import write_features
from mainstem.store.writes import sample_columns, trusted_columns
from mainstem.versions import Versions

if TYPE_CHECKING:
    from mainstem.importance import Rows
    from mainstem.models import CrossEncoder

__all__ = ["Replay", "UnscoredPool"]

_PARTITION: Final = 0
_CONTRADICTORY: Final = REASONS.index("contradictory")
_LEARNT: Final = frozenset({"stream", "canary"})  # parts that rounds may train on


class UnscoredPool:
    """Samples that a round may draw from, none of which was ever scored: all of them are edge.

    Args:
        samples: N samples of one partition.
    """

    def __init__(self, samples: Sequence[PlacedSample]) -> None:
        self._samples = [one for one in samples if one.part in _LEARNT]
        keys = [one.sample_id.int for one in self._samples]
        count = len(keys)
        self._columns: Mapping[str, NDArray[Any]] = {
            "key_high": np.array([key >> 64 for key in keys], np.uint64),
            "key_low": np.array([key & 0xFFFF_FFFF_FFFF_FFFF for key in keys], np.uint64),
            "label_version": np.array([one.label_version for one in self._samples], np.uint32),
            "partition": np.zeros(count, np.uint32),
            "offset": np.array([one.offset for one in self._samples], np.int64),
            "event_time": np.array([one.event_time for one in self._samples], np.int64),
            "standing": np.full(count, EDGE, np.int8),
            "reason": np.zeros(count, np.int8),
            "weight": np.ones(count, np.float32),
        }

    def __getitem__(self, name: str, /) -> NDArray[Any]:
        """A column, shape (N,); importance and what else is made of visits is 0."""
        found = self._columns.get(name)
        return np.zeros(len(self._samples)) if found is None else found

    def id_of(self, row: int) -> UUID:
        """The sample id in a row."""
        return self._samples[row].sample_id


class Replay:
    """One replay of a material under one policy.

    Args:
        material: the samples.
        policy: the policy.
        settings: settings of the policy.
        store: an empty history.
        versions: an empty place for versions.
        first: the model that the loop begins with; None makes the usual one.

    Attributes:
        active: the version in use.
        rounds: number of rounds so far.
        coverage: how much of what could be drawn was.
    """

    def __init__(
        self,
        material: Material,
        policy: Policy,
        settings: Settings,
        store: Store,
        versions: Versions,
        first: "CrossEncoder | None" = None,
    ) -> None:
        self._material, self._settings, self._policy = material, settings, policy
        self._store, self.rounds = store, 0
        self._chooser: Chooser | None = None
        if policy.choice:
            self._chooser = Chooser(material, policy, settings, store)
        self._judged: tuple[NDArray[np.int64], Judgement] | None = None
        self._made, self.coverage = 0, Coverage(material)
        _write(material, store)
        make = material.encoder or partial(first_encoder, material.texts)
        first = first or make(settings)
        make_first_version(versions, store, lambda: material.texts, settings, made=first)
        # subtle: not loaded, because a version does not say which of its weights never learn
        self.active = ActiveVersion(first, settings, sketch=settings.responses.sketch)
        self._version = 0
        self._learner = Learner(store, versions, settings)
        self._worker = ScoringWorker(store, settings, [_PARTITION], trusted=True)
        kinds = versions.manifest(0).kinds
        self._worker.use(0, self.active, None, kinds, is_measured=False)
        self._schedule = Schedule(
            judge_every=settings.standing.judge_every,
            round_every=settings.learning.round_every,
            reached={_PARTITION: Reached()},
        )

    def run(self) -> None:
        """Replay all samples before the last part; `active` is the last version afterwards."""
        most = 4 * self._settings.responses.score_batch
        for run in self._schedule.runs(self._material.placed, most):
            reached = self._schedule.reached[_PARTITION]
            if self._policy.scored:
                self._worker.score(run.samples)
                if run.due.judge and self._policy.judged:
                    place = _PARTITION, reached.position, reached.event_time
                    self._worker.judge_in_turn(*place)
            if run.due.learn:
                self._round(reached)
        if self._policy.judged:  # what is told of wrong labels is as of the end
            self._judge(self._schedule.reached[_PARTITION])

    @property
    def rows(self) -> "Rows":
        """The rows of the samples that were scored."""
        return self._worker.rows[_PARTITION]

    @property
    def doubt(self) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
        """Offsets of samples, and how much the label of each is doubted; None if nothing doubts.

        Judged samples are doubted by the evidence of the last judgement. Others are doubted by the
        first estimator that the policy reads: the less sound a label is, or the more a sample is
        worth, for the highest figures of worth are often wrong labels.
        """
        if self._judged:
            offset, judged = self._judged
            return offset, judged.evidence
        if not (self._chooser and self._policy.choice and self._policy.choice.reads):
            return None
        first, rows = self._policy.choice.reads[0], self._worker.rows[_PARTITION]
        end = self._schedule.reached[_PARTITION].position
        figures = self._chooser.figures(rows, end)[first]
        return rows["offset"], -figures if estimator(first).says == "sound" else figures

    @property
    def called(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]] | None:
        """Offsets of samples, and whether the label of each was called wrong; None if never."""
        if self._judged:
            offset, judged = self._judged
            return offset, judged.reason == _CONTRADICTORY
        return self._chooser.called if self._chooser else None

    def _judge(self, reached: Reached) -> None:
        judged = self._worker.judge(_PARTITION, reached.position, reached.event_time)
        self._judged = self._worker.rows[_PARTITION]["offset"].copy(), judged

    def _round(self, reached: Reached) -> None:
        self.rounds += 1
        ends = self._schedule.ends
        position = Position(ends, reached.event_time, NEVER)
        done = self._learner.round(
            self.rounds, self._version, self.active, self._pool(reached.position), position
        )
        self._count_coverage(done.drawn, reached.position)
        if not done.active:
            return
        self.active, self._version, self._made = done.active, done.version, reached.position
        if self._policy.scored:
            for rows in self._worker.rows.values():
                rows.mark_drawn(done.drawn)
            self._worker.take_up(done.version, done.active, ends, done.scale, done.made.kinds)

    def _pool(self, position: int) -> RoundPool:
        rows = self._worker.rows[_PARTITION] if self._policy.scored else None
        pool: RoundPool = UnscoredPool(self._material.placed[:position])
        if rows is not None:
            pool = RowsPool([rows])
        if not self._chooser:
            return pool
        at = {"version": self.rounds, "end": position, "made": self._made}
        return self._chooser.pool(pool, rows, **at)

    def _count_coverage(self, drawn: Sequence[UUID], position: int) -> None:
        before = self._material.placed[: max(position - self._settings.learning.held_out, 0)]
        there = [one for one in before if one.part in _LEARNT]
        taken = set(drawn)
        self.coverage.count(
            np.array([one.offset for one in there], np.int64),
            np.array([one.offset for one in there if one.sample_id in taken], np.int64),
        )


def _write(material: Material, store: Store) -> None:
    """Write the samples of a material, its trusted ones and all features."""
    placed, samples = material.placed, material.samples
    store.write(
        "samples",
        sample_columns([(one, _PARTITION, place) for place, one in enumerate(samples)]),
    )
    store.write("trusted", trusted_columns(_trusted(material)))
    values = np.array([one.features for one in placed], np.float32)
    write_features(store, placed, values, [(one.source, one.category) for one in samples])


def _trusted(material: Material) -> Iterator[tuple[UUID, str, str, int | None]]:
    trust = material.trust
    for one in material.placed:
        if one.part != "stream":
            label = trust.label_of(one.sample_id)
            yield one.sample_id, one.part, trust.origin_of(one.sample_id), label
