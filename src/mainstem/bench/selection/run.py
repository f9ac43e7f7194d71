"""Runs the cells by the plan of `bench cost`, and holds the claims about selection to them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np

from mainstem.bench.cost.cells import Ran
from mainstem.bench.cost.run import Group, Plan
from mainstem.bench.selection.claims import claims_of
from mainstem.bench.selection.left_out import Case
from mainstem.bench.selection.starts import bench_faithfulness
from mainstem.bench.selection.summary import summary_of
from mainstem.disk import write_whole
from mainstem.errors import SettingError

__all__ = ["MOST", "bench_selection", "keep_screened", "screened"]

_Told: TypeAlias = Callable[[str], object]
MOST: Final = 200
"""The most cells of a plan."""
_SCREENED: Final = "screened.json"


def bench_selection(plans: Sequence[Plan], told: _Told, case: Case | None = None) -> dict[str, Any]:
    """Run what is missing, and hold the claims to all cells.

    Args:
        plans: plans of at most `MOST` cells together, which differ in nothing but their streams,
            policies and seeds.
        told: receives a line of progress.
        case: the small case on which faithfulness is measured; None measures none.

    Returns:
        `cells`, what is told of each, with its `budget`; `claims`, see `claims_of`; `policies`, see
        `summary_of`; and `faithfulness` and `reliability`, the rows and the reliability of
        `Faithful`, empty and None without a case.

    Raises:
        SettingError: if there are more cells.
    """
    groups = [group for plan in plans for group in plan.groups({})]
    many = sum(len(one.cells) for one in groups)
    if many > MOST:
        msg = f"these are {many} cells, and at most {MOST} are run; take fewer seeds or streams"
        raise SettingError(msg)
    first = plans[0]
    first.run(first.missing(groups), told)
    ran = {one.name: _ran(plan, groups, one.name) for plan in plans for one in plan.streams}
    faithful = None
    if case:
        asked = (first.folder, first.settings, first.opened, first.opened_home)
        faithful = bench_faithfulness(case, *asked, told, first.processes)
    return {
        "cells": [{**one.facts, "budget": one.facts["draw"]} for one in first.read(groups)],
        "claims": claims_of([one for plan in plans for one in plan.streams], ran, faithful),
        "policies": [
            row
            for number, plan in enumerate(plans)
            for one in plan.streams
            for row in summary_of(one.name, ran[one.name], plan.policies, number)
        ],
        "faithfulness": faithful.rows if faithful else [],
        "reliability": faithful.reliability if faithful else None,
    }


def keep_screened(folder: Path, cells: Sequence[dict[str, Any]]) -> list[str]:
    """Keep the names of the policies of a screen, the best first.

    Args:
        folder: folder of the bench.
        cells: what is told of its cells.

    Returns:
        The names, by mean AUC over the streams.
    """
    reached: dict[str, list[float]] = {}
    for one in cells:
        reached.setdefault(one["policy"], []).append(one["auc_true"])
    found = sorted(reached, key=lambda name: (-float(np.mean(reached[name])), name))
    write_whole(folder / _SCREENED, msgspec.json.encode(found))
    return found


def screened(folder: Path) -> list[str]:
    """The names that a screen kept in a folder, the best first; none if none ran there."""
    file = folder / _SCREENED
    if not file.is_file():
        return []
    found: list[str] = msgspec.json.decode(file.read_bytes())
    return found


def _ran(plan: Plan, groups: Sequence[Group], stream: str) -> dict[str, dict[int, Ran]]:
    """The cells of a stream by policy and seed."""
    found: dict[str, dict[int, Ran]] = {}
    for one in plan.read(group for group in groups if group.stream.name == stream):
        found.setdefault(one.facts["policy"], {})[one.facts["seed"]] = one
    return found
