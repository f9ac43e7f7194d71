"""What is kept of the gradient responses of a batch."""

from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Responses"]

A = TypeVar("A", Tensor, NDArray[np.float32])


@dataclass(frozen=True)
class Responses(Generic[A]):
    """What is kept of the gradient responses of B samples at one version; tensors or arrays of float32.

    Attributes:
        norm: length of d loss / d theta over every trained parameter, shape (B,), >= 0.
        loss: each sample's loss, shape (B,); of cross-entropy in nats.
        margin: logit of the label less the largest other one, shape (B,); below 0 the model disagrees. NaN where the loss is
            no cross-entropy.
        dots: dot of each sample's gradient with each of n directions, shape (B, n).
        sketch: shape (B, k): dots of sketches are, in the mean over seeds, the dots of the gradients.
    """

    norm: A
    loss: A
    margin: A
    dots: A
    sketch: A

    def numpy(self: "Responses[Any]") -> "Responses[NDArray[np.float32]]":
        """The same as arrays; waits for the device."""
        return Responses(*(getattr(self, one.name).float().cpu().numpy() for one in fields(self)))
