"""The columns that evidence reads, from the rows that a home has stored.

The product makes them, so that what is measured is what runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.evidence.truths import read_truths
from mainstem.evidence import Known
from mainstem.ids import uuid_of
from mainstem.importance import Rows
from mainstem.scoring.kept import kept_of, numbered
from mainstem.scoring.known import known_of
from mainstem.scoring.rebuilding import rebuilt
from mainstem.store import Store
from mainstem.store.described import DESCRIBED, Described
from mainstem.store.versions import promoted_versions

__all__ = ["Columns", "columns_of", "in_rows"]

_END: Final = 1 << 62  # past every position


@dataclass(frozen=True)
class Columns:
    """N samples of a home, in the order of its rows.

    Attributes:
        rows: rows of the samples, as the judge reads them.
        known: columns that evidence reads.
        truth: true label of each sample, shape (N,); -1 where it is not known.
        described: question and texts of each sample.
    """

    rows: Rows
    known: Known
    truth: NDArray[np.int64]
    described: Sequence[Described]


def columns_of(
    store: Store, truth: Path, classes: int, frozen: NDArray[np.float16] | None = None
) -> Columns:
    """Read the columns of a home.

    Args:
        store: the history of the home, which has one partition and no trusted samples of its own.
        truth: file with the true labels.
        classes: number of classes.
        frozen: what a model that does not learn here says of each text, a row for each; None takes
            what the head of the newest version read.
    """
    version = max(promoted_versions(store))
    made = rebuilt(store, {0: _END}, version, left={0: 0}, sketch=0)
    rows, held = made.rows[0], made.held[0]
    kept = kept_of(store, (rows, held), 0, _END, classes=classes, representations=frozen is None)
    told = known_of(rows, held, kept, classes).known
    if frozen is not None:
        told = replace(told, representation=in_rows(frozen, rows))
    known = {one.sample_id: one for one in DESCRIBED.of(store)}
    described = [known[rows.id_of(row)] for row in range(len(rows))]
    # subtle: a home from before features kept where their samples come from has no source in them
    source = numbered([(one.source, one.category) for one in described])
    meant = read_truths(truth, (one.sample_id.bytes for one in described))
    question = np.unique([one.question_id.hex for one in described], return_inverse=True)[1]
    told = replace(told, source=source, question=question)
    return Columns(rows, told, meant, described)


def in_rows(texts: NDArray[Any], rows: Rows) -> NDArray[Any]:
    """Numbers of labelled texts in the order of the rows of a home, shape (N, D).

    Args:
        texts: numbers of each text, shape (M, D); the event id of a text is its row here.
        rows: rows of the home; those of other samples get zeros.
    """
    places = rows.rows_of([uuid_of("sample", str(row), "").bytes for row in range(len(texts))])
    found = np.zeros((len(rows), texts.shape[1]), texts.dtype)
    found[places[places >= 0]] = texts[places >= 0]
    return found
