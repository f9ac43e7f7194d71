"""The columns that evidence reads, from the rows that a home has stored.

Everything comes from the history: the rows with their importance, the visits with their logits, the
features and the representations.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.evidence.overlaps import overlaps
from mainstem.bench.evidence.truths import read_truths
from mainstem.bench.evidence.views import margins_of, scores_of
from mainstem.evidence import Known
from mainstem.ids import uuid_of
from mainstem.importance import Rows
from mainstem.scoring.rebuilding import rebuilt
from mainstem.store import Store, representations_of
from mainstem.store.described import DESCRIBED, Described
from mainstem.store.features import stored_features
from mainstem.store.versions import promoted_versions

__all__ = ["Columns", "columns_of", "in_rows", "numbered"]

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
    rows = rebuilt(store, {0: _END}, version, left={0: 0}, sketch=0).rows[0]
    known = {one.sample_id: one for one in DESCRIBED.of(store)}
    described = [known[rows.id_of(row)] for row in range(len(rows))]
    label = rows["label"].astype(np.int64)
    told = Known(
        label,
        classes,
        scores=scores_of(store, rows, version, classes),
        margin=margins_of(rows),
        features=_features(store, described),
        representation=_representations(store, rows) if frozen is None else in_rows(frozen, rows),
        source=numbered([(one.source, one.category) for one in described]),
    )
    meant = read_truths(truth, (one.sample_id.bytes for one in described))
    return Columns(rows, told, meant, described)


def numbered(names: Sequence[Hashable]) -> NDArray[np.int64] | None:
    """Numbers for names, the most frequent name first, shape (N,); None if there is one name.

    Example:
        >>> numbered(["mugs", "lamps", "lamps"]).tolist()
        [1, 0, 0]
    """
    counts = Counter(names)
    if len(counts) < 2:
        return None
    number = {name: place for place, (name, _) in enumerate(counts.most_common())}
    return np.array([number[name] for name in names], np.int64)


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


def _features(store: Store, described: Sequence[Described]) -> NDArray[np.float64] | None:
    """Overlaps of the two texts and behaviour features; None for texts without a pair."""
    if not any(one.item_text for one in described):
        return None
    words = np.array([overlaps(one.context_text, one.item_text) for one in described])
    stored = stored_features(store, (one.sample_id for one in described))
    if not stored:
        return words
    nothing = (0.0,) * len(next(iter(stored.values())))
    behaviour = np.array([stored.get(one.sample_id, nothing) for one in described])
    return np.hstack([words, behaviour])


def _representations(store: Store, rows: Rows) -> NDArray[Any] | None:
    """What the head of one version read of each sample; zeros of samples that it did not score.

    Only representations of one version are comparable. It is the newest one that nearly all
    samples have.
    """
    ids = [rows.id_of(row) for row in range(len(rows))]
    newest = list(representations_of(store, ids))
    if not newest:
        return None
    versions = np.concatenate([one.versions for one in newest])
    version = int(np.bincount(versions).argmax())
    found: NDArray[Any] | None = None
    for some in representations_of(store, ids, version):
        if found is None:
            found = np.zeros((len(rows), some.values.shape[1]), np.float16)
        found[rows.rows_of([one.bytes for one in some.sample_ids])] = some.values
    return found
