"""Quality against cost: at what cost a way to choose samples reaches a quality, and how surely.

Intervals come from a bootstrap over seeds and over the questions of each seed's last part. All
policies are measured on the same draw, so what makes a draw easy for all of them cancels out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curve", "cost_at", "quality_at"]

_Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Points of a family of policies.

    Attributes:
        cost: cost of each of P points, shape (P,).
        quality: quality of each, shape (P,).
    """

    cost: _Numbers
    quality: _Numbers

    @property
    def frontier(self) -> tuple[_Numbers, _Numbers]:
        """Cost and quality of the points that no cheaper point equals, by cost.

        Example:
            >>> curve = Curve(np.array([3.0, 1.0, 2.0]), np.array([0.9, 0.7, 0.6]))
            >>> [one.tolist() for one in curve.frontier]
            [[1.0, 3.0], [0.7, 0.9]]
        """
        order = np.lexsort((-self.quality, self.cost))
        cost, quality = self.cost[order], self.quality[order]
        best = np.maximum.accumulate(np.concatenate([[-np.inf], quality]))
        kept = quality > best[:-1]
        return cost[kept], quality[kept]


def cost_at(curve: Curve, target: float) -> float | None:
    """The cost at which a curve reaches a quality, linear between its points.

    Returns:
        The cost; that of the cheapest point if it reaches the target already, for nothing is known
        below it; None if no point reaches it.

    Example:
        >>> curve = Curve(np.array([1.0, 3.0]), np.array([0.5, 0.75]))
        >>> cost_at(curve, 0.625), cost_at(curve, 0.4), cost_at(curve, 0.8)
        (2.0, 1.0, None)
    """
    cost, quality = curve.frontier
    if not len(quality) or quality[-1] < target:
        return None
    return float(np.interp(target, quality, cost))


def quality_at(curve: Curve, cost: float) -> float | None:
    """The best quality that a curve has at a cost, linear between its points.

    Returns:
        The quality; that of the dearest point beyond it; None below the cheapest point.

    Example:
        >>> curve = Curve(np.array([1.0, 3.0]), np.array([0.7, 0.9]))
        >>> quality_at(curve, 2.0), quality_at(curve, 9.0), quality_at(curve, 0.5)
        (0.8, 0.9, None)
    """
    costs, qualities = curve.frontier
    if not len(costs) or cost < costs[0]:
        return None
    return float(np.interp(cost, costs, qualities))
