"""The claims about selection: what the default is to reach, and what it reached."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.cost.cells import Ran
from mainstem.bench.cost.compared import DRAWS, Each, interval_of
from mainstem.bench.cost.curves import Curve, quality_at
from mainstem.bench.cost.policies import FAMILIES
from mainstem.bench.cost.streams import BenchStream
from mainstem.bench.selection.faithfulness import Faithful
from mainstem.bench.selection.left_out import DEFAULT as DRAWN_BY
from mainstem.bench.selection.policies import CLAIMED, DEFAULT, MULTISTAGE

__all__ = ["claims_of"]

_Numbers = NDArray[np.float64]
_Each: TypeAlias = tuple[_Numbers, _Numbers]
"""Cost and quality of each policy."""
_Of: TypeAlias = Callable[[_Each], float]
"""A figure of a stream, out of cost and quality of each policy; NaN where it is not defined."""
_RIVALS: Final = (*FAMILIES, MULTISTAGE)
_LESS: Final = -0.005
_UNKNOWN: Final = "unknown"
_FAITHFUL: Final = 0.4


@dataclass(frozen=True)
class _Measured:
    """Cost and quality of each policy of a stream: as they are, by draw, and by seed."""

    whole: _Each
    drawn: Sequence[_Each]
    by_seed: Sequence[_Each]

    @classmethod
    def of(cls, each: Each, seed: int) -> Self:
        """Draw seeds and questions once, for all that is told of a stream."""
        slots = range(len(each.seeds))
        return cls(
            whole=each.as_they_are(),
            drawn=list(each.draws(DRAWS, seed)),
            by_seed=[each.of_seed(slot) for slot in slots],
        )


class _Cells:
    """The cells of one stream, of the policies that claims are about."""

    def __init__(
        self,
        number: int,
        stream: BenchStream,
        ran: Mapping[str, Mapping[int, Ran]],
    ) -> None:
        self.stream, self._ran, self._number = stream, ran, number
        self.policies = [one for one in CLAIMED if one.name in ran]
        self.families = {one.family for one in self.policies}

    @cached_property
    def whole(self) -> _Measured:
        """Quality on all samples."""
        return _Measured.of(Each(self._ran, self.policies), self._number)

    @cached_property
    def worst(self) -> _Measured:
        """Quality on the worst of the rare slices."""
        return _Measured.of(Each(self._ran, self.policies, worst=True), self._number)

    @property
    def seeds(self) -> int:
        """The number of seeds."""
        return max((len(of_seed) for of_seed in self._ran.values()), default=0)

    @property
    def default(self) -> int:
        """The place of the default."""
        return self.policies.index(DEFAULT)

    def places(self, rival: str) -> list[int]:
        """The places of the policies on the curve of a rival."""
        known = enumerate(self.policies)
        return [place for place, one in known if rival in (one.family, *one.also)]

    def has(self, rival: str) -> bool:
        """Whether a rival and the default were run."""
        return rival in self.families and DEFAULT in self.policies


def claims_of(
    streams: Sequence[BenchStream],
    ran: Mapping[str, Mapping[str, Mapping[int, Ran]]],
    faithful: Faithful | None = None,
) -> list[dict[str, Any]]:
    """The rows of the table of claims, true or not.

    Args:
        streams: the streams that were run.
        ran: for the name of each stream and of each policy, its cell of each seed.
        faithful: how faithful estimators are; None if no groups were left out.

    Returns:
        For each row `name`, `now`, `reach`, `mean`, `low` and `high` of the weakest measure,
        `wins`, the number of seeds in which that is above 0, `seeds`, `holds`, `weakest`, the name
        of that measure, `measures`, all of them with the same keys, and `why`, the reason in words
        where a row was not measured. What was not measured is None. Of faithfulness the figures are
        the default's own, and `measures` also holds it against each estimator.
    """
    cells = [_Cells(at, one, ran[one.name]) for at, one in enumerate(streams)]
    noisy = _surest([one for one in cells if one.stream.is_noisy])
    clean = _surest([one for one in cells if not one.stream.is_noisy])
    return [
        _row(
            "at 30 % of the draw and equal cost, noisy streams: the default against each rival",
            0.0,
            [_against(rival, noisy, 0.0) for rival in _RIVALS],
            "not measured: no noisy stream was run with the policies that it needs",
        ),
        _row(
            "the same without wrong labels",
            _LESS,
            [_against(rival, clean, _LESS) for rival in _RIVALS],
            "not measured: no stream without wrong labels was run with the policies that it needs",
        ),
        _faithfulness(faithful),
        _row(
            "worst slice (rarest fifth of queries or categories) against random",
            0.0,
            [_worst(_surest(cells))],
            "not measured: no stream has rare queries or categories and the policies",
        ),
    ]


def _surest(cells: Sequence[_Cells]) -> list[_Cells]:
    """The streams with the most seeds; one with fewer says little of an interval."""
    most = max((one.seeds for one in cells), default=0)
    return [one for one in cells if one.seeds == most]


def _row(
    name: str, reach: float, measures: Sequence[Mapping[str, Any] | None], why: str
) -> dict[str, Any]:
    known = [one for one in measures if one and one["mean"] is not None]
    weakest: Mapping[str, Any] = min(known, key=lambda one: float(one["low"]), default={})
    keys = ("mean", "low", "high", "wins", "seeds")
    return {
        "name": name,
        "now": _UNKNOWN,
        "reach": reach,
        **{key: weakest.get(key) for key in keys},
        "holds": all(one["holds"] for one in known) if known else None,
        "weakest": weakest.get("name"),
        "measures": known,
        "why": None if known else why,
    }


def _against(rival: str, cells: Sequence[_Cells], reach: float) -> dict[str, Any] | None:
    """AUC of the default less that of a rival at the same cost, in the mean over streams."""
    some = [one for one in cells if one.has(rival)]
    found = _told([(one.whole, _gain(one.places(rival), one.default)) for one in some])
    if found is None:
        return None
    holds = found["low"] is not None and found["low"] > reach
    return {"name": f"against {rival}", "reach": reach, **found, "holds": holds}


def _gain(theirs: Sequence[int], ours: int) -> _Of:
    """Quality of ours less theirs at its cost; at their cheapest point if all theirs are dearer."""

    def gain(each: _Each) -> float:
        cost, quality = each
        curve = Curve(cost[list(theirs)], quality[list(theirs)])
        known = quality_at(curve, float(cost[ours]))
        other = float(curve.frontier[1][0]) if known is None else known
        return float(quality[ours]) - other

    return gain


def _worst(cells: Sequence[_Cells]) -> dict[str, Any] | None:
    """AUC of the worst slice under the default, less that under a random draw of as many."""

    def less(ours: int, theirs: int) -> _Of:
        return lambda each: float(each[1][ours] - each[1][theirs])

    some = [one for one in cells if one.has(FAMILIES[1])]
    found = _told([(one.worst, less(one.default, _random(one))) for one in some])
    if found is None:
        return None
    holds = found["high"] is not None and found["high"] >= 0
    return {"name": "against random", "reach": 0.0, **found, "holds": holds}


def _faithfulness(faithful: Faithful | None) -> dict[str, Any]:
    """Spearman of the default by its lower bound, and its gain over each other estimator."""
    name = "faithfulness of the default: Spearman with leave-group-out"
    why = "not measured: no groups were left out"
    if faithful is None:
        return _row(name, _FAITHFUL, [], why)
    own = _against_reach(faithful, None, DRAWN_BY, _FAITHFUL)
    others = [
        _against_reach(faithful, one, f"against {one}", 0.0)
        for one in faithful.drawn
        if one != DRAWN_BY
    ]
    found = _row(name, _FAITHFUL, [own], "not measured: the default ranks no group before another")
    if found["holds"] is None:
        return found
    known = [own, *(one for one in others if one["mean"] is not None)]
    return found | {"measures": known, "holds": all(one["holds"] for one in known)}


def _against_reach(
    faithful: Faithful, other: str | None, name: str, reach: float
) -> dict[str, Any]:
    """Spearman of the default, less that of another estimator if one is named."""
    drawn, by_seed = (one[DRAWN_BY] for one in (faithful.drawn, faithful.by_seed))
    if other is not None:
        drawn, by_seed = drawn - faithful.drawn[other], by_seed - faithful.by_seed[other]
    found = interval_of(_mean(by_seed.tolist()), drawn)
    low = found["low"]
    return {
        "name": name,
        "reach": reach,
        **found,
        "wins": int((by_seed > 0).sum()),
        "seeds": len(by_seed),
        "holds": low is not None and (low > reach if other else low >= reach),
    }


def _random(cells: _Cells) -> int:
    """The place of the random draw that takes as many samples as the default."""
    wanted = (FAMILIES[1], DEFAULT.draw)
    return [(one.family, one.draw) for one in cells.policies].index(wanted)


def _told(streams: Sequence[tuple[_Measured, _Of]]) -> dict[str, Any] | None:
    """Mean over streams, with an interval over seeds and questions, and wins by seed."""
    if not streams:
        return None
    mean = _mean([of(one.whole) for one, of in streams])
    drawn = [[of(each) for each in one.drawn] for one, of in streams]
    by_seed = [[of(each) for each in one.by_seed] for one, of in streams]
    wins = [_mean(one) > 0 for one in zip(*by_seed, strict=True)]
    return {
        **interval_of(mean, np.array([_mean(one) for one in zip(*drawn, strict=True)])),
        "wins": sum(wins),
        "seeds": len(wins),
    }


def _mean(values: Sequence[float]) -> float:
    known = [one for one in values if not np.isnan(one)]
    return float(np.mean(known)) if known else np.nan
