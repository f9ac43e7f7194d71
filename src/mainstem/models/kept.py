"""What a scoring pass keeps of the network beside responses: its logits, and what its head read."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mainstem.models.encoder import CrossEncoder
from mainstem.objectives.losses import Loss
from mainstem.responses import Probe, Responses

__all__ = ["MOST_LOGITS", "in_order", "responses_of"]

MOST_LOGITS: Final = 8
"""A model with more logits keeps none, because they would take most bytes of a visit."""


def responses_of(
    probe: Probe,
    encoder: CrossEncoder,
    run: Callable[[], Tensor],
    targets: Tensor,
    loss: Loss,
    *,
    representation: bool,
) -> Responses[Tensor]:
    """Responses of one batch, with the logits of the same pass.

    Args:
        probe: probe of the encoder's network.
        encoder: the encoder.
        run: function that runs the network on the batch and returns its logits.
        targets, loss: as `Probe.responses` takes them.
        representation: whether what the head read is kept as well.
    """
    logits: list[Tensor] = []

    def watched() -> Tensor:
        answer = run()
        logits[:] = [answer.detach()]  # subtle: a probe may run the batch twice
        return answer

    read: list[Tensor] = []
    with encoder.representing(read) if representation else nullcontext():
        found = probe.responses(watched, targets, loss=loss)
    few = logits[0].shape[1] <= MOST_LOGITS
    return replace(
        found, logits=logits[0] if few else None, representation=read[0] if read else None
    )


def in_order(
    found: Sequence[Responses[Tensor]], order: NDArray[np.int64], widths: Sequence[int]
) -> Responses[NDArray[np.float32]]:
    """Join the responses of all passes, in the original order of the samples.

    They are copied from the device at once.

    Args:
        found: responses of each pass; none if there are no samples.
        order: original place of each sample, pass by pass.
        widths: lengths of dots, of a sketch and of kept logits, for the case of no samples too.
    """
    ends = np.cumsum([1, 1, 1, *widths])
    rows = np.empty((len(order), ends[-1]), np.float32)
    if found:
        rows[order] = torch.cat([_columns(one) for one in found]).cpu().numpy()
    norm, loss, margin, dots, sketch, logits = (
        np.ascontiguousarray(part) for part in np.split(rows, ends[:-1], axis=1)
    )
    figures = (norm[:, 0], loss[:, 0], margin[:, 0], dots, sketch)
    read = _joined([one.representation for one in found], order)
    return Responses(*figures, logits if widths[-1] else None, read)


def _columns(one: Responses[Tensor]) -> Tensor:
    kept = [] if one.logits is None else [one.logits]
    figures = [one.norm, one.loss, one.margin, one.dots, one.sketch, *kept]
    return torch.column_stack(figures).float()


def _joined(read: Sequence[Any], order: NDArray[np.int64]) -> NDArray[np.float16] | None:
    if not read or read[0] is None:
        return None
    joined = torch.cat(list(read)).cpu().numpy()
    found = np.empty_like(joined)
    found[order] = joined
    return found
