"""What the history keeps of the samples of a partition beside their rows, for evidence to read."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mainstem.behaviour import FEATURE_NAMES
from mainstem.importance import Rows
from mainstem.store import Store
from mainstem.store.features import features_before
from mainstem.store.representations import read_by, representations_at
from mainstem.store.trusted import graded_pairs, questions_of_confirmed
from mainstem.store.visits import CanaryLogits, canary_logits, newest_logits

__all__ = ["Kept", "kept_of", "numbered", "representation_of"]

_NEARLY_ALL: Final = 0.95  # of the samples, that must have a representation by one version


@dataclass(frozen=True)
class Kept:
    """Columns of N samples, in the order of their rows; a column that is not there is None.

    Attributes:
        features: behaviour features and comparisons of words, shape (N, F); zeros of a sample that
            has none.
        source: number of the source and category of each sample, shape (N,).
        question: number of the question of each sample, shape (N,): one that two confirmed samples
            share is the same, and any other sample has one of its own.
        representation: what the head of one version read of each sample, shape (N, D), float16.
        logits: logits of the visit by the version in column `last_version`, shape (N, C), a row of
            NaN where that visit has none. It is read for more than two classes.
        graded: whether each sample is a pair that came with its grade, shape (N,): its label is
            true, and the log never gave it one.
        canaries: by version, the logits of the canaries that it scored.
    """

    features: NDArray[np.float32] | None = None
    source: NDArray[np.int64] | None = None
    question: NDArray[np.int64] | None = None
    representation: NDArray[np.float16] | None = None
    logits: NDArray[np.float64] | None = None
    graded: NDArray[np.bool_] | None = None
    canaries: dict[int, CanaryLogits] = field(default_factory=dict)


def kept_of(
    store: Store,
    some: Sequence[Rows],
    partition: int,
    end: int,
    *,
    classes: int = 2,
    representations: bool = False,
) -> Kept:
    """Read what the history keeps of the samples of a partition.

    All of it was written when the samples were accepted or scored, so that rows that were rebuilt
    find what live rows find; only representations expire.

    Args:
        store: the history.
        some: rows of the partition: those that are judged, then those that are held out.
        partition: number of the partition.
        end: position up to which (exclusive) its samples count.
        classes: number of classes C.
        representations: whether representations are read. They are None unless one version has
            scored nearly all samples, because those of two versions are not comparable.
    """
    ids = [rows.id_of(row).bytes for rows in some for row in range(len(rows))]
    place = {key: at for at, key in enumerate(ids)}
    versions = np.concatenate([rows["last_version"] for rows in some]).astype(np.int64)
    features, source = _features(store, place, partition, end)
    pairs = graded_pairs(store)
    graded = np.array([key in pairs for key in ids], np.bool_) if pairs else None
    questions = questions_of_confirmed(store, partition)
    question = _numbers([questions.get(key, key) for key in ids])
    made = Kept(features, source, question, graded=graded)
    if representations and ids:
        read = _representations(store, place, partition, end, int(versions.max()))
        made = replace(made, representation=read)
    if classes == 2 or not ids:
        return made
    in_use = np.unique(versions).tolist()
    logits = np.full((len(ids), classes), np.nan)
    for key, version, its in newest_logits(store, partition, end, max(in_use), classes):
        at = place.get(key, -1)
        if at >= 0 and versions[at] == version:
            logits[at] = its
    canaries = canary_logits(store, partition, end, in_use, classes)
    return replace(made, logits=logits, canaries=canaries)


def representation_of(store: Store, rows: Rows, partition: int, end: int) -> NDArray[Any] | None:
    """What the head of one version read of each row, shape (N, D), zeros where it read nothing.

    None unless one version has read nearly all of them.
    """
    place = {rows.id_of(row).bytes: row for row in range(len(rows))}
    newest = int(rows["last_version"].max(initial=0))
    return _representations(store, place, partition, end, newest) if place else None


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


def _numbers(names: Sequence[bytes]) -> NDArray[np.int64]:
    number = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return np.array([number[name] for name in names], np.int64)


def _features(
    store: Store, place: dict[bytes, int], partition: int, end: int
) -> tuple[NDArray[np.float32] | None, NDArray[np.int64] | None]:
    values = np.zeros((len(place), len(FEATURE_NAMES)), np.float32)
    origins = [("", "")] * len(place)
    found = False
    for key, numbers, source, category in features_before(store, partition, end):
        at = place.get(key, -1)
        if at >= 0:
            values[at], origins[at], found = numbers, (source, category), True
    return (values, numbered(origins)) if found else (None, None)


def _representations(
    store: Store, place: dict[bytes, int], partition: int, end: int, newest: int
) -> NDArray[Any] | None:
    """Representations by the newest version that has read nearly all samples; None if none has."""
    enough = _NEARLY_ALL * len(place)
    for version, samples in read_by(store, partition, end):
        # subtle: rows never know more than the version in use
        if version > newest or samples < enough:
            continue
        read = dict(representations_at(store, partition, end, version))
        there = [key for key in place if key in read]
        if len(there) >= enough:
            found = np.zeros((len(place), len(read[there[0]])), np.float16)
            found[[place[key] for key in there]] = [read[key] for key in there]
            return found
    return None
