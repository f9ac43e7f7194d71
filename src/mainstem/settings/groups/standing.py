"""Settings of when and how the judge decides."""

from typing import Annotated

from mainstem.settings.fields import Group, Means, share

__all__ = ["Standing"]


class Standing(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When and how the judge decides."""

    judge_every: Annotated[int, Means(meaning="samples of a partition between two judgements", low=1)] = 2000
    false_discovery_rate: Annotated[float, share("q of Benjamini-Hochberg, for `contradictory`")] = 0.1
    canary_minimum: Annotated[int, Means(meaning="canaries that a stratum needs for a verdict", low=1)] = 200
    doubt: Annotated[float, share("below this p-value a sample is not sound enough for core")] = 0.1
    core_quantile: Annotated[float, share("core lies above this quantile of importance")] = 0.5
    spent_level: Annotated[float, Means(meaning="spent lies below this importance (1 is the canaries' mean)", low=0)] = 0.05
    confidence: Annotated[float, Means(meaning="standard errors that importance must lie above or below by", low=0)] = 1.0
    core_visits: Annotated[int, Means(meaning="visits before a sample can be core or spent", low=1)] = 2
