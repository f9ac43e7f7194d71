"""Labelled texts of a set in a folder, with labels of people or with labels turned at random."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.evidence.streams import CLASSES, TEXTS
from mainstem.errors import LogError
from mainstem.events import Labelled

__all__ = ["Texts", "given_labels", "has_texts", "labelled", "read_texts"]

_TRAIN: Final = "noisy_train.parquet"
_TEST: Final = "clean_test.parquet"
_FIRST: Final = 1_767_225_600_000  # 2026-01-01, when the first text comes
_BETWEEN: Final = 60_000  # milliseconds between two texts


@dataclass(frozen=True)
class Texts:
    """Texts with the labels that people gave them.

    Attributes:
        words: the texts.
        given: the label that somebody gave each text, shape (N,).
        truth: the true label of each text, shape (N,).
        test: texts on which a model may be measured; empty if the set has none.
        test_truth: their true labels.
    """

    words: list[str]
    given: NDArray[np.int64]
    truth: NDArray[np.int64]
    test: list[str]
    test_truth: NDArray[np.int64]


def has_texts(data: Path | None) -> bool:
    """Whether a folder of sets holds the texts."""
    return data is not None and (data / TEXTS / _TRAIN).is_file()


def read_texts(data: Path) -> Texts:
    """Read the texts from a folder of sets.

    Raises:
        LogError: if pyarrow is not installed.
    """
    try:
        from pyarrow.parquet import read_table
    except ImportError as error:
        msg = f"{TEXTS} is in Parquet; install pyarrow to read it"
        raise LogError(msg) from error
    train = read_table(data / TEXTS / _TRAIN).to_pydict()
    test = data / TEXTS / _TEST
    clean = read_table(test).to_pydict() if test.is_file() else {"text": [], "clean_label": []}
    return Texts(
        train["text"],
        np.array(train["noisy_label"], np.int64),
        np.array(train["clean_label"], np.int64),
        clean["text"],
        np.array(clean["clean_label"], np.int64),
    )


def given_labels(texts: Texts, wrong: float | None, seed: int) -> NDArray[np.int64]:
    """The labels in the log, shape (N,).

    Args:
        texts: the texts.
        wrong: share of the texts that get another class, drawn at random; None takes the labels
            that people gave.
        seed: seed of the draw.
    """
    if wrong is None:
        return texts.given
    random, classes = np.random.default_rng((1, seed)), len(CLASSES.split(","))
    turned = random.random(len(texts.truth)) < wrong
    step = random.integers(1, classes, len(texts.truth))
    return np.where(turned, (texts.truth + step) % classes, texts.truth)


def labelled(texts: Texts, given: NDArray[np.int64], seed: int) -> Iterator[Labelled]:
    """The texts as events, in an order that the seed decides; `event_id` is the row of a text."""
    names = CLASSES.split(",")
    order = np.random.default_rng((2, seed)).permutation(len(texts.words))
    for place, row in enumerate(order.tolist()):
        yield Labelled(
            event_id=str(row),
            event_timestamp=_FIRST + place * _BETWEEN,
            user_id=str(row),
            text=texts.words[row],
            label=names[given[row]],
        )
