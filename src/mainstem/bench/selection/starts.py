"""Runs the starts of a small case in some processes, keeps them, and holds estimators to them."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.cost.cells import OpenEmpty
from mainstem.bench.cost.material import material_of
from mainstem.bench.ranker_log import OpenStore
from mainstem.bench.selection.faithfulness import Effects, Faithful, faithful
from mainstem.bench.selection.left_out import (
    LOOP,
    NAMES,
    Case,
    Sets,
    Start,
    run_start,
    says_of,
    sets_of,
)
from mainstem.disk import write_whole
from mainstem.ids import number_of
from mainstem.settings import Settings

__all__ = ["bench_faithfulness", "held_to"]

_Told: TypeAlias = Callable[[str], object]
_FOLDER: Final = "faithfulness"
_FIGURE: Final = "figure "


def bench_faithfulness(
    case: Case,
    folder: Path,
    settings: Settings,
    opened: OpenStore,
    home: OpenEmpty,
    told: _Told,
    processes: int = 1,
) -> Faithful:
    """Run the starts that are missing in a folder, and hold all estimators to them.

    Args:
        case: the case.
        folder: folder of the bench; what each start gave is kept in it.
        settings: usual settings.
        opened: opens an empty history for the counts of the join.
        home: opens an empty history and place for versions.
        told: receives a line of progress.
        processes: number of processes, each with one thread.
    """
    its = (replace(case, starts=(), start_seconds=0), LOOP, sorted(settings.flat().items()))
    made_of = number_of("faithful", *map(repr, its))
    kept = folder / _FOLDER
    files = {one: kept / f"{made_of:016x}-{one}.npz" for one in case.starts}
    missing = [one for one, file in files.items() if not file.is_file()]
    if missing:
        minutes = case.start_seconds * len(missing) / min(processes, len(missing)) / 60
        told(
            f"faithfulness: {len(missing)} starts x up to {_most(case)} trainings and a replay, in "
            f"{processes} processes: about {minutes:.0f} minutes"
        )
        asked = (case, settings, opened, home)
        with ProcessPoolExecutor(processes, get_context("spawn"), initializer=_alone) as pool:
            sets_file = kept / f"{made_of:016x}-sets.npz"
            if not sets_file.is_file():
                groups, halves = pool.submit(_sets, *asked).result()
                _write(sets_file, {"groups": groups, "halves": halves})
            there = _read(sets_file)
            sets = there["groups"], there["halves"]
            waiting = {pool.submit(_from_start, one, sets, *asked): one for one in missing}
            for future in as_completed(waiting):
                start = waiting[future]
                _write(files[start], future.result())
                told(f"faithfulness: start {start} is done")
    return held_to([_read(file) for file in files.values()])


def held_to(starts: Sequence[Mapping[str, NDArray[Any]]]) -> Faithful:
    """Hold all estimators to what was measured from each start, see `run_start`."""
    first = starts[0]
    names = [name.removeprefix(_FIGURE) for name in first if name.startswith(_FIGURE)]
    effects = Effects(
        groups=first["groups"],
        changes=np.stack([one["changes"] for one in starts]),
        halves=first["halves"],
        losses=np.stack([one["losses"] for one in starts]),
    )
    figures = {name: np.stack([one[_FIGURE + name] for one in starts]) for name in names}
    return faithful(effects, figures, {name: says_of(name) for name in names})


def _most(case: Case) -> int:
    """The most trainings from one start: on all samples, without each group, on each half."""
    return 1 + 2 * len(NAMES) + case.halves


def _sets(case: Case, settings: Settings, opened: OpenStore, home: OpenEmpty) -> Sets:
    return sets_of(case, material_of(case.stream, 0, settings, opened), home)


def _from_start(
    start: int, sets: Sets, case: Case, settings: Settings, opened: OpenStore, home: OpenEmpty
) -> Start:
    return run_start(case, material_of(case.stream, 0, settings, opened), sets, start, home)


def _write(file: Path, arrays: Start) -> None:
    held = BytesIO()
    np.savez(held, **arrays)  # type: ignore[arg-type]
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, held.getvalue())


def _read(file: Path) -> Start:
    with np.load(file) as kept:
        return dict(kept)


def _alone() -> None:
    """Take one thread, because processes share the machine."""
    import torch

    torch.set_num_threads(1)
