"""What visits, features and rounds cost, as the history keeps it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mainstem.join import PlacedSample
from mainstem.process.stopwatch import Cost
from mainstem.store.costs import FEATURES, KeptCost
from mainstem.store.store import Columns

__all__ = ["feature_costs", "kept_costs", "visit_costs"]


def visit_costs(
    version: int,
    kind: str,
    samples: Sequence[PlacedSample],
    tokens: NDArray[np.int64],
    cost: Cost,
) -> Columns:
    """Columns of table `costs` for B visits that were made together.

    Each visit gets a part of the cost by its share of the tokens. So a visit has one row, whatever
    samples it is made with after a crash.

    Args:
        version: number of the version that scored.
        kind: `score`, or `rescore` for samples that an earlier version has scored.
        samples: samples that were scored.
        tokens: tokens of each of them, shape (B,).
        cost: what scoring all of them cost.
    """
    share = tokens / max(int(tokens.sum()), 1)
    return _placed(version, kind, samples) | {
        "tokens": tokens.astype(np.uint64),
        "forward_equivalents": share * cost.forward_equivalents,
        "seconds": share * cost.seconds,
    }


def feature_costs(version: int, samples: Sequence[PlacedSample], seconds: float) -> Columns:
    """Columns of table `costs` for B samples whose features were computed together.

    Each sample gets an equal part of the seconds. It counts no tokens, because features are no pass
    through a model.

    Args:
        version: number of the version in use.
        samples: the samples.
        seconds: how long the features of all of them took.
    """
    return _placed(version, FEATURES, samples) | {
        "tokens": np.zeros(len(samples), np.uint64),
        "forward_equivalents": np.zeros(len(samples)),
        "seconds": np.full(len(samples), seconds / max(len(samples), 1)),
    }


def _placed(version: int, kind: str, samples: Sequence[PlacedSample]) -> dict[str, Any]:
    return {
        "version": [version] * len(samples),
        "kind": [kind] * len(samples),
        "partition": [sample.partition for sample in samples],
        "offset": [sample.offset for sample in samples],
        "samples": np.ones(len(samples), np.uint64),
    }


def kept_costs(version: int, costs: Mapping[str, Cost], kinds: Sequence[str]) -> Iterator[KeptCost]:
    """Rows of table `costs` for a version, one for each kind.

    Kinds without a cost get a row of zeros, which replaces what an earlier try may have written
    before a crash.

    Args:
        version: number of the version.
        costs: what was spent, by stage; stages that are not among the kinds are left out.
        kinds: kinds of cost to write.
    """
    for kind in kinds:
        yield KeptCost(version, kind, *costs.get(kind, Cost()))
