"""The scoring worker: samples in, responses, importance and standings out, for the partitions it owns.

It writes first and counts then, so that its columns never know more than the history: `rebuild` gives the very same
columns from what was written.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, SupportsIndex

import numpy as np

from mainstem.importance import CANARY, STREAM, Columns, rounded
from mainstem.join import PlacedSample, told
from mainstem.models import Scorer, alignments_of
from mainstem.scoring.finite import finite_only
from mainstem.scoring.scale import mean_norm
from mainstem.settings import Settings
from mainstem.standing import REASONS, STANDINGS, Judgement, judge
from mainstem.store import Store, samples_between, stored_visits, trusted_samples
from mainstem.store.writes import columns_of, response_columns, sketch_columns

__all__ = ["SCORED", "ScoringWorker"]

_CHUNK: Final = 65_536
_STANDING: Final = (
    *("sample_id", "label_version", "partition", "judgement", "version", "standing", "reason"),
    *("p_value", "evidence", "importance", "margin", "visits", "alignment", "importance_of_mean"),
)
SCORED: Final = {"stream": STREAM, "canary": CANARY}  # direction and gate samples are neither scored nor drawn


class ScoringWorker:
    """Columns and the current version, for the partitions of one worker.

    Args:
        store: the history.
        settings: budgets and thresholds.
        partitions: those that it owns at first.
        trusted: whether the canaries' labels are believed, not only assumed.
        publish: is given the rows of new standings, once the history has them.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        partitions: Iterable[int],
        *,
        trusted: bool,
        publish: Callable[[Sequence[Mapping[str, Any]]], None] = lambda rows: None,  # noqa: ARG005
    ) -> None:
        self.columns = {partition: Columns(sketch=settings.responses.sketch) for partition in partitions}
        self.version = 0
        self.scale: float | None = None
        self.left: dict[int, int] = dict.fromkeys(self.columns, 0)  # samples older than this have left the columns
        self._store = store
        self._settings = settings
        self.trusted = trusted
        self._publish = publish
        self._scorer: Scorer | None = None

    @property
    def scorer(self) -> Scorer:
        """The current version at work."""
        if self._scorer is None:
            msg = "no version has been taken up yet"
            raise RuntimeError(msg)
        return self._scorer

    def use(self, version: int, scorer: Scorer, scale: float | None) -> None:
        """Go on with a version that was taken up before, at the scale it had."""
        self.version, self._scorer, self.scale = version, scorer, scale

    def take_up(self, version: int, scorer: Scorer, ends: Mapping[int, int], scale: float | None) -> int:
        """Take up a new version: score all canaries and the newest samples again, before anything else.

        Args:
            version: its number.
            scorer: the version at work.
            ends: next sample offset of each partition.
            scale: of the version.

        Returns:
            How many samples were scored again.
        """
        self.use(version, scorer, scale)
        known = self.due(ends)
        self.score(known)
        return len(known)

    def due(self, ends: Mapping[int, int]) -> list[PlacedSample]:
        """What the current version should score again: all canaries, and the newest samples within the budget."""
        budget = self._settings.responses.rescore_budget // self._settings.join.partitions
        newest = samples_between(self._store, {partition: (end - budget, end) for partition, end in ends.items()})
        again = {sample.sample_id: sample for sample in [*trusted_samples(self._store, "canary", ends), *newest]}
        known = [sample for sample in again.values() if self._is_current(sample)]
        return sorted(known, key=lambda sample: (sample.partition, sample.offset))

    def unscored(self, samples: Sequence[PlacedSample]) -> list[PlacedSample]:
        """Those whose label is not outdated and that the current version has not scored: what comes twice is no visit."""

        def done(sample: PlacedSample) -> bool:
            columns = self.columns[sample.partition]
            row = columns.row_of(sample.sample_id)
            known = -1 if row is None else int(columns["label_version"][row])
            same = known == sample.label_version
            return known > sample.label_version or (same and bool(columns["last_version"][row] >= self.version))

        return [sample for sample in samples if not done(sample)]

    def mark_drawn(self, version: int) -> None:
        """Mark the samples that a promoted version was trained on."""
        drawn = self._drawn(version).get(version, [])
        for columns in self.columns.values():
            columns.mark_drawn(drawn)

    def disown(self, partition: int) -> None:
        """Forget a partition that another worker owns from now on."""
        self.columns.pop(partition, None)
        self.left.pop(partition, None)

    def score(self, samples: Sequence[PlacedSample]) -> None:
        """Score samples at the current version: one visit each. Samples of other parts than stream and canary are let go."""
        taken = [sample for sample in samples if sample.part in SCORED]
        if not taken:
            return
        found = self.scorer.responses(*told(taken))
        taken, found = finite_only(taken, found, self.version)
        if not taken:
            return
        if self.scale is None:
            self.scale = mean_norm(found, taken)
        scale, alignment, sketch = float(np.float32(self.scale)), alignments_of(found), rounded(found.sketch)  # as kept
        # subtle: sketches first, so that whatever has a response in the history has its sketch there
        self._store.write("sketches", sketch_columns(taken, sketch, version=self.version, scale=scale))
        self._store.write("responses", response_columns(taken, found, alignment, version=self.version, scale=scale))
        for partition in {sample.partition for sample in taken}:
            places = [place for place, sample in enumerate(taken) if sample.partition == partition]
            mine = [taken[place] for place in places]
            self.columns[partition].visit(
                version=self.version,
                scale=scale,
                ids=[sample.sample_id for sample in mine],
                facts=[_facts(sample._asdict()) for sample in mine],
                norm=found.norm[places],
                margin=found.margin[places],
                loss=found.loss[places],
                alignment=alignment[places],
                sketch=sketch[places],
            )

    def judge(self, partition: int, end: int, event_time: int, *, last: bool = False) -> Judgement:
        """Judge a partition at sample offset `end`; writes the judgement, the new standings and the moves.

        Args:
            partition, end, event_time: where.
            last: whether the log ends here: all standings are written then, those that did not move too, so that their
                evidence is of now.
        """
        columns = self.columns[partition]
        self.left[partition] = max(event_time - self._settings.responses.horizon, 0)
        columns.leave(self.left[partition])
        judged = judge(columns, self._settings, trusted=self.trusted)
        moved = (judged.standing != columns["standing"]) | (judged.reason != columns["reason"])
        moved |= columns["judged"] != columns["label_version"]
        rows = [self._move(columns, judged, row, partition, end) for row in np.flatnonzero(moved)]
        self._write_moves(rows, event_time)
        still = np.flatnonzero(~moved) if last else np.zeros(0, np.int64)
        for start in range(0, len(still), _CHUNK):
            some = still[start : start + _CHUNK]
            self._write_standings([self._move(columns, judged, row, partition, end) for row in some])
        self._store.write(
            "judgements",
            columns_of(
                [
                    {
                        "partition": partition,
                        "judgement": end,
                        "version": self.version,
                        "event_time": event_time,
                        **judged.counts(),
                        "canaries": judged.canaries,
                        "core_level": _known(judged.core_level),
                        "verdict": judged.verdict,
                    }
                ]
            ),
        )
        columns["standing"][:], columns["reason"][:] = judged.standing, judged.reason
        columns["judged"][:] = columns["label_version"]
        return judged

    def rebuild(self, ends: Mapping[int, int], version: int, left: Mapping[int, int]) -> None:
        """Make the columns again from the history: responses of samples before `ends`, by versions up to `version`."""
        self.left |= left
        drawn = self._drawn(version)
        for partition, end in ends.items():
            columns = self.columns[partition] = Columns(sketch=self._settings.responses.sketch)
            for at in range(version + 1):
                columns.mark_drawn(drawn.get(at, []))
                self._replay_visits(columns, partition, end, at)
            self._restore_standings(columns, partition, end)

    def write_again(self, partition: int, judgement: int) -> None:
        """Write and publish the standings of a judgement again: whoever judged may have died right after the moves."""
        where = "partition = {partition:UInt32} AND judgement = {at:UInt64}"
        sql = f"SELECT {', '.join(_STANDING)} FROM moves FINAL WHERE {where}"
        found = self._store.rows(sql, partition=partition, at=judgement)
        rows = [dict(zip(_STANDING, row, strict=True)) for row in found]
        self._store.write("standings", columns_of(rows))
        self._publish(rows)

    def _is_current(self, sample: PlacedSample) -> bool:
        columns = self.columns[sample.partition]
        row = columns.row_of(sample.sample_id)
        return (
            row is not None
            and bool(columns["label_version"][row] == sample.label_version)
            and bool(columns["last_version"][row] < self.version)
        )

    def _drawn(self, version: int) -> dict[int, list[Any]]:
        drawn: dict[int, list[Any]] = {}
        sql = "SELECT version, sample_id FROM versions_of_sample WHERE promoted AND version <= {version:UInt32}"
        for at, sample_id in self._store.stream(sql, version=version):
            drawn.setdefault(at, []).append(sample_id)
        return drawn

    def _replay_visits(self, columns: Columns, partition: int, end: int, version: int) -> None:
        left, sketch = self.left[partition], self._settings.responses.sketch
        for found in stored_visits(self._store, partition, end, version, left=left, sketch=sketch):
            part = np.array([SCORED[one] for one in found.part], np.int64)
            columns.visit_many(
                version=version,
                scale=found.scale,
                keys=found.keys,
                facts={**found.facts, "part": part},
                norm=found.norm,
                margin=found.margin,
                loss=found.loss,
                alignment=found.alignment,
                sketch=found.sketch,
            )

    def _restore_standings(self, columns: Columns, partition: int, end: int) -> None:
        sql = """
            SELECT UUIDStringToNum(toString(sample_id)), argMax(standing, judgement), argMax(reason, judgement),
                   argMax(label_version, judgement)
            FROM moves FINAL WHERE partition = {partition:UInt32} AND judgement <= {end:UInt64} GROUP BY sample_id"""
        for rows in _chunks(self._store.stream(sql, partition=partition, end=end)):
            keys, standing, reason, judged = zip(*rows, strict=True)
            places = columns.rows_of(keys)
            here = places >= 0  # the others have left
            columns["standing"][places[here]] = np.array([STANDINGS.index(one) for one in standing], np.int8)[here]
            columns["reason"][places[here]] = np.array([REASONS.index(one) for one in reason], np.int8)[here]
            columns["judged"][places[here]] = np.array(judged, np.int64)[here]

    def _move(self, columns: Columns, judged: Judgement, row: SupportsIndex, partition: int, end: int) -> dict[str, Any]:
        return {
            "sample_id": columns.id_of(row),
            "label_version": int(columns["label_version"][row]),
            "partition": partition,
            "judgement": end,
            "version": self.version,
            "before": STANDINGS[columns["standing"][row]] if columns["judged"][row] >= 0 else "",
            "standing": STANDINGS[judged.standing[row]],
            "reason": REASONS[judged.reason[row]],
            "p_value": _known(judged.p_value[row]),
            "evidence": _known(judged.evidence[row]),
            "importance": float(columns["importance"][row]),
            "margin": float(columns["margin"][row]),
            "visits": int(columns["visits"][row]),
            "alignment": float(columns["alignment"][row]) if columns["aligned"][row] else None,
            "importance_of_mean": _known(columns.importance_of_mean([int(row)])[0]),
        }

    def _write_moves(self, rows: list[dict[str, Any]], event_time: int) -> None:
        moves = columns_of(rows)
        self._store.write("moves", {**moves, "event_time": [event_time] * len(rows)} if rows else {})
        self._write_standings(rows)

    def _write_standings(self, rows: list[dict[str, Any]]) -> None:
        columns = columns_of(rows)
        self._store.write("standings", {name: columns[name] for name in _STANDING} if rows else {})
        self._publish(rows)


def _facts(sample: Mapping[str, Any]) -> dict[str, int]:
    facts = {name: sample[name] for name in ("label_version", "partition", "offset", "event_time", "label")}
    return {**facts, "part": SCORED[sample["part"]]}


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _chunks(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk
