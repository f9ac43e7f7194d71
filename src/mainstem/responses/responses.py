"""The gradient responses of a batch, as they are kept."""

from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Responses"]

A = TypeVar("A", Tensor, NDArray[np.float32])


@dataclass(frozen=True)
class Responses(Generic[A]):
    """The gradient responses of B samples at one version, in tensors or arrays of float32.

    Attributes:
        norm: norm of d loss / d theta over all trained parameters, shape (B,), >= 0.
        loss: loss of each sample, shape (B,); in nats for a cross-entropy.
        margin: logit of the label less the largest other logit, shape (B,); below 0 the model
            disagrees with the label. NaN where the loss is no cross-entropy.
        dots: dot of each sample's gradient with each of n directions, shape (B, n).
        sketch: sketch of each sample's gradient, shape (B, k). The dot of two sketches is, in the
            mean over seeds, the dot of the gradients.
        logits: logits that the loss was taken of, shape (B, C); None where they are not kept, as
            by a probe.
        representation: what the head of the model read, shape (B, D), float16; None where it is
            not kept, as by a probe.
    """

    norm: A
    loss: A
    margin: A
    dots: A
    sketch: A
    logits: A | None = None
    representation: Any = None

    def numpy(self: "Responses[Any]") -> "Responses[NDArray[np.float32]]":
        """The same as arrays; this waits for the device."""
        found = (getattr(self, one.name) for one in fields(self))
        return Responses(*(one if one is None else one.float().cpu().numpy() for one in found))
