"""A judgement made again out of stored visits, with the settings that were used and with others."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mainstem.importance import Rows
from mainstem.scoring.evidence import evidence_on
from mainstem.scoring.rebuilding import rebuilt
from mainstem.settings import Settings
from mainstem.standing import NOISE, REASONS, STANDINGS, Judgement, judge
from mainstem.store import Store
from mainstem.store.supposing import JudgementThere, judgement_there, labels_are_believed

__all__ = ["Judged", "judged_again", "left_at", "set_of"]

_OF_EVIDENCE: Final = ("evidence", "canary_minimum", "divisions")


@dataclass(frozen=True)
class Judged:
    """One partition judged twice.

    Attributes:
        rows: its rows as at that judgement.
        before: the judgement with the settings that were used.
        after: the judgement with the others.
    """

    rows: Rows
    before: Judgement
    after: Judgement


def judged_again(
    store: Store, partition: int, end: int, settings: Settings, supposed: Settings
) -> Judged | None:
    """Make the last judgement of a partition at or before a position again.

    Args:
        store: the history.
        partition: number of the partition.
        end: position; the last judgement there or before it is made again.
        settings: settings that were used.
        supposed: other settings.

    Returns:
        Both judgements; None if there was none by then.
    """
    there = judgement_there(store, partition, end)
    if there is None:
        return None
    ends, left = {partition: there.position}, {partition: left_at(there, settings)}
    made = rebuilt(store, ends, there.version, left=left, sketch=settings.responses.sketch)
    rows, held = made.rows[partition], made.held[partition]
    trusted = labels_are_believed(store)
    said = evidence_on(rows, held, store, partition, there.position, settings)
    before = judge(rows, settings.standing, trusted=trusted, **said._asdict())
    if supposed.standing == settings.standing:
        return Judged(rows, before, before)
    if any(
        getattr(supposed.standing, one) != getattr(settings.standing, one) for one in _OF_EVIDENCE
    ):
        said = evidence_on(rows, held, store, partition, there.position, supposed)
    return Judged(rows, before, judge(rows, supposed.standing, trusted=trusted, **said._asdict()))


def left_at(there: JudgementThere | None, settings: Settings) -> int:
    """Event time before which rows had been dropped after a judgement."""
    return max(there.event_time - settings.responses.horizon, 0) if there else 0


def set_of(judged: Judgement) -> NDArray[Any]:
    """The name of the set of each sample, shape (N,): its standing, or in noise the reason."""
    standing, reason = np.array(STANDINGS)[judged.standing], np.array(REASONS)[judged.reason]
    return np.where(judged.standing == NOISE, reason, standing).astype("U13")
