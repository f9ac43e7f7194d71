"""What versions said of the samples of a home, brought to one scale.

The newest visits of two samples may come from two versions, and what these say is not comparable.
But both versions scored canaries, and each number is placed among those of its version.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mainstem.evidence import on_one_scale
from mainstem.importance import CANARY, Rows
from mainstem.store import Store, StoredVisits, stored_visits

__all__ = ["margins_of", "scores_of"]

_END: Final = 1 << 62  # past every position


def scores_of(store: Store, rows: Rows, version: int, classes: int) -> NDArray[np.float64] | None:
    """What the newest version that scored each sample says of each class.

    Args:
        store: the history, with one partition.
        rows: rows of N samples.
        version: number of the newest version.
        classes: number of classes C.

    Returns:
        Scores on one scale, shape (N, C); None where there are more than two classes and visits
        keep no logits.
    """
    width = 1 if classes == 2 else classes
    said = np.full((len(rows), width), np.nan)
    by_version: dict[int, NDArray[np.float64]] = {}
    last = np.full(len(rows), -1)
    for at in range(version + 1):
        canaries = []
        for found in stored_visits(store, 0, _END, at):
            numbers = _numbers(found, classes)
            if numbers is None:
                return None
            places = rows.rows_of(found.keys)
            known = places >= 0
            said[places[known]], last[places[known]] = numbers[known], at
            canaries.append(numbers[found.facts.part == CANARY])
        if canaries:
            by_version[at] = np.concatenate(canaries)
    columns = [
        on_one_scale(said[:, one], last, {at: its[:, one] for at, its in by_version.items()})
        for one in range(width)
    ]
    if classes == 2:
        return np.column_stack([-columns[0] / 2, columns[0] / 2])
    return np.column_stack(columns)


def margins_of(rows: Rows) -> NDArray[np.float64]:
    """The recent margin of each sample among those of the canaries with its label, shape (N,).

    Samples are compared with the canaries of the version that scored them last.
    """
    label, version = rows["label"], rows["last_version"].astype(np.int64)
    found = np.full(len(rows), np.nan)
    for one in np.unique(label):
        here = label == one
        found[here] = on_one_scale(
            rows["recent_margin"][here], version[here], _canaries(rows, version, int(one))
        )
    return found


def _canaries(
    rows: Rows, version: NDArray[np.int64], label: int
) -> Mapping[int, NDArray[np.float64]]:
    found = {}
    for at in np.unique(version).tolist():
        places, margins = rows.canaries.at(at)
        found[at] = margins[rows["label"][places] == label]
    return found


def _numbers(found: StoredVisits, classes: int) -> NDArray[np.float64] | None:
    """Log-odds of yes, shape (B, 1), or the logits of more classes, shape (B, C)."""
    if classes == 2:
        sign = 2 * found.facts.label - 1
        return np.asarray((sign * found.margin)[:, None], np.float64)
    if found.logits.shape[1] != classes:
        return None
    return found.logits.astype(np.float64)
