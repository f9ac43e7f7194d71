"""What evidence knows of a partition: its rows as columns, and its confirmed samples as teachers.

Canaries and direction samples that somebody confirmed teach what wrong labels look like. Gate
samples only measure how well the probabilities hold, so the weights of samples are calibrated on
samples that no model saw. Where too few samples are confirmed, the recent margin decides instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mainstem.evidence import Known, Trusted, clipped_weights, on_one_scale
from mainstem.importance import Rows
from mainstem.join import PARTS
from mainstem.settings import Settings
from mainstem.standing import Verdicts, weigh_and_compare
from mainstem.store import Store
from mainstem.store.features import features_before

__all__ = ["Learnable", "known_of", "learnt_verdicts", "overlaps_of"]

_GATE: Final = PARTS.index("gate")
_OVERLAPS: Final = (
    "words_shared",
    "words_nearest",
    "words_mean",
    "words_query",
    "words_both",
    "words_numbers",
    "letters_query",
    "letters_least",
)
"""Features that compare words; no behaviour is among them, which has not been measured here."""


@dataclass(frozen=True)
class Learnable:
    """Columns of the samples of a partition, judged ones first, with the confirmed ones marked.

    Attributes:
        known: columns of the N rows that are judged, then of the rows that are held out.
        trusted: confirmed samples that teach, with their confirmed labels.
        measured: rows of the confirmed samples of the gate, shape (M,).
        correct: whether the log's label of each of those is the confirmed one, shape (M,).
    """

    known: Known
    trusted: Trusted
    measured: NDArray[np.int64]
    correct: NDArray[np.bool_]


def known_of(rows: Rows, held: Rows, overlaps: Mapping[bytes, NDArray[np.float32]]) -> Learnable:
    """Make the columns of yes-or-no samples that evidence reads.

    A confirmed sample is known by the label that the log gave it, like all other samples. Its
    visits were made with the confirmed label, so their margins are turned where the two differ.

    Args:
        rows: rows of stream and canaries, labelled 0 or 1.
        held: rows of confirmed samples of direction and gate.
        overlaps: numbers that compare the words of a sample's texts, by its id of 16 bytes; a
            sample without any has zeros.
    """
    both = {
        name: np.concatenate([rows[name], held[name]])
        for name in ("label", "given", "part", "score", "recent_margin", "last_version")
    }
    truth, is_confirmed = both["label"].astype(np.int64), both["given"] >= 0
    label = np.where(is_confirmed, both["given"], truth).astype(np.int64)
    version, versions = both["last_version"], np.unique(both["last_version"]).tolist()
    score = on_one_scale(
        both["score"].astype(np.float64),
        version,
        {one: rows.canaries.scores_at(one).astype(np.float64) for one in versions},
    )
    recent = on_one_scale(
        both["recent_margin"] * _sign(truth),
        version,
        {one: _signed_canaries(rows, one) for one in versions},
    )
    known = Known(
        label,
        scores=np.column_stack([-score / 2, score / 2]),
        margin=recent * _sign(label),
        features=_features(rows, held, overlaps),
    )
    is_gate = both["part"] == _GATE
    teaches = np.flatnonzero(is_confirmed & ~is_gate)
    measured = np.flatnonzero(is_confirmed & is_gate)
    correct = label[measured] == truth[measured]
    return Learnable(known, Trusted(teaches, truth[teaches]), measured, correct)


def learnt_verdicts(
    rows: Rows, held: Rows, store: Store, partition: int, end: int, settings: Settings
) -> Verdicts | None:
    """What evidence that has learnt from confirmed samples says of the rows of a partition.

    Args:
        rows: rows of stream and canaries.
        held: rows of confirmed samples of direction and gate.
        store: the history, which has the features of the samples.
        partition: number of the partition.
        end: position up to which (exclusive) its samples count.
        settings: settings of the judge and of the objectives.

    Returns:
        The verdicts, with weights in the loss; None if evidence is not to be learnt, if the labels
        are not yes and no, or if too few samples are confirmed for p-values.
    """
    standing = settings.standing
    confirmed = int((rows["given"] >= 0).sum()) + int((held["given"] >= 0).sum())
    if (
        standing.evidence == "margin"
        or len(settings.objectives.label_names) > 2
        or confirmed < standing.canary_minimum
    ):
        return None
    found = known_of(rows, held, overlaps_of(store, partition, end))
    verdicts = weigh_and_compare(
        found.known,
        found.trusted,
        standing.canary_minimum,
        divisions=standing.divisions,
        seed=settings.run.seed,
    )
    if np.isnan(verdicts.p_value).all():
        return None
    weight = clipped_weights(verdicts.weighed.right, found.measured, found.correct)
    return _as_trained(replace(verdicts, weight=weight).first(len(rows)), rows)


def overlaps_of(store: Store, partition: int, end: int) -> dict[bytes, NDArray[np.float32]]:
    """Numbers that compare the words of the samples of a partition, by sample id."""
    found = features_before(store, partition, end, _OVERLAPS)
    return {key: np.array(values, np.float32) for key, values in found}


def _as_trained(verdicts: Verdicts, rows: Rows) -> Verdicts:
    """The same verdicts, but confirmed canaries weigh 1, and a corrected label is not doubted.

    Evidence weighs the label that the log gave. A round trains on the confirmed one.
    """
    confirmed = rows["given"] >= 0
    corrected = confirmed & (rows["given"] != rows["label"])
    weighed = verdicts.weighed
    doubt = np.where(corrected, weighed.doubt.min(initial=0.0), weighed.doubt)
    return replace(
        verdicts,
        weighed=replace(weighed, doubt=doubt, right=np.where(corrected, 1.0, weighed.right)),
        p_value=np.where(corrected, 1.0, verdicts.p_value),
        weight=None if verdicts.weight is None else np.where(confirmed, 1.0, verdicts.weight),
    )


def _sign(label: NDArray[np.int64]) -> NDArray[np.int64]:
    return 2 * label - 1


def _signed_canaries(rows: Rows, version: int) -> NDArray[np.float64]:
    places, margins = rows.canaries.at(version)
    return np.asarray(margins * _sign(rows["label"][places].astype(np.int64)))


def _features(
    rows: Rows, held: Rows, overlaps: Mapping[bytes, NDArray[np.float32]]
) -> NDArray[np.float64] | None:
    if not overlaps:
        return None
    none = np.zeros(len(_OVERLAPS), np.float32)
    ids = [some.id_of(row).bytes for some in (rows, held) for row in range(len(some))]
    return np.array([overlaps.get(key, none) for key in ids], np.float64)
