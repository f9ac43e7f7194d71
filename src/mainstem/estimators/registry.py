"""All estimators by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from mainstem.estimators.aum import AUM
from mainstem.estimators.cartography import MeanConfidence, Variability
from mainstem.estimators.chance import Random
from mainstem.estimators.contract import Estimator
from mainstem.estimators.errors import EL2N, Loss
from mainstem.estimators.excess import ExcessLoss
from mainstem.estimators.forgetting import Forgetting
from mainstem.estimators.leverage import InformationGain, Leverage
from mainstem.estimators.likelihood import LikelihoodRatio
from mainstem.estimators.nearness import (
    Density,
    DensityOfRepresentation,
    Similarity,
    SimilarityOfRepresentation,
)
from mainstem.estimators.newest import (
    Confidence,
    Entropy,
    LeastConfidence,
    Margin,
    WeightedEntropy,
)
from mainstem.estimators.norms import NormalisedNorm, NormOfMean, ResponseNorm, SquaredNorm
from mainstem.estimators.tracin import Alignment, TracIn

__all__ = ["ACTING", "ESTIMATORS", "estimator"]

ACTING: Final = ResponseNorm.name
"""Name of the estimator that decides what is important."""

_MADE: Final[tuple[Callable[[], Estimator], ...]] = (
    *(ResponseNorm, NormOfMean, SquaredNorm, NormalisedNorm),
    *(Leverage, InformationGain),
    *(EL2N, Loss, ExcessLoss),
    *(Confidence, Margin, WeightedEntropy, Entropy, LeastConfidence, LikelihoodRatio),
    *(AUM, Forgetting, MeanConfidence, Variability),
    *(TracIn, Alignment),
    *(Similarity, Density, SimilarityOfRepresentation, DensityOfRepresentation),
    Random,
)
ESTIMATORS: Final[Mapping[str, Estimator]] = MappingProxyType(
    {made.name: made for made in (make() for make in _MADE)}
)
"""Every estimator by its name, those that are alike side by side."""


def estimator(name: str, *, seed: int = 0) -> Estimator:
    """The estimator of a name.

    Args:
        name: one of the names in `ESTIMATORS`.
        seed: seed of the run, for the one that chooses at random.

    Raises:
        ValueError: if there is no estimator of that name.

    Example:
        >>> estimator("aum").says
        'sound'
    """
    if name == Random.name:
        return Random(seed)
    if name not in ESTIMATORS:
        msg = f"{name!r} is no estimator; there are {', '.join(ESTIMATORS)}"
        raise ValueError(msg)
    return ESTIMATORS[name]
