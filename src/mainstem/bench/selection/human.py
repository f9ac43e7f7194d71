"""Texts with the labels that people gave them, and with the true ones, over frozen features."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np

from mainstem.bench.cost.log import Log
from mainstem.bench.evidence.streams import CLASSES, TEXTS
from mainstem.bench.evidence.texts import Texts, given_labels, labelled, read_texts
from mainstem.bench.selection.frozen_head import frozen_head, word_of
from mainstem.events import encode
from mainstem.ids import uuid_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HumanStream"]

_SETTINGS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "objectives.classes": CLASSES,
        "model.behaviour": False,  # nothing is known of a text but its words
        "model.examination": False,
    }
)


@dataclass(frozen=True, kw_only=True)
class HumanStream:
    """The texts of a set, in an order that the seed decides, as people labelled them.

    The model is a head over features of the texts that a frozen model gave.

    Attributes:
        name: name of the stream in tables.
        data: folder of the sets.
        features: file with the features of all texts, shape (N, D), as `numpy.save` writes it.
        model: name of the model that gave them; cells of another one are others.
        confirmed: share of the texts whose true label somebody confirmed.
        settings: settings that differ from the usual ones.
        cell_seconds: about how long one cell takes on one core.
    """

    name: str = f"{TEXTS}, human labels"
    data: Path = field(repr=False)  # where the files lie changes no figure
    features: Path = field(repr=False)
    model: str
    confirmed: float = 0.1
    settings: Mapping[str, Any] = field(default_factory=lambda: dict(_SETTINGS))
    cell_seconds: float = 12.0

    @property
    def is_noisy(self) -> bool:
        """People are wrong about every fifth text."""
        return True

    def log(self, seed: int) -> Log:
        """The texts as labelled events, each as the word that stands for it.

        Args:
            seed: seed of the order.
        """
        texts = read_texts(self.data)
        features: NDArray[Any] = np.load(self.features)
        return Log(
            lines=list(_lines(texts, seed)),
            truth=_truth(texts),
            encoder=partial(frozen_head, features),
        )


def _lines(texts: Texts, seed: int) -> Iterator[bytes]:
    named = Texts(
        [word_of(row) for row in range(len(texts.words))], texts.given, texts.truth, [], texts.truth
    )
    return map(encode, labelled(named, given_labels(named, None, seed), seed))


def _truth(texts: Texts) -> dict[UUID, int]:
    return {
        uuid_of("sample", str(row), ""): label for row, label in enumerate(texts.truth.tolist())
    }
