"""Evidence by margin: how firmly recent versions disagree with the label."""

from dataclasses import dataclass

import numpy as np

from mainstem.evidence.contract import Fixed, Known

__all__ = ["Margin", "Score"]


@dataclass(frozen=True)
class Margin:
    """The running margin of the given label, with a short memory.

    fit of the given label = margin, and 0 for every other class, so that the doubt is the margin
    with its sign turned. It knows of no class but the given one.

    Source:
        Pleiss, Zhang, Elenberg, Weinberger, Identifying Mislabeled Data using the Area Under the
        Margin Ranking, NeurIPS 2020, https://arxiv.org/abs/2001.10528.
    """

    name = "margin"
    learns = False

    def read(self, known: Known) -> Fixed | None:
        """Read the columns; None if the one that is needed is not known."""
        if known.margin is None:
            return None
        fits = np.zeros((len(known), known.classes))
        fits[np.arange(len(known)), known.label] = known.margin
        return Fixed(fits)


@dataclass(frozen=True)
class Score:
    """What the newest version says of each class, centred."""

    name = "score"
    learns = False

    def read(self, known: Known) -> Fixed | None:
        """Read the columns; None if the one that is needed is not known."""
        if known.scores is None:
            return None
        return Fixed(known.scores - known.scores.mean(axis=1, keepdims=True))
