"""What a layer read: one tensor with the batch first, or the reason why it is something else."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["misread", "read_by", "samples_of"]


def read_by(inputs: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """The only argument that a layer received, by place or by keyword; else a list of them all.

    Example:
        >>> read_by((), {"input": 1}), read_by((1,), {"gate": None}), read_by((1, 2), {})
        (1, 1, [1, 2])
    """
    given = [one for one in (*inputs, *keywords.values()) if one is not None]
    return given[0] if len(given) == 1 else given


def misread(read: Any, output: Any, samples: int, *, is_embedding: bool) -> str | None:
    """The reason why no formula fits a layer's input and output; None if one may fit.

    Args:
        read: argument of the layer, as `read_by` gives it.
        output: output of the layer.
        samples: number of samples in the batch.
        is_embedding: whether the layer is an embedding.

    Example:
        >>> x = torch.ones(5, 2)
        >>> misread(x, x, 5, is_embedding=False), misread(x, x, 2, is_embedding=False)
        (None, 'saw 5 rows where the batch has 2')
        >>> misread([x, x], x, 5, is_embedding=False)
        'was given 2 things'
        >>> misread(torch.arange(5), x, 5, is_embedding=True)
        'read positions of shape (5,), which the samples share'
    """
    if not isinstance(read, Tensor):
        is_list = isinstance(read, list)
        return f"was given {len(read)} things" if is_list else f"was given a {type(read).__name__}"
    if not isinstance(output, Tensor):
        return f"gave a {type(output).__name__}"
    if output.dim() == 0 or read.dim() == 0:
        return "saw a single number where the batch should be"
    if len(output) != samples or len(read) != samples:
        return f"saw {len(output)} rows where the batch has {samples}"
    # subtle: positions can be taken for samples where T happens to be B
    if is_embedding and read.dim() == 1 and samples > 1 and _counts_up(read):
        return f"read positions of shape ({len(read)},), which the samples share"
    return None


def samples_of(targets: Any) -> int:
    """The number of samples that targets are for: rows of targets, or of a mapping of targets.

    Raises:
        ValueError: if the targets of a mapping have different numbers of rows.

    Example:
        >>> samples_of([0, 1]), samples_of({"click": [0, 1, 1]})
        (2, 3)
    """
    if not isinstance(targets, Mapping):
        return len(targets)
    sizes = {name: len(one) for name, one in targets.items()}
    if len(set(sizes.values())) != 1:
        msg = f"targets by name need one row for each sample; got {sizes} rows"
        raise ValueError(msg)
    return next(iter(sizes.values()))


def _counts_up(ids: Tensor) -> bool:
    return torch.equal(ids - ids[0], torch.arange(len(ids), device=ids.device))
