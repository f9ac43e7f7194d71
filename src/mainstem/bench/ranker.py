"""Compares a version with plain rankings on the same pairs: what a model is worth over counting.

A log is joined, counted and given features by the product's own code. A version is trained on the
samples before the last part, once for each seed. All rankings are measured on the last part.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mainstem.bench.ranker_baselines import counted_rankings, fitted_rankings
from mainstem.bench.ranker_log import Part, RankerLog
from mainstem.ids import number_of
from mainstem.join import examples_of
from mainstem.learning.evaluation.metrics import (
    auc,
    calibration_error,
    ndcg_of_questions,
    reciprocal_ranks,
)
from mainstem.learning.evaluation.paired import paired_auc
from mainstem.learning.first import first_encoder
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.models import ActiveVersion
from mainstem.settings import Settings

__all__ = ["Scores", "bench_log", "mean_auc", "scores_of_seeds", "trained"]

Scores: TypeAlias = NDArray[np.float64]
Told: TypeAlias = Callable[[str], object]
_PROBABLE: Final = frozenset({"mainstem", "words", "logistic", "trees"})
"""Rankings whose scores are log-odds of yes."""
_RIVALS: Final = ("trees", "popularity", "co_occurrence", "logistic", "words")
"""The rankings that a version is compared with by a paired bootstrap."""


def bench_log(
    log: RankerLog,
    seeds: Sequence[int],
    *,
    quick: bool = False,
    words: bool = True,
    told: Told = lambda _: None,
) -> dict[str, Any]:
    """Measure all rankings on the last part of a log.

    Args:
        log: the log.
        seeds: seeds of weights, order and dropout. A version is trained for each.
        quick: whether to leave out the model that reads words alone, and the choice of the trees.
        words: whether to train a model that reads words alone; `quick` leaves it out too.
        told: receives a line of progress.

    Returns:
        `samples` and `questions` of the last part; `seeds`; `rows`, one for each ranking, with
        `name`, `auc`, `ndcg10`, `mrr`, `log_loss` and `ece`, each the mean over the seeds; and
        `against`: by ranking, mean, low and high of the difference of a version's AUC.
    """
    test, lists = log.test, log.lists
    found: dict[str, tuple[Scores, Scores]] = {}
    for name, ranking in (counted_rankings(log) | fitted_rankings(log, quick=quick)).items():
        told(f"{log.name}: {name}")
        found[name] = ranking(test)[None], ranking(lists)[None]
    for name, reads in {"words": False, "mainstem": True}.items():
        if reads or (words and not quick):
            settings = log.settings.but({"model.behaviour": reads})
            found[name] = scores_of_seeds(log, settings, seeds, told)
    labels, questions = test.labels, test.questions
    against = {
        name: paired_auc(labels, found["mainstem"][0], found[name][0], questions, seed=0)
        for name in _RIVALS
        if name in found
    }
    return {
        "samples": len(labels),
        "questions": len(np.unique(questions)),
        "trained_on": len(log.train.samples),
        "seeds": list(seeds),
        "rows": [{"name": name, **_measures(name, log, *each)} for name, each in found.items()],
        "against": {name: one and asdict(one) for name, one in against.items()},
    }


def scores_of_seeds(
    log: RankerLog, settings: Settings, seeds: Sequence[int], told: Told
) -> tuple[Scores, Scores]:
    """Log-odds of the last part and of its lists under a version of each seed, shape (S, N) each.

    Args:
        log: the log.
        settings: settings of model and training.
        seeds: S seeds.
        told: receives a line of progress.
    """
    each: list[tuple[Scores, Scores]] = []
    for seed in seeds:
        active = trained(log, settings, seed)
        each.append((_log_odds(active, log.test), _log_odds(active, log.lists)))
        reached = auc(log.test.labels, each[-1][0])
        behaviour = "behaviour" if settings.model.behaviour else "words alone"
        told(f"{log.name}: {behaviour}, seed {seed}: AUC {reached:.4f}")
    return np.stack([one for one, _ in each]), np.stack([other for _, other in each])


def trained(log: RankerLog, settings: Settings, seed: int) -> ActiveVersion:
    """Train a version on the samples before the last part.

    As in a round, the newest `learning.held_out` of them choose the epoch and are not trained on.

    Args:
        log: the log.
        settings: settings of model and training.
        seed: seed of weights, order and dropout.
    """
    settings = settings.but({"run.seed": seed})
    samples = log.train.placed
    held_out = min(settings.learning.held_out, len(samples) // 5)
    first = first_encoder(log.texts, settings)
    drawn, newest = samples[: len(samples) - held_out], samples[len(samples) - held_out :]
    training = fine_tune(first, drawn, newest, settings, number_of("train", seed, 1))
    return ActiveVersion(training.encoder, settings)


def mean_auc(labels: NDArray[np.int64], scores: Scores) -> float | None:
    """Mean AUC over the rankings of each seed; None if there is only one label.

    Args:
        labels: 0 or 1 for each sample, shape (N,).
        scores: scores of S seeds, shape (S, N).
    """
    return _mean([auc(labels, one) for one in scores])


def _log_odds(active: ActiveVersion, part: Part) -> Scores:
    logits = active.logits(examples_of(part.placed))
    found: Scores = logits[:, 1] - logits[:, 0]
    return found


def _measures(name: str, log: RankerLog, test: Scores, lists: Scores) -> Mapping[str, float | None]:
    labels, gains, questions = log.test.labels, log.lists.labels, log.lists.questions
    found: dict[str, float | None] = {
        "auc": mean_auc(labels, test),
        "ndcg10": _mean([_mean(ndcg_of_questions(gains, one, questions)) for one in lists]),
        "mrr": _mean([_mean(reciprocal_ranks(gains, one, questions)) for one in lists]),
        "log_loss": None,
        "ece": None,
    }
    if name in _PROBABLE:
        signs = np.where(labels == 1, 1.0, -1.0)
        found["log_loss"] = _mean([np.logaddexp(0, -signs * one).mean() for one in test])
        found["ece"] = _mean([calibration_error(labels, expit(one)) for one in test])
    return found


def _mean(values: Sequence[Any] | NDArray[np.float64]) -> float | None:
    known = [one for one in values if one is not None]
    return float(np.mean(known)) if known else None
