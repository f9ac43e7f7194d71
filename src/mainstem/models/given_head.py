"""Gives a head of one logit, as that of a cross-encoder of sentence-transformers, two of them."""

from typing import Any

import torch
from torch import nn

from mainstem.models.families import answer_layer

__all__ = ["widened"]


@torch.no_grad()
def widened(model: Any, classes: int, seed: int, *, is_kept: bool) -> None:
    """Replace a model's answer layer by one of more logits, of which the last is the given one.

    The others are 0: under a softmax, logits of 0 and z answer as a sigmoid of z does.

    Args:
        model: the model, changed in place with its config.
        classes: number of logits.
        seed: seed of the layer where nothing is kept.
        is_kept: whether the given layer is worth keeping; else all logits are drawn.
    """
    name = answer_layer(model)
    given = model.get_submodule(name)
    torch.manual_seed(seed)
    wide = nn.Linear(given.in_features, classes, bias=given.bias is not None)
    if is_kept:
        for own, other in zip(wide.parameters(), given.parameters(), strict=True):
            own.zero_()
            own[-1] = other[0]
    model.set_submodule(name, wide)
    model.config.num_labels = model.num_labels = classes
