"""How many passes over its draw a round plans, from what earlier rounds found useful.

The learning rate falls to nothing over the passes that are planned. So a round that stops early
has paid for a pass that it throws away, and has never taken the short last steps. What is left to
learn is told by the last round: passes after the one with the lowest held-out loss taught nothing.
One more than were useful is planned all the same, because a round that plans too few never finds
out, and its version is worse for good.
"""

from collections.abc import Sequence

__all__ = ["planned_epochs"]


def planned_epochs(useful: Sequence[int], most: int) -> int:
    """The number of passes that the next round plans.

    Args:
        useful: for each earlier round, in order, the pass after which its held-out loss was lowest;
            0 for a round that trained nothing, which tells nothing.
        most: the most passes of a round, with which the first round starts.

    Example:
        >>> planned_epochs([], most=3)
        3
        >>> planned_epochs([3, 1], most=3), planned_epochs([1, 0], most=3)
        (2, 2)
    """
    told = [one for one in useful if one]
    return min(told[-1] + 1, most) if told else most
