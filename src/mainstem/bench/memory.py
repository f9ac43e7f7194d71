"""Peak memory of a pass: the allocator of a GPU counts it, or Linux, for a process of its own."""

import gc
import multiprocessing
from pathlib import Path
from statistics import median
from typing import Any, Final

import torch

from mainstem.bench.passes import Bench, Run
from mainstem.bench.responses_case import Case
from mainstem.process.allocator import give_back_freed_memory

__all__ = ["peak_memory"]

# peaks of the same pass differ by a twentieth, so a median is taken
_PEAKS: Final = 3


def peak_memory(case: Case, name: str, run: Run) -> int | None:
    """Bytes that a pass takes beyond those in use before it; the median of a few passes.

    On a CPU the system counts the memory of a whole process, so the pass is made again in a process
    of its own.

    Args:
        case: what the bench measures on.
        name: name of the pass in `Bench.runs`.
        run: the pass itself, which runs here only on a GPU.

    Returns:
        Bytes; None where the process of the pass failed.
    """
    if case.device == "cuda":
        return int(median(_peak(run, case.device) for _ in range(_PEAKS)))
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send_peak_memory, args=(case, name, sender))
    process.start()
    sender.close()
    try:
        found: int | None = receiver.recv()
    except EOFError:  # the process failed and has printed why
        found = None
    process.join()
    return found


def _send_peak_memory(case: Case, name: str, sender: Any) -> None:
    bench = Bench(case)
    inputs, labels = bench.inputs, bench.labels
    bench.inputs, bench.labels = {key: value[:2] for key, value in inputs.items()}, labels[:2]
    run = bench.runs[name]()
    run()  # makes threads, tables and code, which later passes share
    bench.inputs, bench.labels = inputs, labels
    sender.send(int(median(_peak(run, case.device) for _ in range(_PEAKS))))


def _peak(run: Run, device: str) -> int:
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        return torch.cuda.max_memory_allocated() - before
    # subtle: the pass would reuse freed memory that the process kept, and no peak would show
    give_back_freed_memory()
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM, the high-water mark
    before = _status("VmRSS")
    run()
    return _status("VmHWM") - before


def _status(name: str) -> int:
    """Bytes of an entry in Linux's status of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
