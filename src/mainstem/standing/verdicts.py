"""Verdicts on labels from evidence that has learnt from trusted samples."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mainstem.evidence import PARTS, CrossFit, Known, Part, Trusted, Weighed, weigh
from mainstem.standing.conformal import Floats
from mainstem.standing.crossed import Crossed, cross_conformal_p_values, strata_of

__all__ = ["Verdicts", "weigh_and_compare"]


@dataclass(frozen=True)
class Verdicts:
    """How doubtful the labels of N samples are, and how rare that is among sound samples.

    Attributes:
        weighed: doubt, the probability that each label is right, and what says so.
        p_value: probability that a sound sample is at least this doubtful, shape (N,); NaN if too
            few trusted samples have the right label in the log.
        sound: rows of the trusted samples whose given label is right; they are the canaries.
        weight: weight of each sample in the loss, shape (N,), in [0, 1]; None if all weigh 1.
        taught: number of trusted samples that taught.
        compared: number of those that are canaries.
    """

    weighed: Weighed
    p_value: Floats
    sound: NDArray[np.int64]
    weight: Floats | None = None
    taught: int = 0
    compared: int = 0

    def first(self, count: int) -> "Verdicts":
        """The verdicts on the first samples, without those that were only weighed beside them."""
        return replace(
            self,
            weighed=self.weighed.first(count),
            p_value=self.p_value[:count],
            sound=self.sound[self.sound < count],
            weight=None if self.weight is None else self.weight[:count],
        )


def weigh_and_compare(
    known: Known,
    trusted: Trusted,
    minimum: int,
    *,
    graded: Trusted | None = None,
    label_minimum: int = 1000,
    parts: tuple[Part, ...] = PARTS,
    divisions: int = 5,
    seed: int = 0,
) -> Verdicts:
    """Weigh all labels, and compare the doubt about each with that about sound trusted samples.

    A trusted sample whose given label is right is a sound sample of the stream, as long as the
    trusted samples were drawn from the stream at random. Those whose given label is wrong teach
    what wrong labels look like, and are not compared with.

    Args:
        known: columns of N samples; `label` is the log's label of trusted samples too.
        trusted: trusted samples that teach, with their true labels.
        minimum: number of sound trusted samples below which there are no p-values.
        graded: samples whose true label is known and to which the log gave none; they teach what is
            true, and nothing is compared with them.
        label_minimum: number of sound trusted samples of every label from which on a sample is
            compared with those of its own label; with fewer, the smallest p-value of a label is
            too large for any verdict.
        parts: kinds of evidence.
        divisions: number of divisions of the trusted samples into folds; more make what is found
            depend less on the seed.
        seed: seed of the divisions.

    Example:
        >>> random = np.random.default_rng(0)
        >>> truth, feature = np.repeat([0, 1], 500), random.normal(size=1000)
        >>> label = truth.copy()
        >>> label[:200] = 1  # 200 of 700 given yes are wrong
        >>> known = Known(label, features=(feature + 6 * truth)[:, None])
        >>> rows = np.arange(0, 1000, 4)
        >>> found = weigh_and_compare(known, Trusted(rows, truth[rows]), 100, divisions=1)
        >>> [float(np.median(part).round(1)) for part in np.split(found.p_value, [200])]
        [0.0, 0.5]
    """
    sound = known.label[trusted.rows] == trusted.truth
    crossed: list[Crossed] = []

    def compare(one: CrossFit) -> None:
        canaries = trusted.rows[one.held[sound[one.held]]]
        crossed.append(Crossed(one.log_odds, canaries, one.division))

    weighed = weigh(
        known, trusted, graded=graded, parts=parts, divisions=divisions, seed=seed, watch=compare
    )
    canaries = trusted.rows[sound]
    if len(canaries) < minimum or not crossed:
        p_value = np.full(len(known), np.nan)
    else:
        strata = strata_of(known.label, canaries, label_minimum)
        p_value = cross_conformal_p_values(crossed, strata)
    return Verdicts(weighed, p_value, canaries, taught=len(trusted), compared=len(canaries))
