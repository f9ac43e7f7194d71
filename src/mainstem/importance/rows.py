"""One row per sample: what its visits added up to. Numpy columns, about 250 bytes a sample, rebuilt from the history.

Running means and variances are Welford's, so that an update costs the same at visit 2 and at visit 2,000, and nothing is
kept per visit. Only of canaries it is: what a sample is held against is how firm the canaries were at the version that last
scored it. A sample whose label changes starts again: its old responses answer another question.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, SupportsIndex, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.importance.sketches import lengths_of, mean_with

__all__ = ["CANARY", "FACTS", "STREAM", "Columns"]

STREAM: Final = 0
CANARY: Final = 1
FACTS: Final = ("label_version", "partition", "offset", "event_time", "label", "part")
"""What is known of a sample beside its responses."""
_DTYPES: Final[Mapping[str, Any]] = {
    "key_high": np.uint64,  # the sample id, as two halves
    "key_low": np.uint64,
    "label_version": np.uint32,
    "partition": np.uint32,
    "offset": np.int64,  # in its partition of `samples`
    "event_time": np.int64,
    "label": np.int8,
    "part": np.int8,  # STREAM or CANARY
    "visits": np.int32,
    "last_version": np.int32,
    "importance": np.float64,  # running mean of norm / scale
    "importance_m2": np.float64,  # sum of squared differences from it
    "margin": np.float64,  # running mean
    "margin_m2": np.float64,
    "loss": np.float64,  # running mean
    "recent_margin": np.float64,  # decayed mean: each visit counts half of the next one
    "alignment": np.float32,  # running mean over the visits that have one
    "aligned": np.int32,  # how many have
    "sketched": np.int32,  # visits whose sketch is in the mean sketch
    "relabelled": np.bool_,  # the answer changed after it was scored
    "drawn": np.bool_,  # a promoted version was trained on this label
    "stale": np.bool_,  # a promoted version was trained on an earlier, other label
    "standing": np.int8,
    "reason": np.int8,
    "judged": np.int64,  # label version at the last judgement; -1 before the first
}
_ADDED_UP: Final = (
    *("visits", "importance", "importance_m2", "margin", "margin_m2", "loss"),
    *("alignment", "aligned", "sketch", "sketched"),
)
"""What begins at nothing with another label."""
_Canaries: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float64]]


class Columns:
    """Columns of the samples of one partition; attributes are numpy arrays of shape (N,), in order of arrival.

    Column `sketch`, of shape (N, k) and float16, is the running mean of the visits' sketches, each divided by its scale.

    Args:
        sketch: k, the floats of a sketch; with 0 none are kept.

    Example:
        >>> columns = Columns()
        >>> one = dict(label_version=0, partition=0, offset=0, event_time=0, label=1, part=STREAM)
        >>> id = UUID(int=7)
        >>> columns.visit(version=1, scale=2.0, ids=[id], facts=[one], norm=[4.0], margin=[-1.0], loss=[1.3])
        >>> columns.visit(version=2, scale=2.0, ids=[id], facts=[one], norm=[2.0], margin=[1.0], loss=[0.3])
        >>> columns["visits"], columns["importance"], columns["margin"], columns["recent_margin"]
        (array([2], dtype=int32), array([1.5]), array([0.]), array([0.]))
    """

    def __init__(self, *, sketch: int = 0) -> None:
        self._rows: dict[bytes, int] = {}
        self._arrays: dict[str, NDArray[Any]] = {name: np.zeros(64, dtype) for name, dtype in _DTYPES.items()}
        self._arrays["sketch"] = np.zeros((64, sketch), np.float16)
        self._canaries: dict[int, list[_Canaries]] = {}  # by version: rows and recent margins of canaries

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column; a view, so that writing to it changes it."""
        return self._arrays[name][: len(self)]

    def id_of(self, row: SupportsIndex) -> UUID:
        """The sample id in a row."""
        return UUID(int=(int(self._arrays["key_high"][row]) << 64) | int(self._arrays["key_low"][row]))

    def row_of(self, sample_id: UUID) -> int | None:
        """The row of a sample, or None where it is not here."""
        return self._rows.get(sample_id.bytes)

    def importance_of_mean(self, rows: Sequence[int] | NDArray[Any] | slice = slice(None)) -> NDArray[np.float64]:
        """Length of the mean response of the samples in some rows, from the mean sketch; NaN where there is no sketch.

        A mean is no longer than the mean of the lengths, so this is at most `importance`, but for the error of a sketch: at
        64 floats its length is off by about a tenth (1 / sqrt(2 k)), most of it common to all samples of one seed. What is
        far below `importance` pulled here and there; what is near it pulled the same way at every visit.

        After sketches have left the history, a rebuild takes the mean of those that are left.
        """
        lengths = lengths_of(self["sketch"][rows])
        return np.where(self["sketched"][rows] > 0, lengths, np.nan)

    def canaries_at(self, version: int) -> "_Canaries":
        """Rows and recent margins, as of then, of the canaries that a version scored: two arrays of one shape."""
        found = self._canaries.get(version, [])
        if len(found) != 1:
            rows = np.concatenate([np.zeros(0, np.int64), *(rows for rows, _ in found)])
            margins = np.concatenate([np.zeros(0, np.float64), *(margins for _, margins in found)])
            self._canaries[version] = [(rows, margins)]
        return self._canaries[version][0]

    def visit(
        self,
        *,
        version: int,
        scale: float,
        ids: Sequence[UUID],
        facts: Sequence[Mapping[str, int]],
        norm: Sequence[float] | NDArray[Any],
        margin: Sequence[float] | NDArray[Any],
        loss: Sequence[float] | NDArray[Any],
        alignment: Sequence[float] | NDArray[Any] | None = None,
        sketch: NDArray[Any] | None = None,
    ) -> None:
        """Count one visit of each sample.

        Args:
            version: that scored them. A sample already scored by it is not counted again.
            scale: mean response norm of the canaries at that version; norms are divided by it.
            ids: B sample ids.
            facts: label_version, partition, offset, event_time, label and part of each.
            norm, margin, loss: their responses, shape (B,).
            alignment: shape (B,), NaN where there is none; not given: none at all.
            sketch: as the history keeps them, shape (B, k); a row of NaN where there is none, likewise.
        """
        self.visit_many(
            version=version,
            scale=scale,
            keys=[sample_id.bytes for sample_id in ids],
            facts={name: np.array([fact[name] for fact in facts], np.int64) for name in FACTS},
            norm=norm,
            margin=margin,
            loss=loss,
            alignment=alignment,
            sketch=sketch,
        )

    def visit_many(
        self,
        *,
        version: int,
        scale: float,
        keys: Sequence[bytes],
        facts: Mapping[str, NDArray[Any]],
        norm: Sequence[float] | NDArray[Any],
        margin: Sequence[float] | NDArray[Any],
        loss: Sequence[float] | NDArray[Any],
        alignment: Sequence[float] | NDArray[Any] | None = None,
        sketch: NDArray[Any] | None = None,
    ) -> None:
        """The same, the sample ids as 16 bytes each, and each of their facts as an array of shape (B,)."""
        values = np.column_stack([np.asarray(norm, np.float64) / scale, margin, loss])  # (B, 3)
        nothing = np.full(len(keys), np.nan, np.float32)
        aligned = nothing if alignment is None else np.asarray(alignment, np.float32)
        sketched = np.zeros((len(keys), 0), np.float32) if sketch is None else np.asarray(sketch, np.float32)
        sketched = sketched / np.float32(scale)
        for places in _in_turn(keys):
            rows = self._admit([keys[place] for place in places], {name: array[places] for name, array in facts.items()})
            new = self._arrays["last_version"][rows] < version
            self._update(rows[new], values[places[new]], version)
            self._turn(rows[new], aligned[places[new]], sketched[places[new]])

    def rows_of(self, keys: Sequence[bytes]) -> NDArray[np.int64]:
        """Rows of samples, their ids as 16 bytes each; -1 for those that are not here."""
        return np.array([self._rows.get(key, -1) for key in keys], np.int64)

    def mark_drawn(self, ids: Sequence[UUID]) -> None:
        """A promoted version was trained on these samples, with the labels they have here."""
        rows = [row for row in map(self.row_of, ids) if row is not None]
        self["drawn"][rows] = True

    def leave(self, before: int) -> None:
        """Let samples older than an event time leave; they come back when they are scored again."""
        keep = np.flatnonzero(self["event_time"] >= before)
        if len(keep) == len(self):
            return
        count, ids = len(self), [self.id_of(row).bytes for row in keep]
        for name, array in self._arrays.items():
            kept = array[keep]
            array[: len(kept)] = kept
            self._arrays[name] = array
        self._rows = {sample_id: row for row, sample_id in enumerate(ids)}
        places = np.full(count, -1)
        places[keep] = np.arange(len(keep))
        self._keep_canaries(lambda rows: places[rows])

    def _admit(self, keys: Sequence[bytes], facts: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
        """Rows of B different samples, made new or started again where they are new or their label changed."""
        rows = self.rows_of(keys)
        new = rows < 0
        rows[new] = self._new_rows([key for key, is_new in zip(keys, new, strict=True) if is_new])
        self._begin(rows[new], facts, new)
        self._revise(rows, facts, facts["label_version"] > self._arrays["label_version"][rows])
        return rows

    def _new_rows(self, keys: Sequence[bytes]) -> NDArray[np.int64]:
        start, end = len(self._rows), len(self._rows) + len(keys)
        size = len(self._arrays["visits"])
        while size < end:
            size *= 2
        if size > len(self._arrays["visits"]):
            self._arrays = {name: np.resize(array, (size, *array.shape[1:])) for name, array in self._arrays.items()}
        self._rows.update(zip(keys, range(start, end), strict=True))
        for array in self._arrays.values():
            array[start:end] = 0
        self._arrays["judged"][start:end] = -1
        halves = np.frombuffer(b"".join(keys), ">u8").reshape(-1, 2)
        self._arrays["key_high"][start:end], self._arrays["key_low"][start:end] = halves[:, 0], halves[:, 1]
        return np.arange(start, end)

    def _begin(self, rows: NDArray[np.int64], facts: Mapping[str, NDArray[Any]], places: NDArray[np.bool_]) -> None:
        for name in FACTS:
            self._arrays[name][rows] = facts[name][places]
        for name in _ADDED_UP:
            self._arrays[name][rows] = 0
        self._arrays["last_version"][rows] = -1

    def _revise(self, rows: NDArray[np.int64], facts: Mapping[str, NDArray[Any]], newer: NDArray[np.bool_]) -> None:
        arrays = self._arrays
        same = newer & (facts["label"] == arrays["label"][rows])  # the same answer again: what its visits said still holds
        for name in ("label_version", "offset"):
            arrays[name][rows[same]] = facts[name][same]
        other = newer & ~same
        again = rows[other]
        self._begin(again, facts, other)
        arrays["relabelled"][again] = True
        if (arrays["part"][again] == CANARY).any():
            self._keep_canaries(lambda rows: np.where(np.isin(rows, again), -1, rows))
        arrays["stale"][again] |= arrays["drawn"][again]
        arrays["drawn"][again] = False

    def _update(self, rows: NDArray[np.int64], values: NDArray[np.float64], version: int) -> None:
        arrays = self._arrays
        first = arrays["visits"][rows] == 0
        arrays["recent_margin"][rows] = np.where(first, values[:, 1], (arrays["recent_margin"][rows] + values[:, 1]) / 2)
        canaries = rows[arrays["part"][rows] == CANARY]
        self._canaries.setdefault(version, []).append((canaries, arrays["recent_margin"][canaries]))
        arrays["last_version"][rows] = version
        arrays["visits"][rows] += 1
        count = arrays["visits"][rows]
        for place, name in enumerate(("importance", "margin")):
            before = values[:, place] - arrays[name][rows]
            arrays[name][rows] += before / count
            arrays[f"{name}_m2"][rows] += before * (values[:, place] - arrays[name][rows])
        arrays["loss"][rows] += (values[:, 2] - arrays["loss"][rows]) / count

    def _turn(self, rows: NDArray[np.int64], alignment: NDArray[np.float32], sketch: NDArray[np.float32]) -> None:
        """Count where the responses point: their alignments and their sketches, each where there is one."""
        arrays = self._arrays
        known = ~np.isnan(alignment)
        aligned = rows[known]
        arrays["aligned"][aligned] += 1
        arrays["alignment"][aligned] += (alignment[known] - arrays["alignment"][aligned]) / arrays["aligned"][aligned]
        if not sketch.shape[1]:
            return
        known = ~np.isnan(sketch[:, 0])
        sketched = rows[known]
        arrays["sketched"][sketched] += 1
        arrays["sketch"][sketched] = mean_with(arrays["sketch"][sketched], sketch[known], arrays["sketched"][sketched])

    def _keep_canaries(self, moved: Callable[[NDArray[np.int64]], NDArray[np.int64]]) -> None:
        """Give the canaries of all versions their new rows; -1 lets one go."""
        for version in self._canaries:
            rows, margins = self.canaries_at(version)
            now = moved(rows)
            self._canaries[version] = [(now[now >= 0], margins[now >= 0])]


def _in_turn(keys: Sequence[bytes]) -> Iterator[NDArray[np.int64]]:
    """Places of the first row of each sample, then those of the second ones (the same sample at two label versions), ..."""
    if len(set(keys)) == len(keys):
        yield np.arange(len(keys))
        return
    counts: Counter[bytes] = Counter()
    turns = np.empty(len(keys), np.int64)
    for place, key in enumerate(keys):
        turns[place] = counts[key]
        counts[key] += 1
    for turn in range(turns.max() + 1):
        yield np.flatnonzero(turns == turn)
