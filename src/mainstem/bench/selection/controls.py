"""Choices that hold others in check: by standing, trusted samples alone, and one that knows all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mainstem.bench.cost.choice import Candidates, Chosen, alike
from mainstem.bench.selection.draws import some_of

__all__ = ["OfStandings", "Oracle", "TrustedOnly"]


@dataclass(frozen=True)
class OfStandings:
    """At random from samples of some standings.

    Attributes:
        standings: the standings that may be taken.
        weighed: whether samples weigh as the judgement says; else they count alike.
    """

    standings: tuple[int, ...]
    weighed: bool = False
    reads: ClassVar[tuple[str, ...]] = ()
    judges: ClassVar[bool] = True
    settings: ClassVar[Mapping[str, Any]] = {}

    def of(self, there: Candidates, share: float, random: np.random.Generator) -> Chosen:
        """The share of all, or all of these standings if they are fewer.

        Before the first judgement all samples are edge. If nothing has these standings, samples of
        all of them are taken, because a round must train on something.
        """
        among = np.flatnonzero(np.isin(there.standing, self.standings))
        places = some_of(among if len(among) else np.arange(len(there)), len(there), share, random)
        return Chosen(places, there.weight[places]) if self.weighed else alike(places)


@dataclass(frozen=True)
class TrustedOnly:
    """All samples whose label somebody confirmed, and no others, whatever the share."""

    reads: ClassVar[tuple[str, ...]] = ()
    judges: ClassVar[bool] = False
    settings: ClassVar[Mapping[str, Any]] = {}

    def of(self, there: Candidates, share: float, random: np.random.Generator) -> Chosen:  # noqa: ARG002
        """The confirmed ones."""
        return alike(np.flatnonzero(there.confirmed))


@dataclass(frozen=True)
class Oracle:
    """At random from samples with right labels, which it knows: the most that a filter can do."""

    reads: ClassVar[tuple[str, ...]] = ()
    judges: ClassVar[bool] = False
    settings: ClassVar[Mapping[str, Any]] = {}

    def of(self, there: Candidates, share: float, random: np.random.Generator) -> Chosen:
        """The share of all, or all right ones if they are fewer."""
        right = np.flatnonzero(~there.wrong)
        return alike(some_of(right, len(there), share, random), there.wrong)
