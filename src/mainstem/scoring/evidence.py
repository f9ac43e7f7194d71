"""What evidence says of a partition at a judgement, and which kind of it decides."""

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mainstem.evidence import Weighed, clipped_weights, weigh
from mainstem.importance import Rows
from mainstem.scoring.kept import kept_of
from mainstem.scoring.known import Learnable, known_of
from mainstem.settings import Settings
from mainstem.standing import HeldOut, Verdicts, weigh_and_compare
from mainstem.store import Store

__all__ = ["Said", "evidence_on", "is_worth_it"]

# rows that are weighed anew for each new sample, at most about twice as many; neighbours are dear
_ROWS_FOR_ONE: Final = 16
_READ_FOR_ONE: Final = 4


class Said(NamedTuple):
    """What evidence says of the rows of a partition.

    Attributes:
        verdicts: verdicts of evidence that has learnt from confirmed samples, with weights in the
            loss; None if too few samples are confirmed.
        unaided: doubt by representations, which needs no confirmed sample; None if evidence has
            learnt, or if there are no representations to read.
        held_out: confirmed samples of the gate, where evidence has learnt.
    """

    verdicts: Verdicts | None = None
    unaided: Weighed | None = None
    held_out: HeldOut | None = None


def evidence_on(
    rows: Rows, held: Rows, store: Store, partition: int, end: int, settings: Settings
) -> Said:
    """What evidence says of the rows of a partition beyond their recent margins.

    Args:
        rows: rows of stream and canaries.
        held: rows of confirmed samples of direction and gate.
        store: the history, which keeps what evidence reads beside the rows.
        partition: number of the partition.
        end: position up to which (exclusive) its samples count.
        settings: settings of the judge, of the objectives and of the representations.
    """
    if not _is_weighed(rows, held, settings):
        return Said()
    representations = settings.responses.representations
    classes = max(len(settings.objectives.label_names), 2)
    kept = kept_of(
        store, (rows, held), partition, end, classes=classes, representations=representations
    )
    found = known_of(rows, held, kept, classes)
    if _has_enough(rows, held, settings) and (verdicts := _learnt(found, settings)):
        gate = found.measured
        right = verdicts.weighed.right[gate]
        places = gate - len(rows)
        held_out = HeldOut(held, places, verdicts.p_value[gate], right, ~found.correct)
        judged = _as_trained(verdicts.first(len(rows)), rows, found.graded.rows)
        return Said(judged, held_out=held_out)
    if kept.representation is None:
        return Said()
    return Said(unaided=weigh(found.known).first(len(rows)))


def is_worth_it(rows: Rows, held: Rows, end: int, settings: Settings) -> bool:
    """Whether a partition is judged at a position where the schedule has a judgement.

    Evidence weighs all rows of a partition at each judgement. So that the cost of a new sample does
    not grow with them, a large partition is judged less often: after as many new samples as a
    sixteenth of its rows, or a quarter where representations are read, rounded up to `judge_every`
    times a power of two. Where the recent margin decides, which costs little, every judgement of
    the schedule is made.

    Args:
        rows: rows of stream and canaries.
        held: rows of confirmed samples of direction and gate.
        end: position of the judgement, a multiple of `judge_every`.
        settings: settings of the judge and of the representations.
    """
    if not _is_weighed(rows, held, settings):
        return True
    for_one = _READ_FOR_ONE if settings.responses.representations else _ROWS_FOR_ONE
    every = settings.standing.judge_every
    while every * for_one < len(rows):
        every *= 2
    return end % every == 0


def _is_weighed(rows: Rows, held: Rows, settings: Settings) -> bool:
    """Whether evidence can say more than the recent margin."""
    if settings.standing.evidence == "margin" or not len(rows):
        return False
    return settings.responses.representations or _has_enough(rows, held, settings)


def _has_enough(rows: Rows, held: Rows, settings: Settings) -> bool:
    confirmed = int((rows["given"] >= 0).sum()) + int((held["given"] >= 0).sum())
    return confirmed >= settings.standing.canary_minimum


def _learnt(found: Learnable, settings: Settings) -> Verdicts | None:
    """Verdicts that were learnt; None if too few confirmed labels are right for p-values."""
    standing = settings.standing
    verdicts = weigh_and_compare(
        found.known,
        found.trusted,
        graded=found.graded,
        divisions=standing.divisions,
        seed=settings.run.seed,
    )
    if np.isnan(verdicts.p_value).all():
        return None
    weight = clipped_weights(verdicts.weighed.right, found.measured, found.correct)
    return replace(verdicts, weight=weight)


def _as_trained(verdicts: Verdicts, rows: Rows, graded: NDArray[np.int64]) -> Verdicts:
    """The same verdicts, but trusted canaries weigh 1, and a label that is true is not doubted.

    Evidence weighs the label that the log gave. A round trains on the confirmed one, and the label
    of a graded pair is true.

    Args:
        verdicts: verdicts on the rows.
        rows: rows of stream and canaries.
        graded: rows of graded pairs.
    """
    trusted = rows["given"] >= 0
    corrected = trusted & (rows["given"] != rows["label"])
    trusted[graded] = corrected[graded] = True
    weighed = verdicts.weighed
    doubt = np.where(corrected, weighed.doubt.min(initial=0.0), weighed.doubt)
    return replace(
        verdicts,
        weighed=replace(weighed, doubt=doubt, right=np.where(corrected, 1.0, weighed.right)),
        p_value=np.where(corrected, 1.0, verdicts.p_value),
        weight=None if verdicts.weight is None else np.where(trusted, 1.0, verdicts.weight),
    )
