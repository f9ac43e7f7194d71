"""The parts together, weighed as the trusted samples tell.

What a part is worth differs from stream to stream. A small conditional logit learns it from the
trusted samples: it says which class is the true one, from what each part says of each class, from
the given label, and from how often that label is wrong. No trusted sample is judged by a model
that saw it: each model is fitted without one fold, on values that its parts gave out of fold.

Few trusted samples cannot tell which part is the best: the losses of two parts differ by less than
chance. So the favoured part, the model of the truth, has a head start that other parts must earn,
and no part counts with its sign turned.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mainstem.evidence.contract import Floats, Known, Reading, Trusted, doubt_of
from mainstem.logistic import Choice

__all__ = ["Combination", "CrossFit"]

_FOLDS: Final = 5
_BLOCK: Final = 8192  # samples that are weighed at once; bounds the memory
_CONFUSED: Final = 8  # classes up to which it is learnt which label is given for which class
_SOURCES: Final = 32  # sources up to which it is learnt how often each one is wrong
_FARTHEST: Final = 6.0  # spreads at which what a part says is cut
_LEAST: Final = 0.01  # of the worth of the best part, that every part counts for
# nats of log-loss over all trusted samples, which the favoured part is worth before it is measured
_HEAD_START: Final = 32.0
# penalties on the weights of the parts, of the given label, of who is confused with whom, and of
# the sources; weaker penalties on sources let chance differences between them drown the parts
_PART, _GIVEN, _CONFUSION, _SOURCE = 3.0, 0.1, 3.0, 20.0


@dataclass(frozen=True)
class CrossFit:
    """What one model of the combination says of all samples.

    Attributes:
        held: places among the trusted samples that neither the model nor its parts saw.
        division: number of the division into folds that the model belongs to.
        log_odds: log-odds that the given label is wrong, shape (N,), by the combination.
        say: what each part adds to it, shape (N, P): its weight times its doubt.
        doubts: doubt of each part alone, shape (N, P).
    """

    held: NDArray[np.int64]
    division: int
    log_odds: Floats
    say: Floats
    doubts: Floats


@dataclass(frozen=True)
class Combination:
    """Models of the combination for N samples, each fitted without one fold of the trusted ones.

    Attributes:
        known: columns of the samples.
        trusted: trusted samples.
        readings: what each of P parts has read of the columns.
        favoured: place of the part with a head start; None if no part has one.
    """

    known: Known
    trusted: Trusted
    readings: Sequence[Reading]
    favoured: int | None = None

    def cross_fits(self, repeats: int, seed: int) -> Iterator[CrossFit]:
        """Fit a model without each fold, under several divisions into folds.

        Args:
            repeats: number of divisions.
            seed: seed of the divisions.
        """
        for repeat in range(repeats):
            fold = self.trusted.folds(_FOLDS, (seed, repeat, 0))
            for one in range(_FOLDS):
                held = np.flatnonzero(fold == one)
                if len(held):
                    taught = self.trusted.only(fold != one)
                    yield self._cross_fit(held, taught, repeat, seed)

    def _cross_fit(
        self, held: NDArray[np.int64], taught: Trusted, division: int, seed: int
    ) -> CrossFit:
        fold = taught.folds(_FOLDS, (seed, division, 1))
        inside = self._out_of_fold(taught, fold)
        spread = np.array([_spread(fits) for fits in inside])
        offers = self._offers(taught.rows, inside, spread)
        model = _fitted(offers, taught.truth, fold, len(spread), self.favoured)
        samples, parts = len(self.known), len(spread)
        log_odds = np.empty(samples)
        doubts, say = np.empty((samples, parts)), np.empty((samples, parts))
        for start in range(0, samples, _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, samples))
            label = self.known.label[rows]
            fits = [reading.fits(taught, rows) for reading in self.readings]
            offers = self._offers(rows, fits, spread)
            right = model.log_probabilities(offers)[np.arange(len(rows)), label]
            log_odds[rows] = np.log(-np.expm1(np.minimum(right, -1e-12))) - right
            for part in range(parts):
                doubts[rows, part] = doubt_of(fits[part], label)
                say[rows, part] = model.weights[part] * doubt_of(offers[:, :, part], label)
        return CrossFit(held, division, log_odds, say, doubts)

    def _out_of_fold(self, taught: Trusted, fold: NDArray[np.int64]) -> list[Floats]:
        """What each part says of trusted samples that it did not learn from, shape (T, C)."""
        found = [np.zeros((len(taught), self.known.classes)) for _ in self.readings]
        for one in np.unique(fold):
            others, places = taught.only(fold != one), np.flatnonzero(fold == one)
            for values, reading in zip(found, self.readings, strict=True):
                values[places] = reading.fits(others, taught.rows[places])
        return found

    def _offers(self, rows: NDArray[np.int64], fits: Sequence[Floats], spread: Floats) -> Floats:
        """What speaks for each class, shape (B, C, J).

        First what each part says, then 1 for the given label, then 1 for each pair of given label
        and class, and for each source of the given label.
        """
        label, classes = self.known.label[rows], self.known.classes
        columns = [
            np.clip((its - its.mean(axis=1, keepdims=True)) / size, -_FARTHEST, _FARTHEST)
            for its, size in zip(fits, spread, strict=True)
        ]
        given = np.eye(classes)[label]  # (B, C)
        columns.append(given)
        offers = np.stack(columns, axis=2)
        if classes <= _CONFUSED:
            pairs = given[:, None, :, None] * np.eye(classes)[None, :, None, :]  # (B, C, C, C)
            pairs = pairs.reshape(len(rows), classes, classes * classes)
            offers = np.concatenate([offers, pairs], axis=2)
        if self.known.source is not None:
            source = np.minimum(self.known.source, _SOURCES - 1)
            its_source = np.eye(int(source.max(initial=0)) + 1)[source[rows]]  # (B, S)
            offers = np.concatenate([offers, given[:, :, None] * its_source[:, None, :]], axis=2)
        return offers


def _fitted(
    offers: Floats,
    truth: NDArray[np.int64],
    fold: NDArray[np.int64],
    parts: int,
    favoured: int | None,
) -> Choice:
    """The combination, which starts from what each part is worth alone.

    A part is worth what it takes off the loss out of fold, when it alone stands beside the given
    label; the favoured part is worth the head start on top. The weights are drawn toward those of
    the parts alone, in proportion to their worth, and a part that is worth little is held there:
    else many useless parts spoil a good one.
    """
    rest = list(range(parts, offers.shape[2]))
    penalty = _penalties(offers, parts)
    least = _loss(offers[:, :, rest], truth, penalty[rest], fold, 0)
    worth, alone = np.zeros(parts), np.zeros(parts)
    for part in range(parts):
        columns = [part, *rest]
        its, costs = offers[:, :, columns], penalty[columns]
        alone[part] = _choice(its, truth, costs, 1).weights[0]
        if alone[part] > 0:
            head_start = _HEAD_START if part == favoured else 0.0
            worth[part] = max(least - _loss(its, truth, costs, fold, 1) + head_start, 0.0)
    share = np.maximum(worth / worth.max(), _LEAST) if worth.max() > 0 else np.ones(parts)
    penalty[:parts] = _PART / share
    toward = np.zeros(offers.shape[2])
    toward[:parts] = alone * share / share.sum()
    return _choice(offers, truth, penalty, parts, toward)


def _penalties(offers: Floats, parts: int) -> Floats:
    """Penalties on all weights, shape (J,); those of the parts are for a part alone."""
    classes = offers.shape[1]
    pairs = classes * classes if classes <= _CONFUSED else 0
    penalty = np.full(offers.shape[2], _SOURCE)
    penalty[:parts], penalty[parts] = 1.0, _GIVEN
    penalty[parts + 1 : parts + 1 + pairs] = _CONFUSION
    return penalty


def _choice(
    offers: Floats,
    truth: NDArray[np.int64],
    penalty: Floats,
    parts: int,
    toward: Floats | None = None,
) -> Choice:
    """A choice in which no part has a negative weight: such parts are left out, and it is refitted.

    A part that speaks against the truth does so by chance, or repeats how often labels are wrong.
    """
    count = offers.shape[2]
    start = np.zeros(count) if toward is None else toward
    kept = np.arange(count)
    while True:
        fitted = Choice.fit(offers[:, :, kept], truth, penalty[kept], start[kept])
        negative = (fitted.weights < 0) & (kept < parts)
        if not negative.any():
            weights = np.zeros(count)
            weights[kept] = fitted.weights
            return Choice(weights)
        kept = kept[~negative]


def _loss(
    offers: Floats,
    truth: NDArray[np.int64],
    penalty: Floats,
    fold: NDArray[np.int64],
    parts: int,
) -> float:
    """Out-of-fold log-loss of a choice, added up over the trusted samples."""
    total = 0.0
    for one in np.unique(fold):
        held = fold == one
        model = _choice(offers[~held], truth[~held], penalty, parts)
        found = model.log_probabilities(offers[held])
        total -= found[np.arange(len(found)), truth[held]].sum()
    return float(total)


def _spread(fits: Floats) -> float:
    """Root mean square of what a part says, centred for each sample; 1 if it says nothing."""
    size = float(np.sqrt(np.mean((fits - fits.mean(axis=1, keepdims=True)) ** 2)))
    return size if size > 1e-12 else 1.0
