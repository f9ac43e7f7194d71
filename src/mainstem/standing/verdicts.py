"""Verdicts on labels from evidence that has learnt from trusted samples."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mainstem.evidence import PARTS, CrossFit, Known, Part, Trusted, Weighed, weigh
from mainstem.standing.conformal import Floats
from mainstem.standing.crossed import (
    Crossed,
    cross_conformal_p_values,
    expected_tail,
    shift_weights,
    strata_of,
)

__all__ = ["Verdicts", "compared", "crossed_of", "weigh_and_compare"]


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
    *,
    graded: Trusted | None = None,
    minimum: int = 20,
    label_minimum: int = 1000,
    parts: tuple[Part, ...] = PARTS,
    divisions: int = 5,
    seed: int = 0,
) -> Verdicts:
    """Weigh all labels, and compare the doubt about each with that about sound trusted samples.

    A trusted sample whose given label is right is a sound sample of the stream, as long as the
    trusted samples were drawn from the stream at random. Those whose given label is wrong teach
    what wrong labels look like, and are not compared with. Where the labels or the sources of the
    sound ones are not those that are expected in the stream, they are weighed.

    Args:
        known: columns of N samples; `label` is the log's label of trusted samples too.
        trusted: trusted samples that teach, with their true labels.
        graded: samples whose true label is known and to which the log gave none; they teach what is
            true, and nothing is compared with them.
        minimum: number of sound trusted samples below which there are no p-values. With few, a
            p-value says whether a label is doubted more than most sound ones; it takes more of them
            to call a label wrong.
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
        >>> found = weigh_and_compare(known, Trusted(rows, truth[rows]), divisions=1)
        >>> [float(np.median(part).round(1)) for part in np.split(found.p_value, [200])]
        [0.0, 0.5]
    """
    crossed: list[Crossed] = []

    def compare(one: CrossFit) -> None:
        crossed.append(crossed_of(one, one.log_odds, known, trusted))

    weighed = weigh(
        known, trusted, graded=graded, parts=parts, divisions=divisions, seed=seed, watch=compare
    )
    return compared(known, trusted, weighed, crossed, minimum=minimum, label_minimum=label_minimum)


def crossed_of(one: CrossFit, doubt: Floats, known: Known, trusted: Trusted) -> Crossed:
    """The doubt of one model, with the sound trusted samples that it did not see.

    Args:
        one: the model.
        doubt: its doubt, or that of one of its parts, shape (N,).
        known: columns of N samples.
        trusted: trusted samples that teach.
    """
    rows = trusted.rows[one.held]
    return Crossed(doubt, rows[known.label[rows] == trusted.truth[one.held]], one.division)


def compared(
    known: Known,
    trusted: Trusted,
    weighed: Weighed,
    crossed: Sequence[Crossed],
    *,
    minimum: int = 20,
    label_minimum: int = 1000,
    expects: bool = True,
) -> Verdicts:
    """Compare the doubt about each label with that about sound trusted samples.

    Args:
        known: columns of N samples.
        trusted: trusted samples that teach.
        weighed: doubt and probabilities of all samples.
        crossed: the models, of all divisions.
        minimum, label_minimum: as in `weigh_and_compare`.
        expects: whether the probabilities say how many sound samples are expected to be at least as
            doubtful, and in which groups; if not, the trusted samples alone count.
    """
    canaries = trusted.rows[known.label[trusted.rows] == trusted.truth]
    told = partial(Verdicts, weighed, sound=canaries, taught=len(trusted), compared=len(canaries))
    if len(canaries) < minimum or not crossed:
        return told(np.full(len(known), np.nan))
    right, strata = weighed.right, strata_of(known.label, canaries, label_minimum)
    if not expects:
        return told(cross_conformal_p_values(crossed, strata))
    weights = shift_weights(_groups(known), canaries, right)
    together = 1.0
    if known.question is not None:
        together = len(canaries) / len(np.unique(known.question[canaries]))
    expected = expected_tail(weighed.doubt, right, strata)
    return told(cross_conformal_p_values(crossed, strata, weights, expected, together))


def _groups(known: Known) -> NDArray[np.int64]:
    """A number for each label and source of samples."""
    if known.source is None:
        return known.label.astype(np.int64)
    return np.asarray(known.source.astype(np.int64) * known.classes + known.label)
