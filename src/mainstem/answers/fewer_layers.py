"""What responses over some of a model's layers are worth, beside those over all of them: so that the choice is informed."""

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
    """Layers that somebody may want to stop at, as `response_layers` names them: the head, the last block, all blocks."""
    names = [
        name for name, layer in network.named_modules() if list(layer.parameters(recurse=False))
    ]
    stack = next(
        (name for name, part in network.named_modules() if isinstance(part, nn.ModuleList)), None
    )
    if stack is None:
        return {}
    blocks = len(list(network.get_submodule(stack).children()))
    head = [name for name in names if not name.startswith(f"{stack}.") and "embeddings" not in name]
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
    """Compare responses over chosen layers with those over all.

    Args:
        encoder: the version.
        pairs, labels: of N samples, at least 2.
        settings: device, tokens, batch.
        choices: what to compare, each as `response_layers` has it, by any name.

    Returns:
        For each choice: `layers` (its name), `parameters` (its share of all), `explained` (its share of the squared norm,
        the mean over samples), `spearman` (rank correlation of its norms with the full ones), `time` (of a pass, by
        that over all layers; of one run, so roughly).

    Raises:
        ModelError: if a pattern fits no layer.
    """
    full, whole = _norms(encoder, pairs, labels, settings.but({"responses.response_layers": "*"}))
    rows = []
    for name, patterns in choices.items():
        one = settings.but({"responses.response_layers": patterns})
        norms, seconds = _norms(encoder, pairs, labels, one)
        rows.append(
            {
                "layers": name,
                "parameters": _parameters(encoder, one)
                / _parameters(encoder, settings.but({"responses.response_layers": "*"})),
                "explained": float(
                    np.mean(norms**2 / np.maximum(full**2, np.finfo(np.float64).tiny))
                ),
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
    active = ActiveVersion(encoder, settings)
    active.responses(pairs[:2], labels[:2])  # what is made once
    begun = time.perf_counter()
    norms = active.responses(pairs, labels).norm.astype(np.float64)
    return norms, time.perf_counter() - begun


def _parameters(encoder: CrossEncoder, settings: Settings) -> int:
    return ActiveVersion(encoder, settings).parameters
