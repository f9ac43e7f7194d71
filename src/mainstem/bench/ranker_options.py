"""What each option of training gives: versions with it against versions without, on the same pairs.

Both are trained once for each seed, on the same samples with the same weights at the beginning, and
measured on the last part of the log.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from mainstem.bench.ranker import Scores, mean_auc, scores_of_seeds
from mainstem.bench.ranker_log import RankerLog
from mainstem.errors import ModelError
from mainstem.learning.evaluation.paired import paired_auc
from mainstem.process.stopwatch import SPENT

__all__ = ["OPTIONS", "bench_options"]

OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "adversarial, fgm": {"learning.adversarial": "fgm"},
    "adversarial, pgd": {"learning.adversarial": "pgd"},
    "label smoothing .1": {"learning.label_smoothing": 0.1},
    "R-Drop 1": {"learning.r_drop": 1.0},
    "four pieces": {"learning.accumulate": 4},
    "bfloat16": {"learning.train_precision": "bfloat16"},
    "compile": {"learning.compile": True},
    "last weights, not their mean": {"learning.averaged": 0.0},
}
"""The settings of each option that is measured, on top of those of the log."""


def bench_options(
    log: RankerLog,
    seeds: Sequence[int],
    *,
    options: Mapping[str, Mapping[str, Any]] = OPTIONS,
    told: Callable[[str], object] = lambda _: None,
) -> dict[str, Any]:
    """Train versions with and without each option, and compare how they rank the last part.

    Args:
        log: the log.
        seeds: seeds of weights, order and dropout. Each trains one version with, and one without.
        options: settings of each option, by its name.
        told: receives a line of progress.

    Returns:
        `auc` of versions without an option, in the mean over the seeds; and `options`, by name:
        `auc`; `mean`, `low` and `high` of its difference by a paired bootstrap over questions, each
        None if the last part has one label; and `seconds`, how long training took, as a multiple of
        the time without an option, by the clock, so only of use on a machine that is quiet.
        Where the network cannot be compiled, that option is left out.
    """
    labels, questions = log.test.labels, log.test.questions
    plain, plain_seconds = _scores(log, seeds, {}, told)
    found: dict[str, Any] = {}
    for name, settings in options.items():
        told(f"{log.name}: {name}")
        try:
            scores, seconds = _scores(log, seeds, settings, told)
        except ModelError as error:
            if not settings.get("learning.compile"):
                raise
            told(f"{log.name}: {name} is left out: {error}")
            continue
        difference = paired_auc(labels, scores, plain, questions, seed=0)
        found[name] = {
            "auc": mean_auc(labels, scores),
            **(asdict(difference) if difference else dict.fromkeys(("mean", "low", "high"))),
            "seconds": seconds / plain_seconds,
        }
    return {"auc": mean_auc(labels, plain), "options": found}


def _scores(
    log: RankerLog,
    seeds: Sequence[int],
    settings: Mapping[str, Any],
    told: Callable[[str], object],
) -> tuple[Scores, float]:
    """Log-odds of the last part under a version of each seed, and the seconds of training."""
    with SPENT.counting() as spent:
        scores, _ = scores_of_seeds(log, log.settings.but(settings), seeds, told)
    return scores, spent["train"].seconds
