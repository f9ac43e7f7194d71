"""Runs the starts of a small case in some processes, keeps them, and holds estimators to them."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
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
from mainstem.bench.selection.left_out import Case, Start, run_start, says_of
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
    sizes = (case.groups, case.halves, case.epochs, case.layers, case.width)
    flat = repr(sorted(settings.flat().items()))
    made_of = number_of("faithful", repr(case.stream), repr(sizes), flat)
    files = {one: folder / _FOLDER / f"{made_of:016x}-{one}.npz" for one in case.starts}
    missing = [one for one, file in files.items() if not file.is_file()]
    if missing:
        each = 1 + case.groups + case.halves
        minutes = case.start_seconds * len(missing) / min(processes, len(missing)) / 60
        told(
            f"faithfulness: {len(missing)} starts x {each} trainings and a replay, in {processes} "
            f"processes: about {minutes:.0f} minutes"
        )
        asked = (case, settings, opened, home)
        with ProcessPoolExecutor(processes, get_context("spawn"), initializer=_alone) as pool:
            waiting = {pool.submit(_from_start, one, *asked): one for one in missing}
            for future in as_completed(waiting):
                start = waiting[future]
                kept = BytesIO()
                np.savez(kept, **future.result())  # type: ignore[arg-type]
                files[start].parent.mkdir(parents=True, exist_ok=True)
                write_whole(files[start], kept.getvalue())
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


def _from_start(
    start: int, case: Case, settings: Settings, opened: OpenStore, home: OpenEmpty
) -> Start:
    return run_start(case, material_of(case.stream, 0, settings, opened), start, home)


def _read(file: Path) -> Start:
    with np.load(file) as kept:
        return dict(kept)


def _alone() -> None:
    """Take one thread, because processes share the machine."""
    import torch

    torch.set_num_threads(1)
