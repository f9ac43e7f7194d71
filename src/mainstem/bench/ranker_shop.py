"""A simulated shop, whose true answers are known: what a version learns of them from clicks.

A version is trained on what the log says and measured on what shoppers would have answered. Beside
it stand a version without the examination tower, one that is trained on the truth, and the best
ranking there is. Pages list the dearest items first, as a shop that wants to earn would. Where
pages are in random order, a position tells nothing of an item, and a tower has nothing to correct.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.ranker import Told, scores_of_seeds
from mainstem.bench.ranker_log import OpenStore, Part, RankerLog, joined
from mainstem.bench.truth import items_of
from mainstem.join import PlacedSample, Sample, relabelled_sample
from mainstem.learning.evaluation.metrics import auc
from mainstem.learning.evaluation.paired import paired_auc
from mainstem.objectives import relabelled
from mainstem.settings import Settings
from mainstem.simulate import Shop, best_auc, simulate
from mainstem.simulate.truth import TruthOfItem

__all__ = ["bench_shop", "shop_log"]


def shop_log(
    events: int, seed: int, settings: Settings, opened: OpenStore
) -> tuple[RankerLog, dict[UUID, TruthOfItem]]:
    """The log of a simulated shop with its habits and accidents, and the truth of its samples.

    Args:
        events: about how many lines the log has.
        seed: seed of the shop.
        settings: settings of the join.
        opened: opens an empty history for the counts.
    """
    log = BytesIO()
    with TemporaryDirectory(prefix="mainstem-bench-") as folder:
        truth = Path(folder, "truth.jsonl")
        with truth.open("wb") as file:
            simulate(Shop(seed=seed, dear_first=1.0), log, file, events=events)
        known = {sample_id: item for sample_id, _, item in items_of(truth)}
    return joined(f"shop {seed}", log.getvalue().splitlines(), settings, opened), known


def bench_shop(
    events: int,
    seeds: Sequence[int],
    settings: Settings,
    opened: OpenStore,
    *,
    told: Told = lambda _: None,
) -> dict[str, Any]:
    """Measure versions of simulated shops on what their shoppers would have answered.

    Args:
        events: about how many lines each log has.
        seeds: seeds of the shops; the version of each shop has the seed of the shop.
        settings: settings of join, model and training.
        opened: opens an empty history for the counts of each shop.
        told: receives a line of progress.

    Returns:
        `true_auc`, `without_tower`, `truth_trained_auc` and `optimum`, each the mean over the
        shops; `tower`: mean, low and high of what the tower gains, over the questions of all
        shops; and `shops`, the same four figures of each.
    """
    shops: list[dict[str, float | None]] = []
    rows: list[tuple[NDArray[Any], ...]] = []
    for seed in seeds:
        log, truth = shop_log(events, seed, settings, opened)
        as_logged, as_meant = _known(log, truth, meant=False), _known(log, truth, meant=True)
        labels = as_meant.test.labels
        without = settings.but({"model.examination": False})

        def scores(some: RankerLog, asked: Settings, seed: int = seed) -> NDArray[np.float64]:
            of_seed: NDArray[np.float64] = scores_of_seeds(some, asked, [seed], told)[0][0]
            return of_seed

        with_tower, no_tower = scores(as_logged, settings), scores(as_logged, without)
        of_truth = scores(as_meant, without)
        shops.append(
            {
                "true_auc": auc(labels, with_tower),
                "without_tower": auc(labels, no_tower),
                "truth_trained_auc": auc(labels, of_truth),
                "optimum": best_auc(
                    truth[one.sample_id].probability for one in as_meant.test.samples
                ),
            }
        )
        told(f"{log.name}: {shops[-1]}")
        rows.append((labels, with_tower, no_tower, as_meant.test.questions + 1_000_000 * len(rows)))
    tower = paired_auc(*(np.concatenate(column) for column in zip(*rows, strict=True)), seed=0)
    names = list(shops[0])
    mean = {name: float(np.mean([shop[name] for shop in shops])) for name in names}
    return {**mean, "tower": tower and asdict(tower), "seeds": list(seeds), "shops": shops}


def _known(log: RankerLog, truth: Mapping[UUID, TruthOfItem], *, meant: bool) -> RankerLog:
    """The samples of a log that are in the truth.

    Args:
        log: the log.
        truth: truth of each sample, by its id.
        meant: whether to replace the labels of the log by what the shoppers would have answered.
    """

    def of(part: Part) -> Part:
        samples, placed = list[Sample](), list[PlacedSample]()
        for sample, at in zip(part.samples, part.placed, strict=True):
            item = truth.get(sample.sample_id)
            if item is None:
                continue
            label = item.label if meant else sample.label
            samples.append(relabelled_sample(sample, label))
            placed.append(at._replace(label=label, targets=relabelled(at.targets, label)))
        return Part(samples, placed)

    test = of(log.test)
    return replace(log, train=of(log.train), test=test, lists=test)
