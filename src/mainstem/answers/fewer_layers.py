"""Compare responses over some of a model's layers with responses over all of them."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import spearmanr
from torch import nn

from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.settings import Settings

__all__ = ["choices_of", "compare_layers"]


def choices_of(network: nn.Module) -> dict[str, str]:
    """Useful choices of layers: the head, the last block with the head, all but the embeddings.

    Args:
        network: the model.

    Returns:
        Patterns as the setting `response_layers` takes them, by the name of the choice; empty for a
        model without a stack of blocks.
    """
    modules = list(network.named_modules())
    names = [name for name, layer in modules if list(layer.parameters(recurse=False))]
    tables = {name for name, layer in modules if isinstance(layer, nn.Embedding)}
    stack = next((name for name, part in modules if isinstance(part, nn.ModuleList)), None)
    if stack is None:
        return {}
    blocks = len(list(network.get_submodule(stack).children()))
    outside = [name for name in names if not name.startswith(f"{stack}.") and name not in tables]
    head = [name for name in outside if "embeddings" not in name]
    return {
        "head": ",".join(head),
        "last block and head": ",".join([f"{stack}.{blocks - 1}", *head]),
        "all but embeddings": ",".join([stack, *head]),
    }


def compare_layers(
    encoder: CrossEncoder,
    pairs: Sequence[tuple[str, str]],
    labels: Sequence[int],
    settings: Settings,
    choices: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Compare responses over chosen layers with responses over all layers.

    Args:
        encoder: model of a version.
        pairs: texts of N samples, at least 2.
        labels: labels of the samples, N numbers.
        settings: settings of the model and of responses; `response_layers` is not read.
        choices: patterns as the setting `response_layers` takes them, by any name.

    Returns:
        A row for each choice: `layers`, its name; `parameters`, its share of the parameters of all
        layers; `explained`, its share of the squared norm, averaged over the samples; `spearman`,
        the rank correlation of its norms with the norms over all layers; and `time`, the time of a
        pass divided by that over all layers, from one run and therefore rough.

    Raises:
        ModelError: if a pattern fits no layer.
    """
    all_layers = settings.but({"responses.response_layers": "*"})
    full, whole = _norms(encoder, pairs, labels, all_layers)
    of_all, squares = _parameters(encoder, all_layers), full**2
    rows = []
    for name, patterns in choices.items():
        one = settings.but({"responses.response_layers": patterns})
        norms, seconds = _norms(encoder, pairs, labels, one)
        explained = np.mean(norms**2 / np.maximum(squares, np.finfo(np.float64).tiny))
        rows.append(
            {
                "layers": name,
                "parameters": _parameters(encoder, one) / of_all,
                "explained": float(explained),
                "spearman": float(spearmanr(norms, full).statistic),
                "time": seconds / whole,
            }
        )
    return rows


def _norms(
    encoder: CrossEncoder,
    pairs: Sequence[tuple[str, str]],
    labels: Sequence[int],
    settings: Settings,
) -> tuple[Any, float]:
    """Norms of the samples' responses, and the seconds that they took."""
    active = ActiveVersion(encoder, settings)
    active.responses(pairs[:2], labels[:2])  # warms up, so that it is not measured
    begun = time.perf_counter()
    norms = active.responses(pairs, labels).norm.astype(np.float64)
    return norms, time.perf_counter() - begun


def _parameters(encoder: CrossEncoder, settings: Settings) -> int:
    return ActiveVersion(encoder, settings).parameters
