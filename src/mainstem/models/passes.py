"""What each kind of pass over a model costs, in one unit: the forward-equivalent.

One forward-equivalent is the work of a plain pass over one token: forward, and backward to all
weights. A pass over T tokens costs T times the factor of its kind. The factors are measured
(`mainstem bench responses`, BENCHMARKS.md: four layers of 256 on two threads), and taken to be the
same for every model.
"""

from typing import Final

__all__ = ["FORWARD", "LAST", "PLAIN", "factors_of"]

PLAIN: Final = 1.0
"""A forward and a backward pass, as for a training step or a mean gradient."""
FORWARD: Final = 0.32
"""A forward pass alone, as for logits."""
LAST: Final = 0.37
"""A forward pass, and responses of the last block and the head alone."""
_FULL: Final = {
    (False, False): 0.73,
    (True, False): 0.91,
    (False, True): 0.84,
    (True, True): 1.0,
}
"""Responses of all layers, by whether they come with a dot and with a sketch."""


def factors_of(*, direction: bool, sketch: bool) -> dict[str, float]:
    """Forward-equivalents of each token, by the kind of the pass.

    Args:
        direction: whether a full response comes with its dot with a trusted gradient.
        sketch: whether it comes with a sketch.

    Returns:
        Factors of `plain`, `forward`, `last` and `full` passes. `full` is that of responses of all
        layers; where the settings choose some layers, it is an upper bound.

    Example:
        >>> factors_of(direction=False, sketch=False)["full"]
        0.73
    """
    full = _FULL[direction, sketch]
    return {"plain": PLAIN, "forward": FORWARD, "last": LAST, "full": full}
