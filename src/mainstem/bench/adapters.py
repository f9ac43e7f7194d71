"""What training a part of a given model costs and gives, beside training all of it.

Every mode trains a version of the same given model on the same samples, and all are measured on the
last part of a log. Responses of a mode are over what it trains; how they rank samples is compared
with the responses over all weights.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from mainstem.bench.cost.quality import quality_of, scores_of
from mainstem.bench.ranker_log import Part, RankerLog
from mainstem.ids import number_of
from mainstem.join import PlacedSample, examples_of
from mainstem.learning.first import first_encoder
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.models import ActiveVersion
from mainstem.process.stopwatch import SPENT
from mainstem.settings import Settings

__all__ = ["MODES", "bench_adapters"]

MODES: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "full": {},
        "LoRA 8": {"model.adapter": "lora", "model.adapter_rank": 8},
        "head": {"model.adapter": "head"},
        "last two blocks": {"model.adapter": "blocks", "model.adapter_blocks": 2},
    }
)
"""The settings of each mode, by its name."""


def bench_adapters(
    log: RankerLog,
    *,
    trained: int = 4000,
    scored: int = 400,
    told: Callable[[str], object] = lambda _: None,
) -> dict[str, Any]:
    """Train a version in each mode, and measure all of them on the last part of a log.

    Args:
        log: the log; its settings name a given model.
        trained: how many of the newest samples before the last part are trained on; a tenth of them
            chooses the epoch instead.
        scored: how many samples of the last part responses are compared on.
        told: receives a line of progress.

    Returns:
        `trained` and `tested`, numbers of samples; and `rows`, one for each mode: `mode`; `auc` on
        the last part, with more than two classes the mean of each against the rest; `accuracy`
        there; `seconds` and `forward_equivalents` of the training; `parameters`, how many numbers
        are trained; `first_spearman` and `spearman`, the rank correlation of response norms over
        what the mode trains with the norms over all weights: of the given model, and of the version
        that each of the two modes has trained.
    """
    known = log.train.placed[-trained:]
    held_out = len(known) // 10
    parts = known[: len(known) - held_out], known[len(known) - held_out :]
    rows: list[dict[str, Any]] = []
    of_full: list[NDArray[np.float64]] = []
    for mode, its in MODES.items():
        told(f"{log.name}: {mode}")
        row, norms = _measured(log, log.settings.but(its), *parts, log.test.placed[:scored])
        of_full = of_full or norms
        first, after = (_spearman(*pair) for pair in zip(norms, of_full, strict=True))
        rows.append({"mode": mode, **row, "first_spearman": first, "spearman": after})
    return {"trained": len(parts[0]), "tested": len(log.test.samples), "rows": rows}


def _measured(
    log: RankerLog,
    settings: Settings,
    samples: Sequence[PlacedSample],
    held_out: Sequence[PlacedSample],
    compared: Sequence[PlacedSample],
) -> tuple[dict[str, Any], list[NDArray[np.float64]]]:
    """The row of a mode, and norms of the compared samples before and after the training."""
    first = first_encoder(log.texts, settings)
    before = ActiveVersion(first, settings)
    norms = [_norms(before, compared)]
    with SPENT.counting() as spent:
        made = fine_tune(first, samples, held_out, settings, number_of("train", 0, 1))
    after = ActiveVersion(made.encoder, settings)
    norms.append(_norms(after, compared))
    names = set(before.parameter_names)
    sizes = (each.numel() for name, each in first.network.named_parameters() if name in names)
    cost = spent["train"]
    row = {
        **_quality(after, log.test),
        "seconds": round(cost.seconds, 1),
        "forward_equivalents": round(cost.forward_equivalents),
        "parameters": sum(sizes),
    }
    return row, norms


def _quality(active: ActiveVersion, test: Part) -> dict[str, float | None]:
    logits = np.asarray(active.logits(examples_of(test.placed)), np.float64)
    right = logits.argmax(axis=1) == test.labels
    return {"auc": quality_of(test.labels, scores_of(logits)), "accuracy": float(right.mean())}


def _norms(active: ActiveVersion, samples: Sequence[PlacedSample]) -> NDArray[np.float64]:
    found = active.responses(active.read(examples_of(samples))).norm
    return np.asarray(found.tolist(), np.float64)


def _spearman(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    return float(spearmanr(ours, theirs).statistic)
