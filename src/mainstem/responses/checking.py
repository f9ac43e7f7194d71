"""Compares a probe with ordinary backward passes, on batches that can show its mistakes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor

from mainstem.errors import ModelError
from mainstem.objectives.losses import Loss
from mainstem.responses.directions import Direction
from mainstem.responses.responses import Responses

if TYPE_CHECKING:
    from mainstem.responses.probe import Probe

__all__ = ["Compared", "check", "compared", "random_directions"]

_CLOSE: Final = 1e-3
_CLOSE_IN_HALF: Final = 5e-2
# what rounding may leave of a gradient that is 0, as a share of the summed norms of all samples
_NOTHING: Final = 1e-5
_ALONE: Final = 3  # samples that get a backward pass of their own, to compare their norms


@dataclass(frozen=True)
class Compared:
    """Figures of the probe for one batch beside the figures of ordinary backward passes.

    Attributes:
        samples: number of samples in the batch, B.
        is_ambiguous: whether the batch cannot show which dimension is the batch: a layer saw
            another dimension of size B, or B is 1.
        worst: the parameter whose dots differ most: its name, the sum of its dots by the probe,
            the same by autograd, and the tolerated difference.
        norms: for a few samples, the norm by the probe, the norm by autograd, and the tolerated
            difference.
    """

    samples: int
    is_ambiguous: bool
    worst: tuple[str, float, float, float]
    norms: list[tuple[float, float, float]]


def check(probe: "Probe", batches: Sequence[tuple[Callable[[], Any], Any]], loss: Loss) -> float:
    """Compare a probe with ordinary backward passes; `Probe.check` documents it."""
    if not batches:
        msg = (
            "a check needs a batch; got none: "
            "call check(run, targets), or check(batches=[(run, targets), ...])"
        )
        raise ValueError(msg)
    found = [probe.compared(run, targets, loss) for run, targets in batches]
    for one in found:
        _check_one(probe, one)
    sizes = [one.samples for one in found]
    if len(found) > 1 and len(set(sizes)) == 1:
        msg = (
            f"a check needs batches of unlike numbers of samples; got {len(sizes)} of {sizes[0]}; "
            "pass batches of different sizes"
        )
        raise ValueError(msg)
    if len(found) == 1 and found[0].is_ambiguous:
        msg = (
            f"a batch of {sizes[0]} cannot show which dimension is the batch: it has one sample, "
            "or layers see another dimension of that size; "
            "take another number of samples, or several `batches` of different sizes and lengths"
        )
        raise ValueError(msg)
    norms = [both for one in found for both in one.norms]
    return max(abs(norm - true) / max(true, _NOTHING) for norm, true, _ in norms)


def random_directions(parameters: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """One random direction for each parameter; the other parameters are 0 in it."""
    drawn = torch.Generator().manual_seed(0)
    return [
        {name: torch.randn(one.shape, generator=drawn).to(one.device)}
        for name, one in parameters.items()
    ]


def compared(
    losses: Tensor,
    output: Any,
    parameters: Mapping[str, Tensor],
    directions: Sequence[Direction],
    found: Responses[Tensor],
    dimensions: set[int],
) -> Compared:
    """Compare what the probe found with ordinary backward passes.

    Args:
        losses: loss of each sample, shape (B,), from a pass whose parameters are in the graph.
        output: output of the model in that pass.
        parameters: the parameters that responses are taken over, by name.
        directions: one direction for each parameter, as `random_directions` makes them.
        found: responses of the same batch by the probe, with these directions.
        dimensions: sizes of all dimensions but the first that layers read or gave in the
            probe's pass.
    """
    samples, device = len(losses), losses.device
    weights = torch.rand(samples, generator=torch.Generator().manual_seed(1)).to(device) + 0.5
    close = _CLOSE_IN_HALF if isinstance(output, Tensor) and output.dtype.itemsize < 4 else _CLOSE
    whole = _gradient((losses * weights).sum(), parameters)
    dots = (weights.double() @ found.dots.double()).tolist()
    all_norms = float((weights * found.norm).sum())
    each = []
    for (name, true), direction, dot in zip(whole.items(), directions, dots, strict=True):
        expected = float((true.double() * direction[name].double()).sum())
        each.append((name, dot, expected, close * float(true.norm()) + _NOTHING * all_norms))
    alone = []
    for sample in sorted({0, samples // 2, samples - 1})[:_ALONE]:
        own = _gradient(losses[sample], parameters).values()
        true_norm = float(torch.stack([part.square().sum() for part in own]).sum()) ** 0.5
        alone.append((float(found.norm[sample]), true_norm, close * true_norm + _NOTHING))
    worst = max(each, key=lambda one: abs(one[1] - one[2]) / max(one[3], 1e-30))
    return Compared(samples, samples == 1 or samples in dimensions, worst, alone)


def _gradient(loss: Tensor, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    found = torch.autograd.grad(
        loss, list(parameters.values()), retain_graph=True, allow_unused=True
    )
    return {
        name: torch.zeros_like(one, dtype=torch.float32)
        if part is None
        else part.to_dense().float()
        for (name, one), part in zip(parameters.items(), found, strict=True)
    }


def _check_one(probe: "Probe", one: Compared) -> None:
    name, dot, expected, may_be_off = one.worst
    layer = name.rpartition(".")[0]
    if not abs(dot - expected) <= may_be_off:
        why = (
            f"has samples whose gradients of {name} along a random direction add up to {dot:.6g}, "
            f"and an ordinary backward pass says {expected:.6g}; "
            "is a weight used outside of its layer?"
        )
        raise ModelError(probe.refusal(layer, why))
    for norm, true, off in one.norms:
        if not abs(norm - true) <= off:
            msg = (
                f"a sample's norm is {norm:.6g}, and an ordinary backward pass says {true:.6g}; "
                "does the loss give one value for each sample?"
            )
            raise ModelError(msg)
