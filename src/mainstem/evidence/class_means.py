"""Evidence by class means: which class a sample lies nearest to."""

from dataclasses import dataclass

import numpy as np

from mainstem.evidence.contract import Fixed, Known
from mainstem.evidence.neighbours import of_length_one

__all__ = ["ClassMeans"]


@dataclass(frozen=True)
class ClassMeans:
    """Cosine of a sample's representation with the mean of each class, without the odd ones.

    The mean of a class is taken over the samples that are given its label, then again over the
    better part of them: those that lie nearest to it, compared with the other means. So wrong
    labels hardly move it. All vectors are centred first.

    Attributes:
        kept: share of the samples of a class that its mean is taken over, in (0, 1].
        rounds: how often the means are taken again.
        scale: what a cosine is multiplied by, which makes it the size of a log-probability.

    Source:
        Lee, He, Zhang, Yang, CleanNet, CVPR 2018, https://arxiv.org/abs/1711.07131, compares
        samples with class prototypes; trimming is Rousseeuw and Van Driessen's concentration step,
        A Fast Algorithm for the Minimum Covariance Determinant Estimator, Technometrics 1999.
    """

    kept: float = 0.65
    rounds: int = 2
    scale: float = 5.0

    name = "class means"
    learns = False

    def read(self, known: Known) -> Fixed | None:
        """Read the columns; None if the one that is needed is not known."""
        if known.representation is None or not len(known):
            return None
        vectors = of_length_one(known.representation)
        vectors = of_length_one(vectors - vectors.mean(axis=0))
        rows, label = np.arange(len(known)), known.label
        kept = np.ones(len(known), np.bool_)
        near = np.zeros((len(known), known.classes), np.float32)
        for _ in range(self.rounds + 1):
            means = np.zeros((known.classes, vectors.shape[1]), np.float32)
            for one in range(known.classes):
                its = kept & (label == one)
                if its.any():
                    means[one] = vectors[its].mean(axis=0)
            near = vectors @ of_length_one(means).T  # (N, C)
            others = near.copy()
            others[rows, label] = -np.inf
            ahead = near[rows, label] - others.max(axis=1)
            kept = np.zeros(len(known), np.bool_)
            for one in range(known.classes):
                its = np.flatnonzero(label == one)
                count = max(1, round(len(its) * self.kept))
                kept[its[np.argsort(-ahead[its], kind="stable")[:count]]] = True
        return Fixed(near.astype(np.float64) * self.scale)
