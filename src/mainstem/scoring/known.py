"""What evidence knows of a partition: its rows as columns, and its confirmed samples as teachers.

Canaries and direction samples that somebody confirmed teach what wrong labels look like. Gate
samples only measure how well the probabilities hold, so the weights of samples are calibrated on
samples that no model saw. Where too few samples are confirmed, the recent margin gives the
verdicts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

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
        keys = {at: its.keys for at, its in kept.canaries.items()}
        said = [
            {at: its.logits[:, one] for at, its in kept.canaries.items()}
            for one in range(kept.logits.shape[1])
        ]
        scores = np.column_stack(
            [
                on_one_scale(values, version, those) * _left(version, keys, those)
                for values, those in zip(kept.logits.T, said, strict=True)
            ]
        )
        others = kept.logits[turned]
        own = others[np.arange(len(turned)), label[turned]]
        others[np.arange(len(turned)), label[turned]] = -np.inf
        recent[turned] = own - others.max(axis=1, initial=-np.inf)
    margin = np.full(len(label), np.nan)
    seen = {at: rows.canaries.at(at) for at in np.unique(version).tolist()}
    for one in np.unique(label):
        here = label == one
        canaries = {at: its[rows["label"][places] == one] for at, (places, its) in seen.items()}
        margin[here] = on_one_scale(recent[here], version[here], canaries)
    places = {at: its for at, (its, _) in seen.items()}
    margins = {at: its for at, (_, its) in seen.items()}
    of_row = rows["label"].astype(np.int64)
    newest = max(places, default=0)
    # subtle: its own margins, because a running one still holds what earlier versions said
    sign = np.where(of_row[places[newest]] > 0, 1, -1)
    now = sign * rows.canaries.scores_at(newest).astype(np.float64)
    return scores, margin * _left(version, places, margins, now, of_row)


def _left(
    version: NDArray[np.int64],
    canaries: Mapping[int, NDArray[Any]],
    numbers: Mapping[int, _Numbers],
    now: _Numbers | None = None,
    label: NDArray[np.int64] | None = None,
) -> _Numbers:
    """How much of what each sample's last version said is expected of the newest, shape (N,).

    Args:
        version: last version of each sample, shape (N,).
        canaries: by version, ids or rows of the canaries that it scored.
        numbers: by version, what it said of each of those.
        now: what the newest version says of each of its own; None if `numbers` has that.
        label: label of each row, where the canaries are rows that are ranked label by label.
    """
    newest, found = max(canaries, default=0), np.ones(len(version))
    for one in canaries.keys() - {newest}:
        both, before, after = np.intersect1d(canaries[one], canaries[newest], return_indices=True)
        group = None if label is None else label[both]
        later = (numbers[newest] if now is None else now)[after]
        found[version == one] = what_is_left(numbers[one][before], later, group)
    return found


def _sign(label: NDArray[np.int64]) -> NDArray[np.int64]:
    return 2 * label - 1


def _signed_canaries(rows: Rows, version: int) -> _Numbers:
    places, margins = rows.canaries.at(version)
    return np.asarray(margins * _sign(rows["label"][places].astype(np.int64)))
