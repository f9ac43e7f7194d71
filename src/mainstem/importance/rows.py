"""One row for each sample with the sums over its visits: about 250 bytes a sample.

Rows are rebuilt from the history. A sample whose answer changes (the target of any objective)
starts again, because its earlier responses belong to another answer. Beside the rows stand the
margins of canaries under each version, which samples are compared with.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, SupportsIndex
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.importance.beside import Beside
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
    "given": np.int8,  # label in the log of a confirmed sample; -1 for other samples
    "part": np.int8,  # STREAM or CANARY
    "answer_code": np.uint32,  # number of the targets
    **ADDED_UP,
    "recent_margin": np.float64,  # decayed mean: each visit counts half as much as the next one
    "score": np.float32,  # newest margin, of label 1 against the others, whatever the label is
    "last_version": np.int32,
    "relabelled": np.bool_,  # the answer changed after the sample was scored
    "drawn": np.bool_,  # a promoted version was trained on this answer
    "stale": np.bool_,  # a promoted version was trained on an earlier answer that differs
    "standing": np.int8,
    "reason": np.int8,
    "weight": np.float32,  # in the loss, as of the last move; 1 before the first
    "judged": np.int32,  # label version at the last judgement; -1 before the first
}


class Rows:
    """The samples of one partition, a row for each, in order of arrival.

    `rows[name]` is a column, a numpy array of shape (N,). The column `sketch` has shape (N, k) and
    type float16: it is the running mean of the visits' sketches, each divided by its scale.

    Args:
        sketch: number of floats in a sketch, k; 0 to keep no sketches.
        beside: keeps more columns, such as those of estimators in shadow; None for no more.

    Attributes:
        canaries: margins of the canaries under each version, by row.

    Example:
        >>> rows = Rows()
        >>> # one sample of the stream, labelled yes
        >>> facts = Facts(*np.array([[0], [0], [0], [0], [1], [0], [1]]))
        >>> one = dict(keys=[UUID(int=7).bytes], facts=facts)
        >>> rows.visit(Visits(version=1, scale=2.0, **one, norm=[4.0], margin=[-1.0], loss=[1.3]))
        >>> rows.visit(Visits(version=2, scale=2.0, **one, norm=[2.0], margin=[1.0], loss=[0.3]))
        >>> rows["visits"], rows["importance"], rows["margin"], rows["recent_margin"]
        (array([2], dtype=int32), array([1.5]), array([0.]), array([0.]))
    """

    def __init__(self, *, sketch: int = 0, beside: Beside | None = None) -> None:
        more = beside.columns if beside else {}
        shapes: dict[str, tuple[Any, tuple[int, ...]]] = {}
        shapes |= {name: (dtype, ()) for name, dtype in {**_DTYPES, **more}.items()}
        self._beside, self._begins = beside, (*ADDED_UP, "sketch", *more)
        self._keyed = Keyed({**shapes, "sketch": (np.float16, (sketch,))})
        self.canaries = Canaries()

    def __len__(self) -> int:
        return len(self._keyed)

    def __iter__(self) -> Iterator[str]:
        """The names of the columns."""
        return iter(self._keyed)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column; it is a view, so that writing to it changes it."""
        return self._keyed[name]

    def id_of(self, row: SupportsIndex) -> UUID:
        """The sample id in a row."""
        return UUID(bytes=self._keyed.key_of(row))

    def row_of(self, sample_id: UUID) -> int | None:
        """The row of a sample, or None if the sample is unknown."""
        return self._keyed.row_of(sample_id.bytes)

    def rows_of(self, keys: Sequence[bytes]) -> NDArray[np.int64]:
        """Rows of samples, given by ids of 16 bytes; -1 for unknown samples."""
        return self._keyed.rows_of(keys)

    def importance_of_mean(
        self, rows: Sequence[int] | NDArray[Any] | slice = slice(None)
    ) -> NDArray[np.float64]:
        """Length of the mean response of the samples in some rows, shape of `rows`.

        It comes from the mean sketch, and is NaN where there is none. The length of a mean is at
        most the mean of the lengths, so this is at most `importance` up to the error of the
        sketch: with 64 floats about a tenth (1 / sqrt(2 k)), most of it common to all samples of
        one seed. Far below `importance`, the visits of a sample pulled in different directions;
        near it, they all pulled in the same direction.

        Once sketches have expired from the history, a rebuild takes the mean of the remaining ones.
        """
        lengths = lengths_of(self["sketch"][rows])
        return np.where(self["sketched"][rows] > 0, lengths, np.nan)

    def visit(self, visits: Visits) -> None:
        """Count one visit of each sample.

        A visit by a version not later than the last one of its sample is not counted.
        """
        numbers, alignment, sketch = visits.numbers(), visits.alignments(), visits.sketches()
        given = visits.labels_given()
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
            if self._beside:
                self._beside.visit(arrays, rows, visits, places)
            arrays["given"][rows] = given[places]
            sign = np.where(arrays["label"][rows] > 0, 1, -1)
            arrays["score"][rows] = sign * numbers[places, 1]
            canaries = rows[arrays["part"][rows] == CANARY]
            recent, score = arrays["recent_margin"][canaries], arrays["score"][canaries]
            self.canaries.saw(visits.version, canaries, recent, score)

    def mark_drawn(self, ids: Sequence[UUID]) -> None:
        """Record that a promoted version was trained on these samples with their current labels."""
        rows = [row for row in map(self.row_of, ids) if row is not None]
        self["drawn"][rows] = True

    def leave(self, before: int) -> None:
        """Drop samples older than an event time; they return when they are scored again."""
        keep = np.flatnonzero(self["event_time"] >= before)
        if len(keep) == len(self):
            return
        places = self._keyed.keep(keep)
        self.canaries.move(lambda rows: places[rows])

    def _admit(self, keys: Sequence[bytes], facts: Facts[NDArray[np.int64]]) -> NDArray[np.int64]:
        """Rows of B different samples; new ones are added, and relabelled ones start again."""
        rows = self.rows_of(keys)
        new = rows < 0
        if new.any():
            unknown = [key for key, is_new in zip(keys, new, strict=True) if is_new]
            rows[new] = self._keyed.add(unknown)
            self._keyed.arrays["judged"][rows[new]] = -1
            self._keyed.arrays["weight"][rows[new]] = 1
            self._begin(rows[new], facts, new)
        arrays = self._keyed.arrays
        known, code = arrays["label_version"][rows], arrays["answer_code"][rows]
        # a trusted label may overrule the log's label without a new label version
        overruled = (facts.label_version == known) & (facts.answer_code != code)
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
        for name in self._begins:
            arrays[name][rows] = 0
        arrays["last_version"][rows] = -1

    def _revise(
        self, rows: NDArray[np.int64], facts: Facts[NDArray[np.int64]], newer: NDArray[np.bool_]
    ) -> None:
        arrays = self._keyed.arrays
        # the same answer again: the visits so far still hold
        same = newer & (facts.answer_code == arrays["answer_code"][rows])
        arrays["label_version"][rows[same]] = facts.label_version[same]
        arrays["offset"][rows[same]] = facts.offset[same]
        if self._beside:
            self._beside.revised(arrays, rows[same])
        other = newer & ~same
        again = rows[other]
        self._begin(again, facts, other)
        arrays["relabelled"][again] = True
        if (arrays["part"][again] == CANARY).any():
            self.canaries.move(lambda rows: np.where(np.isin(rows, again), -1, rows))
        arrays["stale"][again] |= arrays["drawn"][again]
        arrays["drawn"][again] = False
