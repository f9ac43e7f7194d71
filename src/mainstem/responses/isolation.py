"""Whether the first dimension of a layer's output is the batch: a few more backward passes tell.

If it is, then multiplying one sample's loss by 2^k multiplies the gradient at that sample's row by
2^k and changes no other row. Several things break this: a layer that reads time first (even where
a text has as many tokens as the batch has samples), a table that the samples share, samples that
are sorted inside the model, a batch norm in train mode, and a loss that compares samples.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from mainstem.errors import BatchError
from mainstem.responses.modes import grads_kept

__all__ = ["BatchCheck", "batch_norms", "check_apart", "factors", "lengths", "verdicts"]

# factors from 2^-4 to 2^4: multiplying by them rounds nothing, even in half precision
_BASE: Final = 9
# a shorter row may hold numbers that float32 does not hold exactly, or rounds to 0
_SHORTEST: Final = 1e-30
_MAY_BE_OFF: Final = 0.1  # tolerated share of a length; two factors differ by 2 or more


def factors(samples: int) -> list[Tensor]:
    """Factors of the samples' losses for each pass, shape (B,) each.

    The first pass has factors of 1. In the others, any two samples differ at least once.

    Example:
        >>> [one.tolist() for one in factors(3)]
        [[1.0, 1.0, 1.0], [0.0625, 0.125, 0.25]]
        >>> len(factors(9)), len(factors(10)), len(factors(81)), len(factors(82))
        (2, 3, 3, 4)
    """
    left, found = torch.arange(samples), [torch.ones(samples)]
    while not len(found) > 1 or left.any():
        found.append(2.0 ** (left % _BASE - _BASE // 2))
        left = left // _BASE
    return found


@torch.no_grad()
def lengths(gradient: Tensor) -> Tensor:
    """Length of each row, shape (B,)."""
    rows = gradient.float().flatten(1)
    if not rows.shape[1]:  # samples without a token have rows without numbers
        return rows.new_zeros(len(rows))
    # subtle: squares of the gradients of a confident model are 0 in float32
    largest = torch.linalg.vector_norm(rows, ord=torch.inf, dim=1, keepdim=True)
    shares = rows / largest.where(largest > 0, 1)
    found: Tensor = torch.linalg.vector_norm(shares, dim=1) * largest.squeeze(1)
    return found


@torch.no_grad()
def verdicts(passes: Sequence[Sequence[Tensor]], by: Sequence[Tensor]) -> list[bool | None]:
    """Whether the rows of each layer grow with their own losses.

    Args:
        passes: for each pass and layer, the lengths of the rows of the gradient at the layer's
            output, shape (B,).
        by: factors of the losses in each pass; those of the first pass are all 1.

    Returns:
        For each layer True or False, and None where no gradient reached it, so that nothing shows.
        A row shorter than 1e-30 shows nothing: that of a sample that a model is very sure of.

    Example:
        >>> by = factors(2)
        >>> right, mixed = torch.tensor([4.0, 4.0]), torch.tensor([0.25, 0.5])
        >>> verdicts([[right, right, 0 * right], [mixed, mixed.flip(0), 0 * right]], by)
        [True, False, None]
    """
    told = []
    for first, *others in zip(*passes, strict=True):
        shows = first > _SHORTEST
        expected = [first * factor.to(first.device) for factor in by[1:]]
        off = [
            # NaN compares as not off
            shows & ((other - one).abs() > _MAY_BE_OFF * one)
            for other, one in zip(others, expected, strict=True)
        ]
        told.append(torch.stack([shows.any(), torch.stack(off).any()]))
    # subtle: this waits for the device once, not once for each layer
    found = torch.stack(told).tolist() if told else []
    return [False if is_off else True if has_any else None for has_any, is_off in found]


def batch_norms(model: nn.Module) -> dict[str, Any]:
    """The batch norms of a model, by name; they may normalise a sample by the rest of its batch."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, kinds)}


