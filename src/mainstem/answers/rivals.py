"""The newest version beside models of scikit-learn and its own words, on the same pairs."""

from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.ranker_baselines import has_sklearn, logistic_of, trees_of
from mainstem.join import PlacedSample, examples_of
from mainstem.learning.evaluation.metrics import auc
from mainstem.learning.evaluation.paired import paired_auc
from mainstem.learning.judged import Judged
from mainstem.loop import Loop
from mainstem.models import ActiveVersion
from mainstem.store import samples_between

__all__ = ["rivals"]

_SEED: Final = 0  # of the bootstrap
_LEARNT: Final = frozenset({"stream", "canary"})  # parts of which rounds draw


def rivals(loop: Loop, version: int, later: Judged) -> dict[str, Any]:
    """Compare the newest version with models on its features, and with its words alone.

    Args:
        loop: a loop that has run to its end, whose labels are yes or no.
        version: the newest promoted version.
        later: samples of the last part of the log.

    Returns:
        baselines: AUC of `logistic`, logistic regression, and of `trees`, gradient-boosted trees,
            both fitted on the features of the samples before the last part; and of `words`, the
            version with every feature at its mean. The first two are left out without
            scikit-learn.
        against_trees: mean, low and high of the AUC of the version less that of the trees, by a
            paired bootstrap over questions; None without trees.
    """
    active = ActiveVersion(loop.versions.load(version), loop.settings)
    examples = examples_of(later.samples)
    labels, found = later.labels, dict[str, float | None]()
    against = None
    if has_sklearn():
        drawn = _before(loop)
        x, y = _features(drawn), np.array([one.label for one in drawn], np.int64)
        if x.size and len(set(y.tolist())) == 2:
            asked = _features(later.samples)
            trees = trees_of(x, y)(asked)
            found = {"logistic": auc(labels, logistic_of(x, y)(asked)), "trees": auc(labels, trees)}
            ours = _log_odds(active.logits(examples))
            against = paired_auc(labels, ours, trees, later.questions, seed=_SEED)
    if active.encoder.features:
        words = _log_odds(active.logits(examples, behaviour=False))
        found["words"] = auc(labels, words)
    return {"baselines": found, "against_trees": against and asdict(against)}


def _before(loop: Loop) -> list[PlacedSample]:
    """The samples before the last part that rounds may draw, with their features."""
    found = samples_between(loop.store, {one: (0, end) for one, end in loop.ends.items()})
    return [
        one
        for one in found
        if one.event_time < loop.later_from and one.part in _LEARNT and one.features
    ]


def _features(samples: Any) -> NDArray[np.float32]:
    width = max((len(one.features) for one in samples), default=0)
    rows = [one.features or (0.0,) * width for one in samples]
    return np.array(rows, np.float32).reshape(len(rows), width)


def _log_odds(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = logits[:, 1] - logits[:, 0]
    return found
