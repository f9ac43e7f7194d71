"""The doubt about each label, and the probability that it is right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mainstem.evidence.class_means import ClassMeans
from mainstem.evidence.combined import Combination, CrossFit
from mainstem.evidence.contract import Floats, Known, Part, Reading, Trusted, doubt_of
from mainstem.evidence.margin import Margin, Score
from mainstem.evidence.neighbours import Neighbours
from mainstem.evidence.similar import Similar
from mainstem.evidence.truth import Truth
from mainstem.evidence.unaided import unaided

__all__ = ["COMBINED", "PARTS", "Weighed", "weigh"]

COMBINED: Final = "combined"
PARTS: Final[tuple[Part, ...]] = (
    Margin(),
    Score(),
    Neighbours(),
    ClassMeans(),
    Truth("numbers"),
    Truth("representation"),
    Similar(),
    Similar(same_label=True),
)
_FAVOURED: Final = Truth("numbers").name  # it needs no version that has learnt wrong labels
_EACH: Final = 5  # trusted samples of each of two true labels, without which nothing is learnt


@dataclass(frozen=True)
class Weighed:
    """How doubtful the labels of N samples are, and what says so.

    Attributes:
        doubt: how doubtful each label is, shape (N,); higher is more doubtful. The log-odds that
            it is wrong if trusted samples decide, else a rank in (0, 1].
        right: probability that each label is right, shape (N,); NaN without trusted samples. That
            of a trusted sample comes from models that did not see it.
        decides: `combined`, or the names of the parts that doubt comes from.
        parts: names of the P parts that could read the columns and that say something.
        doubts: doubt of each part alone, shape (N, P), each on a scale of its own.
        say: what each part adds to doubt, shape (N, P); zeros without trusted samples.
    """

    doubt: Floats
    right: Floats
    decides: str
    parts: tuple[str, ...]
    doubts: Floats
    say: Floats

    def first(self, count: int) -> "Weighed":
        """What is said of the first samples."""
        columns = ("doubt", "right", "doubts", "say")
        return replace(self, **{name: getattr(self, name)[:count] for name in columns})


def weigh(
    known: Known,
    trusted: Trusted | None = None,
    *,
    graded: Trusted | None = None,
    parts: Sequence[Part] = PARTS,
    divisions: int = 5,
    seed: int = 0,
    watch: Callable[[CrossFit], None] = lambda _: None,
) -> Weighed:
    """Weigh the labels of all samples together.

    Args:
        known: columns of the samples.
        trusted: trusted samples that teach; samples that only measure are left out by the caller.
            With fewer than five of each of two true labels, nothing is learnt from them.
        graded: samples whose true label is known, but to which the log gave none. Parts that learn
            what is true learn from them too; how labels go wrong is learnt from `trusted` alone.
        parts: kinds of evidence.
        divisions: number of divisions of the trusted samples into folds; more of them cost more
            time, and make the result depend less on the seed.
        seed: seed of the divisions.
        watch: called with each model of the combination, for conformal p-values.

    Example:
        >>> random = np.random.default_rng(0)
        >>> truth, feature = np.repeat([0, 1], 200), random.normal(size=400)
        >>> label = truth.copy()
        >>> label[:100] = 1  # half of the given yes are wrong
        >>> known = Known(label, features=(feature + 3 * truth)[:, None])
        >>> rows = np.arange(0, 400, 4)
        >>> weighed = weigh(known, Trusted(rows, truth[rows]))
        >>> weighed.decides, weighed.parts
        ('combined', ('truth',))
        >>> [float(weighed.right[part].mean().round(1)) for part in np.split(np.arange(400), 4)]
        [0.2, 1.0, 0.9, 1.0]
    """
    readings = [(part, part.read(known)) for part in parts]
    able = [(part, reading) for part, reading in readings if reading is not None]
    if trusted is not None and able and len(known) and _teaches(trusted):
        names = tuple(part.name for part, _ in able)
        # subtle: without features that model reads the newest scores alone, and those have learnt
        has_features = known.features is not None and _FAVOURED in names
        favoured = names.index(_FAVOURED) if has_features else None
        more = Trusted() if graded is None else graded
        asked = [
            _WithMore(reading, more) if len(more) and _of_truth(part) else reading
            for part, reading in able
        ]
        combination = Combination(known, trusted, asked, favoured)
        return _averaged(combination, names, divisions, seed, watch)
    return _without(known, able)


@dataclass(frozen=True)
class _WithMore:
    """A reading that learns from some more samples each time, which are in no fold."""

    reading: Reading
    more: Trusted

    def fits(self, trusted: Trusted, rows: NDArray[np.int64]) -> Floats:
        return self.reading.fits(trusted.joined(self.more), rows)


def _of_truth(part: Part) -> bool:
    """Whether a part learns what is true, and no label of the log goes into that."""
    return part.learns and not getattr(part, "same_label", False)


def _teaches(trusted: Trusted) -> bool:
    return int((np.bincount(trusted.truth, minlength=2) >= _EACH).sum()) >= 2


def _without(known: Known, able: Sequence[tuple[Part, Reading]]) -> Weighed:
    """What the parts say that learn from no trusted sample."""
    everyone = np.arange(len(known))
    fits = {
        part.name: reading.fits(Trusted(), everyone) for part, reading in able if not part.learns
    }
    doubt, decides = unaided(fits, known.label)
    doubts = np.empty((len(known), len(fits)))
    for place, its in enumerate(fits.values()):
        doubts[:, place] = doubt_of(its, known.label)
    right = np.full(len(known), np.nan)
    return Weighed(doubt, right, decides, tuple(fits), doubts, np.zeros_like(doubts))


def _averaged(
    combination: Combination,
    names: tuple[str, ...],
    divisions: int,
    seed: int,
    watch: Callable[[CrossFit], None],
) -> Weighed:
    """Means over all models; of a trusted sample over those alone that did not see it."""
    samples, trusted = len(combination.known), combination.trusted.rows
    doubt, right, count = np.zeros(samples), np.zeros(samples), np.zeros(samples)
    doubts, say = np.zeros((samples, len(names))), np.zeros((samples, len(names)))
    for one in combination.cross_fits(divisions, seed):
        watch(one)
        unseen = _unseen(samples, trusted, one.held)
        doubt += np.where(unseen, one.log_odds, 0)
        right += np.where(unseen, expit(-one.log_odds), 0)
        doubts += np.where(unseen[:, None], one.doubts, 0)
        say += np.where(unseen[:, None], one.say, 0)
        count += unseen
    each = count[:, None]
    return Weighed(doubt / count, right / count, COMBINED, names, doubts / each, say / each)


def _unseen(samples: int, trusted: NDArray[np.int64], held: NDArray[np.int64]) -> NDArray[np.bool_]:
    unseen = np.ones(samples, np.bool_)
    unseen[trusted] = False
    unseen[trusted[held]] = True
    return unseen
