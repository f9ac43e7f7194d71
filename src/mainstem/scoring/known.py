"""What evidence knows of a partition: its rows as columns, and its confirmed samples as teachers.

Canaries and direction samples that somebody confirmed teach what wrong labels look like. Gate
samples only measure how well the probabilities hold, so the weights of samples are calibrated on
samples that no model saw. Where too few samples are confirmed, the recent margin gives the
verdicts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mainstem.evidence import Known, Trusted, on_one_scale, what_is_left
from mainstem.importance import CANARY, Rows
from mainstem.join import PARTS
from mainstem.scoring.kept import Kept

__all__ = ["Learnable", "known_of"]

_GATE: Final = PARTS.index("gate")
_COLUMNS: Final = ("label", "given", "part", "score", "recent_margin", "last_version")
_Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Learnable:
    """Columns of the samples of a partition, judged ones first, with the confirmed ones marked.

    Attributes:
        known: columns of the N rows that are judged, then of the rows that are held out.
        trusted: confirmed samples that teach, with their confirmed labels.
        graded: graded pairs among the canaries, which teach what is true, and nothing about the
            labels of the log.
        measured: rows of the confirmed samples of the gate, shape (M,).
        correct: whether the log's label of each of those is the confirmed one, shape (M,).
    """

    known: Known
    trusted: Trusted
    graded: Trusted
    measured: NDArray[np.int64]
    correct: NDArray[np.bool_]


def known_of(rows: Rows, held: Rows, kept: Kept, classes: int = 2) -> Learnable:
    """Make the columns that evidence reads.

    A confirmed sample is known by the label that the log gave it, like all other samples. Its
    visits were made with the confirmed label, so its margin is taken anew where the two differ.

    Args:
        rows: rows of stream and canaries.
        held: rows of confirmed samples of direction and gate.
        kept: what the history keeps of the samples of `rows`, then of `held`.
        classes: number of classes C. With two, the newest margin says what the newest version
            thinks of each; with more, the logits in `kept` do, and without them nothing does.
    """
    both = {name: np.concatenate([rows[name], held[name]]) for name in _COLUMNS}
    truth, is_confirmed = both["label"].astype(np.int64), both["given"] >= 0
    label = np.where(is_confirmed, both["given"], truth).astype(np.int64)
    scores, margin = (_of_two if classes == 2 else _of_more)(rows, both, label, kept)
    known = Known(
        label,
        classes,
        scores=scores,
        margin=margin,
        features=None if kept.features is None else kept.features.astype(np.float64),
        representation=kept.representation,
        source=kept.source,
        question=kept.question,
    )
    is_gate = both["part"] == _GATE
    teaches = np.flatnonzero(is_confirmed & ~is_gate)
    measured = np.flatnonzero(is_confirmed & is_gate)
    correct = label[measured] == truth[measured]
    pairs = np.zeros(0, np.int64)
    if kept.graded is not None:
        pairs = np.flatnonzero(kept.graded & (both["part"] == CANARY) & ~is_confirmed)
    graded = Trusted(pairs, truth[pairs])
    return Learnable(known, Trusted(teaches, truth[teaches]), graded, measured, correct)


def _of_two(
    rows: Rows, both: Mapping[str, NDArray[np.int64]], label: NDArray[np.int64], _: Kept
) -> tuple[_Numbers, _Numbers]:
    """Scores of the two classes, and the recent margin of the label of the log."""
    version = both["last_version"]
    versions = np.unique(version).tolist()
    places = {one: rows.canaries.at(one)[0] for one in versions}
    scores = {one: rows.canaries.scores_at(one).astype(np.float64) for one in versions}
    score = on_one_scale(both["score"].astype(np.float64), version, scores)
    margins = {one: _signed_canaries(rows, one) for one in versions}
    signed = both["recent_margin"] * _sign(both["label"].astype(np.int64))
    recent = on_one_scale(np.asarray(signed, np.float64), version, margins)
    score *= _left(version, places, scores)
    recent *= _left(version, places, margins)
    return np.column_stack([-score / 2, score / 2]), recent * _sign(label)


def _of_more(
    rows: Rows, both: Mapping[str, NDArray[np.int64]], label: NDArray[np.int64], kept: Kept
) -> tuple[_Numbers | None, _Numbers]:
    """The same for more than two classes; margins are compared label by label."""
    version = both["last_version"]
    recent: _Numbers = both["recent_margin"].astype(np.float64)
    turned = np.flatnonzero(label != both["label"])
    recent[turned] = np.nan
    scores = None
    if kept.logits is not None and np.isfinite(kept.logits).any():
        scores = np.column_stack(
            [
                on_one_scale(
                    values, version, {at: its[:, one] for at, its in kept.canaries.items()}
                )
                for one, values in enumerate(kept.logits.T)
            ]
        )
        others = kept.logits[turned]
        own = others[np.arange(len(turned)), label[turned]]
        others[np.arange(len(turned)), label[turned]] = -np.inf
        recent[turned] = own - others.max(axis=1, initial=-np.inf)
    margin = np.full(len(label), np.nan)
    for one in np.unique(label):
        here = label == one
        canaries = {
            at: margins[rows["label"][places] == one]
            for at in np.unique(version).tolist()
            for places, margins in [rows.canaries.at(at)]
        }
        margin[here] = on_one_scale(recent[here], version[here], canaries)
    return scores, margin


def _left(
    version: NDArray[np.int64],
    places: Mapping[int, NDArray[np.int64]],
    numbers: Mapping[int, _Numbers],
) -> _Numbers:
    """How much of what each sample's last version said is expected of the newest, shape (N,)."""
    newest, found = max(places, default=0), np.ones(len(version))
    for one in places:
        _, before, now = np.intersect1d(places[one], places[newest], return_indices=True)
        found[version == one] = what_is_left(numbers[one][before], numbers[newest][now])
    return found


def _sign(label: NDArray[np.int64]) -> NDArray[np.int64]:
    return 2 * label - 1


def _signed_canaries(rows: Rows, version: int) -> _Numbers:
    places, margins = rows.canaries.at(version)
    return np.asarray(margins * _sign(rows["label"][places].astype(np.int64)))
