"""Which samples are trusted: sets that are revealed after a home was made.

The sets of one seed are nested, so that more trusted samples never replace others. Of a set, the
gate part only measures and calibrates; the other two parts teach.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.evidence import Trusted
from mainstem.settings import Settings
from mainstem.trusted.trust import part_of

__all__ = ["Revealed", "of_questions", "of_samples", "with_sound"]


@dataclass(frozen=True)
class Revealed:
    """A trusted set.

    Attributes:
        teaches: trusted samples that teach, with their true labels.
        measures: trusted samples of the gate part, with theirs.
    """

    teaches: Trusted
    measures: Trusted

    def __len__(self) -> int:
        return len(self.teaches) + len(self.measures)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of all trusted samples of the set."""
        return np.concatenate([self.teaches.rows, self.measures.rows])


def of_samples(
    truth: NDArray[np.int64], questions: Sequence[UUID], count: int, settings: Settings
) -> Revealed:
    """A set of some samples, drawn at random from those whose truth is known.

    Args:
        truth: true label of each of N samples, shape (N,); -1 where it is not known.
        questions: ids of their questions; all trusted samples of a question are in one part.
        count: number of samples.
        settings: settings with the seed and with the shares of the parts.
    """
    return _divided(np.sort(_order(truth, settings)[:count]), truth, questions, settings)


def of_questions(
    truth: NDArray[np.int64], questions: Sequence[UUID], share: float, settings: Settings
) -> Revealed:
    """A set of all samples of some questions.

    Args:
        truth: true label of each of N samples, shape (N,); -1 where it is not known.
        questions: ids of their questions.
        share: share of the questions.
        settings: settings with the seed and with the shares of the parts.
    """
    number = np.unique([one.hex for one in questions], return_inverse=True)[1]
    random = np.random.default_rng((5, settings.run.seed))
    chosen = random.random(int(number.max(initial=-1)) + 1) < share
    return _divided(np.flatnonzero(chosen[number] & (truth >= 0)), truth, questions, settings)


def with_sound(
    label: NDArray[np.int64], truth: NDArray[np.int64], sound: int, seed: tuple[int, ...]
) -> Revealed:
    """A set that holds some number of samples with a right label, all of which teach.

    Args:
        label: label in the log, shape (N,).
        truth: true label, shape (N,); -1 where it is not known.
        sound: number of samples with a right label.
        seed: seed of the draw.
    """
    order = np.random.default_rng(seed).permutation(np.flatnonzero(truth >= 0))
    right = np.cumsum(label[order] == truth[order])
    rows = np.sort(order[: int(np.searchsorted(right, sound)) + 1])
    nothing = np.zeros(0, np.int64)
    return Revealed(Trusted(rows, truth[rows]), Trusted(nothing, nothing))


def _order(truth: NDArray[np.int64], settings: Settings) -> NDArray[np.int64]:
    random = np.random.default_rng((4, settings.run.seed))
    return random.permutation(np.flatnonzero(truth >= 0))


def _divided(
    rows: NDArray[np.int64],
    truth: NDArray[np.int64],
    questions: Sequence[UUID],
    settings: Settings,
) -> Revealed:
    gate = np.array(
        [part_of(settings, questions[row], whole=True) == "gate" for row in rows], np.bool_
    )
    both = Trusted(rows, truth[rows])
    return Revealed(both.only(~gate), both.only(gate))
