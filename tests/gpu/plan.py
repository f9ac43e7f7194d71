"""The parts of the run in order of importance, and the time that each may take."""

import gc
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import torch

LIMITS = {"float32": 1e-4, "bfloat16": 0.02, "float16": 0.005}
"""The largest relative error against float32 on the CPU, by precision."""


@dataclass(frozen=True)
class Sizes:
    """How large everything is; the defaults are for a GPU.

    Attributes:
        families: families of models to compare at the size of the tests; None stands for all.
        wide: hidden size of the models that are compared at a size that suits a GPU.
        pairs: text pairs for the active version.
        samples, epochs: samples and epochs of a fine-tuning.
        model, batch, tokens, vocabulary: model, batch size, tokens and vocabulary of the bench.
        rounds: runs of each row of the bench, whose median counts.
        square: side of the matrices that the peak is measured with.
    """

    families: tuple[str, ...] | None = None
    wide: int = 256
    pairs: int = 256
    samples: int = 256
    epochs: int = 2
    model: str = "12x768"
    batch: int = 256
    tokens: int = 128
    vocabulary: int = 30522
    rounds: int = 10
    square: int = 8192

    @classmethod
    def tiny(cls) -> "Sizes":
        """Sizes that take seconds on a CPU."""
        return cls(("bert", "gpt-2, next token"), 32, 12, 24, 1, "2x32", 4, 16, 100, 2, 64)


@dataclass
class Plan:
    """The run: its device, its sizes, its time, and the results so far."""

    device: str
    sizes: Sizes
    seconds: float
    found: dict[str, Any] = field(
        default_factory=lambda: {"checks": [], "failed": {}, "left_out": [], "seconds": {}}
    )
    begun: float = field(default_factory=time.perf_counter)

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.seconds - (time.perf_counter() - self.begun)

    @property
    def is_sound(self) -> bool:
        """Whether no part failed, at least one ran, and every error is within its limit."""
        return (
            not self.found["failed"]
            and bool(self.found["seconds"])
            and all(one["holds"] for one in self.found["checks"])
        )

    def check(self, what: str, precision: str, errors: dict[str, float]) -> None:
        """Compare errors with the limit of a precision, record them and print them."""
        limit = LIMITS[precision]
        # NaN fails this comparison
        holds = all(error <= limit for error in errors.values())
        self.found["checks"].append(
            {"what": what, "precision": precision, "errors": errors, "limit": limit, "holds": holds}
        )
        shown = "  ".join(f"{name} {error:.1e}" for name, error in errors.items())
        self.tell(
            f"  {'ok ' if holds else 'BROKEN'} {what}, {precision} (limit {limit:.0e}): {shown}"
        )

    def tell(self, line: str) -> None:
        """Print a line with the seconds since the start, unbuffered."""
        print(f"[{time.perf_counter() - self.begun:5.1f}s] {line}", flush=True)

    def fail(self, what: str, error: Exception) -> None:
        """Record and print what failed, so that the rest can go on."""
        self.found["failed"][what] = (
            f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
        )
        traceback.print_exception(error)
        self.tell(f"  FAILED {what}: {self.found['failed'][what]}")


PARTS: dict[str, tuple[str, float]] = {
    "machine": ("tests.gpu.machine:machine", 20),
    "responses": ("tests.gpu.responses:responses", 60),
    "active": ("tests.gpu.active:active", 30),
    "memory": ("tests.gpu.active:little_memory", 20),
    "training": ("tests.gpu.training:training", 30),
    "precisions": ("tests.gpu.training:precisions", 40),
    "processes": ("tests.gpu.training:processes", 60),
    "bench": ("tests.gpu.speed:bench", 75),
    "bench float32": ("tests.gpu.speed:bench_float32", 45),
    "kernels": ("tests.gpu.kernels:kernels", 45),
    "bench loop": ("tests.gpu.speed:bench_loop", 90),
}
"""Name of each part: its function, and the most seconds it may take on a GPU."""


def run_parts(plan: Plan, only: Sequence[str], after: Callable[[], None]) -> None:
    """Run the parts that can still end in time.

    Args:
        plan: receives the results.
        only: names of the parts to run; empty for all.
        after: called after each part.
    """
    unknown = set(only) - set(PARTS)
    if unknown:
        msg = f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}"
        raise SystemExit(msg)
    for name, (place, seconds) in PARTS.items():
        if only and name not in only:
            continue
        if plan.left < seconds:
            plan.found["left_out"].append(name)
            plan.tell(
                f"{name} left out: {plan.left:.0f} seconds are left, and it may take {seconds:.0f}"
            )
            continue
        plan.tell(name)
        begun = time.perf_counter()
        module, function = place.split(":")
        try:
            getattr(import_module(module), function)(plan)
        # whatever fails on an untried device, the other parts are worth knowing
        except Exception as error:  # noqa: BLE001 - recorded by `fail`
            plan.fail(name, error)
        # frees what reference cycles hold, GPU memory included
        gc.collect()
        if plan.device == "cuda":
            torch.cuda.empty_cache()
        plan.found["seconds"][name] = round(time.perf_counter() - begun, 1)
        plan.tell(f"{name} took {plan.found['seconds'][name]} s")
        after()