def check_apart(layers: Mapping[str, Any]) -> None:
    """Raise if a batch norm uses the statistics of the current batch.

    No sample has a gradient of its own then.

    Args:
        layers: batch norms by name, as `batch_norms` gives them.

    Raises:
        BatchError: if a layer is in train mode or tracks no running statistics.

    Example:
        >>> check_apart({"norm": nn.BatchNorm1d(2).eval()})
        >>> check_apart({"norm": nn.BatchNorm1d(2)})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        mainstem.errors.BatchError: norm, a BatchNorm1d, normalises ...; put it in eval mode
    """
    for name, layer in layers.items():
        is_tracking = layer.running_mean is not None
        what = "put it in eval mode" if is_tracking else "let it track running statistics"
        if layer.training or not is_tracking:
            msg = (
                f"{name or 'the model'}, a {type(layer).__name__}, "
                f"normalises each sample by the whole batch; {what}"
            )
            raise BatchError(msg)


class BatchCheck:
    """Checks once for each layer of a pass that the first dimension of its output is the batch.

    Args:
        names: names of all layers that the pass listens to.
        verified: names of the layers that are known to have the batch first; the check adds to it.
    """

    def __init__(self, names: Sequence[str], verified: set[str]) -> None:
        self._names, self._verified = names, verified
        self._edges: list[tuple[str, GradientEdge]] = []
        self._recorded: list[tuple[str, Tensor]] | None = None

    @property
    def is_recording(self) -> bool:
        """Whether a backward pass of the check is running, in which layers report to `record`."""
        return self._recorded is not None

    def add(self, name: str, output: Tensor) -> None:
        """Add the output of a layer, as part of the graph; it is checked unless it is verified."""
        if name not in self._verified:
            self._edges.append((name, get_gradient_edge(output)))

    def record(self, name: str, gradient: Tensor) -> None:
        """Record the gradient at the output of a layer while `is_recording`."""
        if self._recorded is not None and name not in self._verified:
            self._recorded.append((name, lengths(gradient)))

    def forget(self) -> None:
        """Drop the outputs, and with them the graph."""
        self._edges.clear()

    def is_needed(self, losses: Tensor, *, is_reentrant: bool) -> bool:
        """Whether a layer is still to be checked, and the losses of a pass can show anything.

        Args:
            losses: loss of each sample, shape (B,).
            is_reentrant: whether layers ran inside a reentrant checkpoint, which keeps no graph.
        """
        is_unknown = is_reentrant and not self._verified.issuperset(self._names)
        return len(losses) > 1 and losses.requires_grad and (bool(self._edges) or is_unknown)

    def run(
        self, losses: Tensor, trained: Sequence[Tensor], *, is_reentrant: bool
    ) -> dict[str, str]:
        """Run the backward passes of the check; the layers that pass it become verified.

        Args:
            losses: loss of each sample, shape (B,); the graph is kept.
            trained: parameters in the graph, whose `.grad` stays as it is.
            is_reentrant: whether layers ran inside a reentrant checkpoint, which keeps no graph.

        Returns:
            For each layer that fails, by name, what it did.
        """
        by = factors(len(losses))
        seen = []
        for factor in by:
            loss = (losses * factor.to(losses.device)).sum()
            if trained and not is_reentrant:
                seen.append(self._lengths(loss, len(losses)))
            else:
                seen.append(self._lengths_heard(loss, trained))
        each: dict[str, list[bool | None]] = {}
        of_layers = verdicts([[one for _, one in lengths_seen] for lengths_seen in seen], by)
        for (name, _), verdict in zip(seen[0], of_layers, strict=True):
            each.setdefault(name, []).append(verdict)
        self._edges.clear()
        self._verified.update(name for name, found in each.items() if all(found))
        why = f"gave {len(losses)} rows, but a sample's loss reaches rows of others"
        return {name: why for name, found in each.items() if False in found}

    def _lengths(self, loss: Tensor, samples: int) -> list[tuple[str, Tensor]]:
        # subtle: no gradient reaches a weight, for which others may be waiting (DDP)
        edges = [edge for _, edge in self._edges]
        found = torch.autograd.grad(loss, edges, retain_graph=True, allow_unused=True)
        nothing = torch.zeros(samples, device=loss.device)
        return [
            (name, nothing if one is None else lengths(one))
            for (name, _), one in zip(self._edges, found, strict=True)
        ]

    def _lengths_heard(self, loss: Tensor, trained: Sequence[Tensor]) -> list[tuple[str, Tensor]]:
        """The same by a whole backward pass, in which the layers call `record`."""
        recorded: list[tuple[str, Tensor]] = []
        self._recorded = recorded
        try:
            with grads_kept(trained):
                loss.backward(retain_graph=True)  # type: ignore[no-untyped-call]
        finally:
            self._recorded = None
        return recorded
