"""When and how the judge decides."""

from typing import Annotated

from mainstem.settings.fields import Group, Means, share

__all__ = ["Standing"]


class Standing(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When and how the judge decides."""

    judge_every: Annotated[
        int,
        Means(
            "A higher number lets more samples of a partition pass between two judgements.", low=1
        ),
    ] = 2000
    false_discovery_rate: Annotated[
        float,
        share(
            "A higher rate calls more samples `contradictory`, and more of them wrongly (the q of Benjamini-Hochberg)."
        ),
    ] = 0.1
    canary_minimum: Annotated[
        int, Means("A higher number asks for more canaries before anything is called.", low=1)
    ] = 200
    doubt: Annotated[
        float, share("A higher p-value is asked of a sample before it is sound enough for core.")
    ] = 0.1
    core_quantile: Annotated[
        float, share("A higher quantile of importance makes core smaller, which lies above it.")
    ] = 0.5
    spent_level: Annotated[
        float,
        Means(
            "A higher level calls more samples `spent`, which lie below it in importance (1 is the canaries' mean).",
            low=0,
        ),
    ] = 0.05
    confidence: Annotated[
        float,
        Means(
            "A higher number asks importance to lie more standard errors above or below a level.",
            low=0,
        ),
    ] = 1.0
    core_visits: Annotated[
        int,
        Means("A higher number asks for more visits before a sample can be core or spent.", low=1),
    ] = 2
