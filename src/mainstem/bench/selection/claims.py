"""The claims about selection: what the default is to reach, and what it reached."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.cost.cells import Ran
from mainstem.bench.cost.compared import DRAWS, Each, interval_of
from mainstem.bench.cost.curves import Curve, quality_at
from mainstem.bench.cost.policies import FAMILIES, Policy
from mainstem.bench.cost.streams import CostStream
from mainstem.bench.selection.policies import DEFAULT, MULTISTAGE

__all__ = ["claims_of"]

_Numbers = NDArray[np.float64]
_Of: TypeAlias = Callable[[Each, _Numbers, _Numbers], float]
"""A figure of a stream, out of cost and quality of each policy; NaN where it is not defined."""
_RIVALS: Final = (*FAMILIES, MULTISTAGE)
_LESS: Final = -0.005
_UNKNOWN: Final = "unknown"
_NOT_MEASURED: Final = (
    "not measured: this bench leaves no groups out, so nothing is known of faithfulness"
)


@dataclass(frozen=True)
class _Cells:
    """The cells of one stream; `policies` are those that all its seeds ran."""

    stream: CostStream
    ran: Mapping[str, Mapping[int, Ran]]
    policies: Sequence[Policy]

    def each(self, *, worst: bool) -> Each:
        return Each(self.ran, self.policies, worst=worst)

    def place(self, name: str) -> int:
        """The place of a policy."""
        return [one.name for one in self.policies].index(name)


def claims_of(
    streams: Sequence[CostStream],
    ran: Mapping[str, Mapping[str, Mapping[int, Ran]]],
    policies: Sequence[Policy],
) -> list[dict[str, Any]]:
    """The rows of the table of claims, true or not.

    Args:
        streams: the streams that were run.
        ran: for the name of each stream and of each policy, its cell of each seed.
        policies: the policies that were run.

    Returns:
        For each row `name`, `now`, `reach`, `mean`, `low` and `high` of the weakest measure,
        `wins`, the number of seeds in which that is above 0, `seeds`, `holds`, `weakest`, the name
        of that measure, `measures`, all of them with the same keys, and `why`, the reason in words
        where a row was not measured. What was not measured is None.
    """
    cells = [_Cells(one, ran[one.name], policies) for one in streams]
    noisy = [one for one in cells if one.stream.is_noisy]
    clean = [one for one in cells if not one.stream.is_noisy]
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
        _row("faithfulness of the default: Spearman with leave-group-out", 0.4, [], _NOT_MEASURED),
        _row(
            "worst slice (rarest fifth of queries or categories) against random",
            0.0,
            [_worst(cells)],
            "not measured: no stream has rare queries or categories and the policies",
        ),
    ]


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

    def gain(place: int) -> _Of:
        return lambda each, cost, quality: _gain(each.families[rival], place, cost, quality)

    some = [one for one in cells if _has(one, rival)]
    found = _measured([(one.each(worst=False), gain(one.place(DEFAULT.name))) for one in some])
    if found is None:
        return None
    holds = found["low"] is not None and found["low"] > reach
    return {"name": f"against {rival}", "reach": reach, **found, "holds": holds}


def _gain(theirs: Sequence[int], ours: int, cost: _Numbers, quality: _Numbers) -> float:
    """Quality of ours less theirs at its cost; at their cheapest point if all theirs are dearer."""
    curve = Curve(cost[list(theirs)], quality[list(theirs)])
    known = quality_at(curve, float(cost[ours]))
    other = float(curve.frontier[1][0]) if known is None else known
    return float(quality[ours]) - other


def _worst(cells: Sequence[_Cells]) -> dict[str, Any] | None:
    """AUC of the worst slice under the default, less that under a random draw of as many."""

    def less(one: _Cells) -> _Of:
        ours, theirs = one.place(DEFAULT.name), _random(one)
        return lambda each, cost, quality: float(quality[ours] - quality[theirs])  # noqa: ARG005

    some = [one for one in cells if _has(one, FAMILIES[1])]
    found = _measured([(one.each(worst=True), less(one)) for one in some])
    if found is None:
        return None
    holds = found["high"] is not None and found["high"] >= 0
    return {"name": "against random", "reach": 0.0, **found, "holds": holds}


def _random(cells: _Cells) -> int:
    """The place of the random draw that takes as many samples as the default."""
    wanted = (FAMILIES[1], DEFAULT.draw)
    return [(one.family, one.draw) for one in cells.policies].index(wanted)


def _has(cells: _Cells, rival: str) -> bool:
    families = {one.family for one in cells.policies}
    return rival in families and DEFAULT.name in {one.name for one in cells.policies}


def _measured(streams: Sequence[tuple[Each, _Of]]) -> dict[str, Any] | None:
    """Mean over streams, with an interval over seeds and questions, and wins by seed."""
    if not streams:
        return None
    found = _mean([of(each, *each.as_they_are()) for each, of in streams])
    drawn = np.array(
        [
            [of(each, *one) for one in each.draws(DRAWS, number)]
            for number, (each, of) in enumerate(streams)
        ]
    )
    by_seed = [
        _mean([of(each, *each.of_seed(slot)) for each, of in streams])
        for slot in range(len(streams[0][0].seeds))
    ]
    return {
        **interval_of(found, np.array([_mean(one) for one in drawn.T.tolist()])),
        "wins": sum(one > 0 for one in by_seed),
        "seeds": len(by_seed),
    }


def _mean(values: Sequence[float]) -> float:
    known = [one for one in values if not np.isnan(one)]
    return float(np.mean(known)) if known else np.nan
