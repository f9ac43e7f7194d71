"""Which behaviour features count: what a version's ranking loses when some are set to their mean.

No value is shuffled, so the answer does not depend on a seed. The words are read once; only the
part of the network behind them reads each choice of features.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mainstem.join import PlacedSample
from mainstem.join.placed import examples_of
from mainstem.learning.evaluation import auc
from mainstem.learning.evaluation.ranked import as_ranked
from mainstem.models import CrossEncoder
from mainstem.models.reading import Read
from mainstem.objectives.layout import Layout
from mainstem.settings import Settings

__all__ = ["Ablation", "Without", "ablation_of", "groups_of"]

_BATCH: Final = 256
_GROUPS: Final = {
    "query_item_": "the item under this query",
    "query_": "the query",
    "has_query": "the query",
    "shop_": "the whole shop",
    "pair_": "taken together with the history",
    "category_": "the category",
    "item_age": "age of the item",
    "item_": "the item",
    "price": "price",
    "own_": "the shopper and this item",
    "in_history": "the shopper and this item",
    "history_": "the history",
    "words_": "words in common",
    "hour_": "hour and weekday",
    "weekday_": "hour and weekday",
}
"""Groups by the beginning of a feature's name; the first that fits counts."""


@dataclass(frozen=True)
class Without:
    """A ranking by a version without some features.

    Attributes:
        name: name of the group, or of the feature.
        features: names of the features that are set to 0, their mean.
        auc: AUC without them.
        drop: AUC with all features less `auc`; below 0 where the ranking is better without them.
    """

    name: str
    features: tuple[str, ...]
    auc: float
    drop: float


@dataclass(frozen=True)
class Ablation:
    """What the AUC of a version loses without each group of features, and without each one.

    Attributes:
        version: number of the version.
        samples: number of samples that it ranked.
        auc: its AUC with all features.
        none: its ranking without any feature.
        groups: its ranking without each group, the largest drop first.
        features: its ranking without each feature, the largest drop first.
    """

    version: int
    samples: int
    auc: float
    none: Without
    groups: list[Without]
    features: list[Without]


def groups_of(features: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Put features into groups that a person can name; one that fits nowhere is its own group.

    Args:
        features: names of features.

    Returns:
        The features of each group, by its name.

    Example:
        >>> groups_of(["hour_sin", "weekday_cos", "moon"])
        {'hour and weekday': ('hour_sin', 'weekday_cos'), 'moon': ('moon',)}
    """
    found: dict[str, tuple[str, ...]] = {}
    for name in features:
        fits = (group for begin, group in _GROUPS.items() if name.startswith(begin))
        group = next(fits, name)
        found[group] = (*found.get(group, ()), name)
    return found


def ablation_of(
    encoder: CrossEncoder, samples: Sequence[PlacedSample], settings: Settings, version: int
) -> Ablation | None:
    """Rank samples again and again, each time without some features.

    Args:
        encoder: network and tokenizer of the version.
        samples: samples that it has not trained on.
        settings: settings of its model.
        version: its number.

    Returns:
        The rankings; None if the version reads no features, has more than two classes, no sample
        has features, or only one label occurs.
    """
    ranked_samples = as_ranked(samples, settings.objectives)
    names, known = encoder.features, [one for one in ranked_samples if one.features]
    truth = np.array([one.label for one in known], np.int64)
    if not names or len(set(truth)) != 2 or not settings.objectives.answers_yes_or_no:
        return None
    groups = groups_of(names)
    choices = [(), tuple(names), *groups.values(), *((name,) for name in names)]
    scores = _scores(encoder, known, settings, choices)
    whole, *aucs = (float(auc(truth, one) or 0) for one in scores)
    told = ["all features", *groups, *names]
    ranked = [
        Without(name, features, one, whole - one)
        for name, features, one in zip(told, choices[1:], aucs, strict=True)
    ]
    end = 1 + len(groups)
    return Ablation(
        version=version,
        samples=len(known),
        auc=whole,
        none=ranked[0],
        groups=sorted(ranked[1:end], key=lambda one: -one.drop),
        features=sorted(ranked[end:], key=lambda one: -one.drop),
    )


@torch.no_grad()
def _scores(
    encoder: CrossEncoder,
    samples: Sequence[PlacedSample],
    settings: Settings,
    choices: Sequence[Sequence[str]],
) -> NDArray[np.float64]:
    """Log-odds of a yes without each choice of features, shape (choices, N)."""
    network, columns = encoder.network, {name: at for at, name in enumerate(encoder.features)}
    network.eval()
    device = next(network.parameters()).device
    layout = Layout.of(settings.objectives)
    read = Read(encoder, examples_of(samples), settings.model.max_tokens, device, layout)
    scores = np.empty((len(choices), len(samples)))
    order = np.argsort(read.lengths, kind="stable")
    with _words_once(network):
        for begin in range(0, len(order), _BATCH):
            places = order[begin : begin + _BATCH]
            batch = read.batch(places)
            for row, left_out in enumerate(choices):
                features = None if batch.features is None else batch.features.clone()
                if features is not None:
                    features[:, [columns[name] for name in left_out]] = 0
                logits = network(replace(batch, features=features)).double().cpu().numpy()
                ranked = layout.ranked(logits)
                scores[row, places] = ranked[:, 1] - ranked[:, 0]
    return scores


class _Remembered(nn.Module):
    """Reads texts once, as long as it is given the same tensor of token ids."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self._of: Any = None
        self._gave: Any = None

    def forward(self, *, input_ids: Any, **more: Any) -> Any:
        if self._of is not input_ids:
            self._of, self._gave = input_ids, self.module(input_ids=input_ids, **more)
        return self._gave


@contextmanager
def _words_once(network: nn.Module) -> Iterator[None]:
    """Let the part of a network that reads words remember its last batch."""
    name = "bert" if hasattr(network, "bert") else "model"
    words = getattr(network, name)
    setattr(network, name, _Remembered(words))
    try:
        yield
    finally:
        setattr(network, name, words)
