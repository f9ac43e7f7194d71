"""What gradient responses cost, beside an ordinary forward and backward pass and beside other libraries, in one run."""

import copy
import gc
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mainstem.bench.peers import PEERS
from mainstem.bench.responses_case import Case, batch_of, model_of
from mainstem.process.allocator import give_back_freed_memory
from mainstem.responses.directions import gradient_of
from mainstem.responses.probe import Probe

__all__ = ["Case", "bench_responses"]

Run: TypeAlias = Callable[[], Tensor | None]
"""One measured pass; gives the samples' norms, where it knows them."""
_PEAKS: Final = 3  # passes whose peak memory is taken: they differ by a twentieth
_SLOW: Final = 3.0  # times the plain pass: what is slower is run three times at most


class Bench:
    """A model, a batch, and the passes over them by name."""

    def __init__(self, case: Case) -> None:
        torch.manual_seed(case.seed)
        self.case = case
        self.model = model_of(case).to(case.device).eval()
        self.inputs, self.labels = batch_of(case, self.model.config.vocab_size)
        self.runs: dict[str, Callable[[], Run]] = {
            "plain": self._plain,
            "forward": self._forward,
            "activations": self._activations,
            "norm": self._ours,
            "norm+direction": partial(self._ours, direction=True),
            "norm+sketch64": partial(self._ours, sketch=64),
            "norm+direction+sketch64": partial(self._ours, direction=True, sketch=64),
            "norm+direction+sketch256": partial(self._ours, direction=True, sketch=256),
            "training step": self._training,
            "last block": partial(self._ours, layers=_last_block(self.model)),
            **{name: partial(self._peer, make) for name, make in PEERS.items()},
        }

    def logits(self, model: nn.Module) -> Tensor:
        """Logits of the batch, shape (B, 2)."""
        logits: Tensor = model(**self.inputs).logits
        return logits

    @contextmanager
    def cast(self) -> Iterator[None]:
        """Autocast, where the case asks for it."""
        with torch.autocast(
            self.case.device, torch.bfloat16, enabled=self.case.precision == "bfloat16"
        ):
            yield

    def true_norms(self, samples: int | None = None) -> Tensor:
        """Norms of the first samples by autograd, one sample at a time, in float64, shape (B,)."""
        exact = copy.deepcopy(self.model).double()
        logits: Tensor = exact(
            **{name: tensor[:samples] for name, tensor in self.inputs.items()}
        ).logits
        losses = F.cross_entropy(logits, self.labels[:samples], reduction="none")
        parameters = list(exact.parameters())
        squares = []
        for loss in losses:
            gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
            squares.append(
                torch.stack([one.square().sum() for one in gradients if one is not None]).sum()
            )
        return torch.stack(squares).sqrt()

    def _plain(self) -> Run:
        model = copy.deepcopy(self.model)

        def run() -> None:
            with self.cast():
                loss = F.cross_entropy(self.logits(model).float(), self.labels)
            loss.backward()  # type: ignore[no-untyped-call]
            model.zero_grad(set_to_none=True)

        return run

    def _forward(self) -> Run:
        @torch.no_grad()
        def run() -> None:
            with self.cast():
                self.logits(self.model)

        return run

    def _activations(self) -> Run:
        """The limit of any method that needs what came back to each layer."""
        model = copy.deepcopy(self.model).requires_grad_(requires_grad=False)
        model.get_input_embeddings().register_forward_hook(
            lambda _, __, output: output.requires_grad_(True)
        )

        def run() -> None:
            with self.cast():
                loss = F.cross_entropy(self.logits(model).float(), self.labels, reduction="sum")
            loss.backward()  # type: ignore[no-untyped-call]

        return run

    def _ours(
        self, *, direction: bool = False, sketch: int = 0, layers: Sequence[str] = ("*",)
    ) -> Run:
        model = copy.deepcopy(self.model)
        directions = (
            [gradient_of(model, [(partial(self.logits, model), self.labels)])] if direction else []
        )
        probe = Probe(model, directions=directions, sketch=sketch, layers=layers)

        def run() -> Tensor:
            with self.cast():
                return probe.responses(partial(self.logits, model), self.labels).norm

        return run

    def _training(self) -> Run:
        model = copy.deepcopy(self.model)
        probe = Probe(model)

        def run() -> Tensor:
            with self.cast():
                norm = probe.training_step(partial(self.logits, model), self.labels).norm
            model.zero_grad(set_to_none=True)
            return norm

        return run

    def _peer(self, make: Callable[..., Run]) -> Run:
        return make(copy.deepcopy(self.model), lambda: (self.inputs, self.labels), self.cast)


