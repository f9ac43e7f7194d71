"""One row per sample: what its visits added up to. About 250 bytes a sample, rebuilt from the history.

A sample whose label changes starts again: its old responses answer another question. Beside the rows stands what each
version thought of the canaries, because a sample is held against that.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, SupportsIndex
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.importance.canaries import Canaries
from mainstem.importance.keyed import Keyed
from mainstem.importance.running import ADDED_UP, count_alignment, count_numbers, count_sketch
from mainstem.importance.sketches import lengths_of
from mainstem.importance.visits import CANARY, Visits, in_turn
from mainstem.join import Facts

__all__ = ["Rows"]

_DTYPES: Final[Mapping[str, Any]] = {
    "label_version": np.uint32,
    "partition": np.uint32,
    "offset": np.int64,  # in its partition of `samples`
    "event_time": np.int64,
    "label": np.int8,
    "part": np.int8,  # STREAM or CANARY
    **ADDED_UP,
    "recent_margin": np.float64,  # decayed mean: each visit counts half of the next one
    "last_version": np.int32,
    "relabelled": np.bool_,  # the answer changed after it was scored
    "drawn": np.bool_,  # a promoted version was trained on this label
    "stale": np.bool_,  # a promoted version was trained on an earlier, other label
    "standing": np.int8,
    "reason": np.int8,
    "judged": np.int64,  # label version at the last judgement; -1 before the first
}


class Rows:
    """The samples of one partition, a row each in order of arrival; `rows[name]` is a column, a numpy array of shape (N,).

    Column `sketch`, of shape (N, k) and float16, is the running mean of the visits' sketches, each divided by its scale.

    Args:
        sketch: k, the floats of a sketch; with 0 none are kept.

    Attributes:
        canaries: what each version thought of the canaries, by their rows.

    Example:
        >>> rows = Rows()
        >>> facts = Facts(*np.array([[0], [0], [0], [0], [1], [0]]))  # of one sample of the stream, labelled yes
        >>> one = dict(keys=[UUID(int=7).bytes], facts=facts)
        >>> rows.visit(Visits(version=1, scale=2.0, **one, norm=[4.0], margin=[-1.0], loss=[1.3]))
        >>> rows.visit(Visits(version=2, scale=2.0, **one, norm=[2.0], margin=[1.0], loss=[0.3]))
        >>> rows["visits"], rows["importance"], rows["margin"], rows["recent_margin"]
        (array([2], dtype=int32), array([1.5]), array([0.]), array([0.]))
    """

    def __init__(self, *, sketch: int = 0) -> None:
        shapes: dict[str, tuple[Any, tuple[int, ...]]] = {
            name: (dtype, ()) for name, dtype in _DTYPES.items()
        }
        self._keyed = Keyed({**shapes, "sketch": (np.float16, (sketch,))})
        self.canaries = Canaries()

    def __len__(self) -> int:
        return len(self._keyed)

    def __iter__(self) -> Iterator[str]:
        """The names of the columns."""
        return iter(self._keyed)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column; a view, so that writing to it changes it."""
        return self._keyed[name]

    def id_of(self, row: SupportsIndex) -> UUID:
        """The sample id in a row."""
        return UUID(bytes=self._keyed.key_of(row))

    def row_of(self, sample_id: UUID) -> int | None:
        """The row of a sample, or None where it is not here."""
        return self._keyed.row_of(sample_id.bytes)

    def rows_of(self, keys: Sequence[bytes]) -> NDArray[np.int64]:
        """Rows of samples, their ids as 16 bytes each; -1 for those that are not here."""
        return self._keyed.rows_of(keys)

    def importance_of_mean(
        self, rows: Sequence[int] | NDArray[Any] | slice = slice(None)
    ) -> NDArray[np.float64]:
        """Length of the mean response of the samples in some rows, from the mean sketch; NaN where there is no sketch.

        A mean is no longer than the mean of the lengths, so this is at most `importance`, but for the error of a sketch: at
        64 floats its length is off by about a tenth (1 / sqrt(2 k)), most of it common to all samples of one seed. What is
        far below `importance` pulled here and there; what is near it pulled the same way at every visit.

        After sketches have left the history, a rebuild takes the mean of those that are left.
        """
        lengths = lengths_of(self["sketch"][rows])
        return np.where(self["sketched"][rows] > 0, lengths, np.nan)

    def visit(self, visits: Visits) -> None:
        """Count one visit of each sample; one that was scored already by this version, or a later one, is not counted."""
        numbers, alignment, sketch = visits.numbers(), visits.alignments(), visits.sketches()
        for turn in in_turn(visits.keys):
            facts = Facts(*[column[turn] for column in visits.facts])
            rows = self._admit([visits.keys[place] for place in turn], facts)
            arrays = self._keyed.arrays
            new = arrays["last_version"][rows] < visits.version
            rows, places = rows[new], turn[new]
            arrays["last_version"][rows] = visits.version
            count_numbers(arrays, rows, numbers[places])
            count_alignment(arrays, rows, alignment[places])
            count_sketch(arrays, rows, sketch[places])
            canaries = rows[arrays["part"][rows] == CANARY]
            self.canaries.saw(visits.version, canaries, arrays["recent_margin"][canaries])

    def mark_drawn(self, ids: Sequence[UUID]) -> None:
        """A promoted version was trained on these samples, with the labels they have here."""
        rows = [row for row in map(self.row_of, ids) if row is not None]
        self["drawn"][rows] = True

    def leave(self, before: int) -> None:
        """Let samples older than an event time leave; they come back when they are scored again."""
        keep = np.flatnonzero(self["event_time"] >= before)
        if len(keep) == len(self):
            return
        places = self._keyed.keep(keep)
        self.canaries.move(lambda rows: places[rows])

    def _admit(self, keys: Sequence[bytes], facts: Facts[NDArray[np.int64]]) -> NDArray[np.int64]:
        """Rows of B different samples, made new or started again where they are new or their label changed."""
        rows = self.rows_of(keys)
        new = rows < 0
        if new.any():
            rows[new] = self._keyed.add(
                [key for key, is_new in zip(keys, new, strict=True) if is_new]
            )
            self._keyed.arrays["judged"][rows[new]] = -1
            self._begin(rows[new], facts, new)
        known, label = self._keyed.arrays["label_version"][rows], self._keyed.arrays["label"][rows]
        # the log's own label may be overruled at the label version that it has: somebody confirmed another one
        overruled = (facts.label_version == known) & (facts.label != label)
        newer = (facts.label_version > known) | overruled
        if newer.any():
            self._revise(rows, facts, newer)
        return rows

    def _begin(
        self, rows: NDArray[np.int64], facts: Facts[NDArray[np.int64]], places: NDArray[np.bool_]
    ) -> None:
        arrays = self._keyed.arrays
        for name, column in zip(Facts._fields, facts, strict=True):
            arrays[name][rows] = column[places]
        for name in (*ADDED_UP, "sketch"):
            arrays[name][rows] = 0
        arrays["last_version"][rows] = -1

    def _revise(
        self, rows: NDArray[np.int64], facts: Facts[NDArray[np.int64]], newer: NDArray[np.bool_]
    ) -> None:
        arrays = self._keyed.arrays
        same = newer & (
            facts.label == arrays["label"][rows]
        )  # the same answer again: what its visits said still holds
        arrays["label_version"][rows[same]] = facts.label_version[same]
        arrays["offset"][rows[same]] = facts.offset[same]
        other = newer & ~same
        again = rows[other]
        self._begin(again, facts, other)
        arrays["relabelled"][again] = True
        if (arrays["part"][again] == CANARY).any():
            self.canaries.move(lambda rows: np.where(np.isin(rows, again), -1, rows))
        arrays["stale"][again] |= arrays["drawn"][again]
        arrays["drawn"][again] = False
