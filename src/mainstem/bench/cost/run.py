"""Runs the cells of the bench in two processes, and compares what came of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np

from mainstem.bench.cost.cells import Cell, OpenEmpty, Ran, run_cell
from mainstem.bench.cost.compared import LESS, compared
from mainstem.bench.cost.material import material_of
from mainstem.bench.cost.policies import OURS, TRIALS, Policy
from mainstem.bench.cost.streams import BenchStream
from mainstem.bench.ranker_log import OpenStore
from mainstem.disk import write_whole
from mainstem.ids import number_of
from mainstem.settings import Settings

__all__ = ["TUNING_SEEDS", "Group", "Plan", "bench_cost", "chosen_trials", "tune"]

Told: TypeAlias = Callable[[str], object]
TUNING_SEEDS: Final = (100, 101)
"""Seeds on which settings are chosen; they are not reported."""
_CHOSEN: Final = "chosen.json"
_CELLS: Final = "cells"


@dataclass(frozen=True)
class Group:
    """The cells that share a stream and a seed, and so the join.

    Attributes:
        stream: the stream.
        seed: the seed.
        cells: the cells, each with the name of the settings on top.
    """

    stream: BenchStream
    seed: int
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Plan:
    """What is to be run, and where it is kept.

    Attributes:
        folder: folder that keeps the cells.
        streams: the streams.
        policies: the policies.
        seeds: the seeds.
        settings: usual settings.
        opened: opens an empty history for the counts of the join.
        opened_home: opens an empty history and place for versions.
        processes: number of processes, each with one thread.
    """

    folder: Path
    streams: Sequence[BenchStream]
    policies: Sequence[Policy]
    seeds: Sequence[int]
    settings: Settings
    opened: OpenStore
    opened_home: OpenEmpty
    processes: int = 2

    def groups(self, trials: Mapping[str, str]) -> list[Group]:
        """The cells, grouped by what they share.

        Args:
            trials: name of the settings that were chosen for each family.
        """
        return [
            Group(
                stream,
                seed,
                [
                    self.cell(stream, policy, seed, trials.get(_family_of(policy), ""))
                    for policy in self.policies
                ],
            )
            for seed in self.seeds
            for stream in self.streams
        ]

    def cell(self, stream: BenchStream, policy: Policy, seed: int, trial: str) -> Cell:
        """A cell, with a digest of its stream and of all its settings.

        So a folder that was begun with other settings, or by another release, gives no cells.
        """
        its = {**stream.settings, **policy.all_settings, **TRIALS[trial]}
        made_of = (repr(stream), repr(policy), repr(sorted(self.settings.but(its).flat().items())))
        return Cell(stream.name, policy, seed, trial, f"{number_of('cell', *made_of):016x}")

    def missing(self, groups: Iterable[Group]) -> list[Group]:
        """The groups with the cells that have not run."""
        left = [
            Group(one.stream, one.seed, [cell for cell in one.cells if not self._ran(cell)])
            for one in groups
        ]
        return [one for one in left if one.cells]

    def read(self, groups: Iterable[Group]) -> list[Ran]:
        """The cells that have run."""
        found = (self._ran(cell) for one in groups for cell in one.cells)
        return [one for one in found if one]

    def run(self, groups: Sequence[Group], told: Told) -> None:
        """Run cells, each group in one of the processes."""
        seconds = sum(one.stream.cell_seconds * len(one.cells) for one in groups)
        many = sum(len(one.cells) for one in groups)
        if not many:
            return
        minutes = seconds / self.processes / 60
        told(
            f"{many} cells x {seconds / many:.0f} seconds in the mean, in {self.processes} "
            f"processes: about {minutes:.0f} minutes"
        )
        asked = (self.folder / _CELLS, self.settings, self.opened, self.opened_home)
        context = get_context("spawn")
        with ProcessPoolExecutor(self.processes, context, initializer=_alone) as pool:
            waiting = [pool.submit(_run_group, one, *asked) for one in groups]
            done = 0
            for future in as_completed(waiting):
                for line in future.result():
                    done += 1
                    told(f"{done} of {many}: {line}")

    def _ran(self, cell: Cell) -> Ran | None:
        return Ran.read(self.folder / _CELLS, cell)


def bench_cost(plan: Plan, told: Told) -> dict[str, Any]:
    """Run what is missing, and compare the policies of each stream.

    Args:
        plan: the plan.
        told: receives a line of progress.

    Returns:
        `cells`, `target`, `cost_ratio`, `equal_cost` and `curves`, each but the first by the name
        of the stream; and `bound`, what bounds each line that is not reached, in words.
    """
    groups = plan.groups(chosen_trials(plan.folder))
    plan.run(plan.missing(groups), told)
    found: dict[str, Any] = {"cells": [one.facts for one in plan.read(groups)]}
    named = ("target", "cost_ratio", "equal_cost", "curves")
    found |= {name: {} for name in named} | {"bound": {}}
    for stream in plan.streams:
        ran: dict[str, dict[int, Ran]] = {}
        for one in plan.read(group for group in groups if group.stream is stream):
            ran.setdefault(one.facts["policy"], {})[one.facts["seed"]] = one
        its = asdict(compared(ran, plan.policies, seed=0))
        for name in named:
            found[name][stream.name] = its[name]
        if words := _bound(its):
            found["bound"][stream.name] = words
    return found


def tune(plan: Plan, told: Told) -> dict[str, str]:
    """Try the same settings for every family of policies, on seeds that are not reported.

    Args:
        plan: the plan; its seeds do not count.
        told: receives a line of progress.

    Returns:
        For each family the name of the settings with the best mean AUC over streams and seeds, of
        its middle policy; they are kept for later runs.
    """
    groups = [
        Group(
            stream,
            seed,
            [
                plan.cell(stream, one, seed, trial)
                for one in _middle_ones(plan.policies)
                for trial in TRIALS
            ],
        )
        for seed in TUNING_SEEDS
        for stream in plan.streams
    ]
    plan.run(plan.missing(groups), told)
    reached: dict[tuple[str, str], list[float]] = {}
    for one in plan.read(groups):
        at = (one.facts["family"], one.facts["trial"])
        reached.setdefault(at, []).append(one.facts["auc_true"])
    means = {at: float(np.mean(values)) for at, values in reached.items()}
    families = {family for family, _ in means}
    chosen = {
        family: max(TRIALS, key=lambda trial, of=family: means[of, trial])  # type: ignore[misc]
        for family in sorted(families)
    }
    for (family, trial), mean in sorted(means.items()):
        told(f"{family}, {trial or 'as usual'}: mean AUC {mean:.4f}")
    write_whole(plan.folder / _CHOSEN, msgspec.json.encode(chosen))
    return chosen


def chosen_trials(folder: Path) -> dict[str, str]:
    """The settings that were chosen for each family; none if nothing was tuned here."""
    file = folder / _CHOSEN
    if not file.is_file():
        return {}
    found: dict[str, str] = msgspec.json.decode(file.read_bytes())
    return found


def _family_of(policy: Policy) -> str:
    """The family whose settings a policy takes: what leaves a part out takes those of the whole."""
    return policy.family.partition(",")[0]


def _middle_ones(policies: Sequence[Policy]) -> list[Policy]:
    """The middle policy of each family."""
    found: dict[str, list[Policy]] = {}
    for one in policies:
        if one.family == _family_of(one):
            found.setdefault(one.family, []).append(one)
    return [its[len(its) // 2] for its in found.values()]


def _alone() -> None:
    """Take one thread, because two processes share the machine."""
    import torch

    torch.set_num_threads(1)


def _run_group(
    group: Group, folder: Path, settings: Settings, opened: OpenStore, home: OpenEmpty
) -> list[str]:
    return list(_ran_in_turn(group, folder, settings, opened, home))


def _ran_in_turn(
    group: Group, folder: Path, settings: Settings, opened: OpenStore, home: OpenEmpty
) -> Iterator[str]:
    material = material_of(group.stream, group.seed, settings, opened)
    for cell in group.cells:
        ran = run_cell(cell, material, TRIALS[cell.trial], home)
        ran.keep(folder, cell)
        reached, seconds = ran.facts["auc_true"], ran.facts["cost"]["seconds"]
        yield (
            f"{cell.stream}, seed {cell.seed}: {cell.policy.name}: AUC {reached:.4f}, "
            f"{seconds:.0f} s"
        )


def _bound(its: Mapping[str, Any]) -> str:
    """What bounds the ratio of cost where ours is not cheaper; empty where it is."""
    ratio, points = its["cost_ratio"]["mean"], its["curves"].get(OURS, [])
    if not points:
        return ""
    best = max(points, key=lambda one: one["auc_true"])
    if ratio is None:
        short = its["target"] - best["auc_true"]
        return (
            f"{OURS} never reaches the target: {best['policy']!r} is {short:.4f} below it, "
            f"which is {LESS} below the best baseline"
        )
    if ratio < 1:
        return ""
    free = its["free_ratio"]
    return (
        f"what scoring costs is more than what it saves: at the target {OURS} costs {ratio:.2f} of "
        f"the cheapest baseline, and {free:.2f} if scoring cost nothing"
    )
