"""Estimators in shadow beside a scoring worker: which there are, and how their figures are kept.

Figures are written at a judgement, for the samples that were visited since the last one. So each
visit costs a row for each estimator, however long the log grows. A figure that depends on the other
samples of the partition, such as a share, is that of the judgement.
"""

import numpy as np

from mainstem.estimators import Shadow
from mainstem.importance import Rows
from mainstem.scoring.kept import representation_of
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.estimates import write_estimates

__all__ = ["keep_estimates", "shadow_of"]


def shadow_of(settings: Settings) -> Shadow | None:
    """The estimators that the settings let run in shadow; None for none, which costs nothing.

    Example:
        >>> shadow_of(Settings()) is None
        True
    """
    if not (names := settings.importance.shadow_names):
        return None
    classes = max(len(settings.objectives.label_names), 2)
    return Shadow(names, classes=classes, seed=settings.run.seed)


def keep_estimates(
    store: Store, rows: Rows, shadow: Shadow, partition: int, end: int, *, everyone: bool
) -> None:
    """Write the figures of the samples that were visited since the last time.

    After a rebuild these are all samples; a row that is written again replaces itself.

    Args:
        store: the history.
        rows: rows of a partition.
        shadow: the estimators, which keep columns in these rows.
        partition: number of the partition.
        end: position up to which (exclusive) its samples count.
        everyone: whether the figures of all samples are written.
    """
    changed = shadow.changed(rows)
    places = np.arange(len(rows)) if everyone else changed
    if not len(places):
        return
    reads = shadow.reads_representations
    representation = representation_of(store, rows, partition, end) if reads else None
    figures = shadow.values(rows, representation)
    columns = ("label_version", "last_version", "partition", "offset", "event_time")
    write_estimates(
        store,
        [rows.id_of(row) for row in places],
        *(rows[name][places] for name in columns),
        figures={name: values[places] for name, values in figures.items()},
    )
