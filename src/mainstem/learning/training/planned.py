"""How many passes over its draw a round plans, from what earlier rounds found useful.

The learning rate falls to nothing over the passes that are planned. So a round that stops early
has paid for a pass that it throws away, and has never taken the short last steps. What is left to
learn is told by the last rounds: where the held-out loss was lowest before the last pass, more
passes teach nothing, and where it was lowest after the last one, one more may.
"""

from collections.abc import Iterable

__all__ = ["planned_epochs"]


def planned_epochs(useful: Iterable[int], most: int) -> int:
    """The number of passes that the next round plans.

    Args:
        useful: for each earlier round, in order, the pass after which its held-out loss was lowest;
            0 for a round that trained nothing, which tells nothing.
        most: the most passes of a round, with which the first round starts.

    Example:
        >>> planned_epochs([], most=3)
        3
        >>> planned_epochs([3, 1], most=3), planned_epochs([3, 1, 1], most=3)
        (1, 2)
    """
    planned = most
    for found in useful:
        if found:
            planned = min(found + 1, most) if found >= planned else found
    return planned
