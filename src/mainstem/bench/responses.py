"""Measure what gradient responses cost, beside a plain pass and beside other libraries."""

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, Final

import torch
from torch import Tensor

from mainstem.bench.memory import peak_memory
from mainstem.bench.passes import Bench, Run
from mainstem.bench.peers import PEERS
from mainstem.bench.responses_case import Case

__all__ = ["bench_responses"]

# times the plain pass: anything slower runs three times at most
_SLOW: Final = 3.0
_SOME_LAYERS: Final = ("last block", "head")


def bench_responses(
    case: Case,
    rounds: int,
    only: Sequence[str] = (),
    *,
    memory: bool = True,
    checked: int | None = None,
    told: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measure the passes, one run of each in turn, `rounds` times.

    The passes of other libraries run after our own, beside plain passes of their own: some take
    gigabytes and would disturb their neighbours.

    Args:
        case: model, batch and device.
        rounds: runs of each pass; the result is their median.
        only: names of the passes to measure; empty measures all. `plain` is always measured.
        memory: whether to measure peak memory too. On a CPU this takes the longest, because each
            pass gets a process of its own.
        checked: how many samples, from the start of the batch, have their norms compared with
            autograd in float64; None compares all, which is slow for a large model.
        told: called with one line for each pass that cannot run, with the reason.

    Returns:
        `plain_ms`, the milliseconds of the plain pass, and for each pass a mapping with `ratio`
        (its median time, divided by that of `plain` in the same rounds), `lowest` and `highest`
        (its fastest and slowest run, divided likewise), `memory` (its peak memory divided by that
        of `plain`; None where it failed or `memory` is false) and `error` (the largest relative
        error of a norm; None where the pass gives no norms or leaves out layers).
    """
    bench = Bench(case)
    others = [name for name in bench.runs if name != "plain" and (not only or name in only)]
    runs, norms = {}, {}
    for name in ["plain", *others]:
        try:
            run = bench.runs[name]()
            norms[name] = run()
        except Exception as error:  # noqa: BLE001 - a peer may fail in any way; the rest goes on
            reason = next(iter(str(error).splitlines()), "")
            told(f"{name} left out: {type(error).__name__}: {reason}")
        else:
            runs[name] = run
    truth = bench.true_norms(checked)
    own = {name: run for name, run in runs.items() if name not in PEERS}
    ours = _interleaved(own, rounds, case.device)
    peers = {name: run for name, run in runs.items() if name in PEERS}
    with_plain = {"plain": runs["plain"], **peers}
    theirs = _by_plain(_interleaved(with_plain, rounds, case.device)) if peers else {}
    taken = {**theirs, **_by_plain(ours)}
    peaks = {name: peak_memory(case, name, runs[name]) for name in runs} if memory else {}
    found = {
        name: {
            "ratio": round(median(taken[name]), 3),
            "lowest": round(min(taken[name]), 3),
            "highest": round(max(taken[name]), 3),
            "memory": _ratio(peaks.get(name), peaks.get("plain")),
            "error": None if name in _SOME_LAYERS else _error(norms[name], truth),
        }
        for name in runs
    }
    return {"plain_ms": round(median(ours["plain"]) * 1000, 1), **found}


def _interleaved(runs: dict[str, Run], rounds: int, device: str) -> dict[str, list[float]]:
    """Seconds of every run of each pass."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds):
        for name, run in runs.items():
            if turn >= 3 and median(taken[name]) > _SLOW * median(taken["plain"]):
                continue
            _wait(device)
            begun = time.perf_counter()
            run()
            _wait(device)
            taken[name].append(time.perf_counter() - begun)
    return taken


def _by_plain(taken: dict[str, list[float]]) -> dict[str, list[float]]:
    """Divide all times by the median of the plain pass."""
    plain = median(taken["plain"])
    return {name: [one / plain for one in seconds] for name, seconds in taken.items()}


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _error(norms: Tensor | None, truth: Tensor) -> float | None:
    """Largest relative error, to two digits."""
    if norms is None:
        return None
    relative = (norms[: len(truth)].double() - truth).abs() / truth
    return float(f"{relative.max().item():.1e}")


def _ratio(peak: int | None, of: int | None) -> float | None:
    return round(peak / of, 2) if peak is not None and of else None