def bench_responses(
    case: Case,
    rounds: int,
    only: Sequence[str] = (),
    *,
    memory: bool = True,
    checked: int | None = None,
    told: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measure all contenders, interleaved.

    Our own rows come first and other libraries' after them, beside plain passes of their own: some need gigabytes, and would
    disturb their neighbours.

    Args:
        case: model, batch, device.
        rounds: runs of each; medians count.
        only: names of contenders; all without. `plain` is always there.
        memory: whether peak memory is measured too; on a CPU each row in a process of its own, and that takes the longest.
        checked: samples, the first ones, whose norms are held against autograd in float64; all without, which is slow for a
            large model.
        told: is given a line where a contender cannot run, and why.

    Returns:
        `plain_ms`, and for each contender `ratio` (its median by that of `plain` in the same rounds), `lowest` and `highest`
        (of its runs, likewise), `memory` (peak above what was there before, by that of `plain`; None where it failed or was
        not asked for), and
        `error`, the largest relative error of a norm (None where it gives none, or not over all layers).
    """
    bench = Bench(case)
    wanted = [
        "plain",
        *(name for name in bench.runs if name != "plain" and (not only or name in only)),
    ]
    runs, norms = {}, {}
    for name in wanted:
        try:
            run = bench.runs[name]()
            norms[name] = run()
        except Exception as error:  # noqa: BLE001 - a peer may fail in any way, and the others are still worth knowing
            told(
                f"{name} left out: {type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
            )
        else:
            runs[name] = run
    truth = bench.true_norms(checked)
    ours = _interleaved(
        {name: run for name, run in runs.items() if name not in PEERS}, rounds, case.device
    )
    peers = {name: run for name, run in runs.items() if name in PEERS}
    theirs = (
        _by_plain(_interleaved({"plain": runs["plain"], **peers}, rounds, case.device))
        if peers
        else {}
    )
    taken = {**theirs, **_by_plain(ours)}
    peaks = {name: _peak_memory(case, name, runs[name]) for name in runs} if memory else {}
    found = {
        name: {
            "ratio": round(median(taken[name]), 3),
            "lowest": round(min(taken[name]), 3),
            "highest": round(max(taken[name]), 3),
            "memory": _ratio(peaks.get(name), peaks.get("plain")),
            "error": _error(norms[name], truth) if name != "last block" else None,
        }
        for name in runs
    }
    return {"plain_ms": round(median(ours["plain"]) * 1000, 1), **found}


def _interleaved(runs: dict[str, Run], rounds: int, device: str) -> dict[str, list[float]]:
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
    plain = median(taken["plain"])
    return {name: [one / plain for one in seconds] for name, seconds in taken.items()}


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _error(norms: Tensor | None, truth: Tensor) -> float | None:
    if norms is None:
        return None
    return float(f"{((norms[: len(truth)].double() - truth).abs() / truth).max().item():.1e}")


def _ratio(peak: int | None, of: int | None) -> float | None:
    return round(peak / of, 2) if peak is not None and of else None


def _peak_memory(case: Case, name: str, run: Run) -> int | None:
    """Bytes that a pass needs above what was there before it; None where it failed.

    A GPU's allocator counts them. On a CPU the system does, for a whole process: the row gets one of its own.
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
    except EOFError:  # it failed, and has said why
        found = None
    process.join()
    return found


def _send_peak_memory(case: Case, name: str, sender: Any) -> None:
    bench = Bench(case)
    inputs, labels = bench.inputs, bench.labels
    bench.inputs, bench.labels = {key: value[:2] for key, value in inputs.items()}, labels[:2]
    run = bench.runs[name]()
    run()  # what is made once: threads, tables, code
    bench.inputs, bench.labels = inputs, labels
    sender.send(int(median(_peak(run, case.device) for _ in range(_PEAKS))))


def _peak(run: Run, device: str) -> int:
    """Bytes that a pass needs above what was there before it."""
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        return torch.cuda.max_memory_allocated() - before
    give_back_freed_memory()  # else a pass would fill it again unseen
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins again
    before = _status("VmRSS")
    run()
    return _status("VmHWM") - before


def _status(name: str) -> int:
    """Bytes by the name that Linux gives them in a process's status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def _last_block(model: nn.Module) -> list[str]:
    """The last block and the head."""
    blocks = next(name for name, part in model.named_modules() if isinstance(part, nn.ModuleList))
    names = [
        name
        for name, part in model.named_children()
        if not blocks.startswith(name) and list(part.parameters())
    ]
    return [f"{blocks}.{len(list(model.get_submodule(blocks).children())) - 1}", *names]
