"""The parts of the run, in the order of their worth, and the time that they may take."""

import gc
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import torch

LIMITS = {"float32": 1e-4, "bfloat16": 0.02, "float16": 0.005}
"""What may be lost against the CPU in float32, relative."""


@dataclass(frozen=True)
class Sizes:
    """How large everything is; as it stands, for a GPU.

    Attributes:
        families: those compared at the size of the tests; None: all.
        wide: hidden size of the models that are compared at a size that a GPU likes.
        pairs: that the active version is given.
        samples, epochs: of a fine-tuning.
        model, batch, tokens, vocabulary: of the bench.
        rounds: of each row of the bench; medians count.
        square: side of the matrices that the peak is measured by.
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
        """Seconds on a CPU."""
        return cls(("bert", "gpt-2, next token"), 32, 12, 24, 1, "2x32", 4, 16, 100, 2, 64)


@dataclass
class Plan:
    """What is run, where, and what was found so far."""

    device: str
    sizes: Sizes
    seconds: float
    found: dict[str, Any] = field(
        default_factory=lambda: {"checks": [], "failed": {}, "left_out": [], "seconds": {}}
    )
    begun: float = field(default_factory=time.perf_counter)

    @property
    def left(self) -> float:
        """Seconds."""
        return self.seconds - (time.perf_counter() - self.begun)

    @property
    def is_sound(self) -> bool:
        """Whether every part that ran kept to its tolerances, and something was compared or measured at all."""
        return (
            not self.found["failed"]
            and bool(self.found["seconds"])
            and all(one["holds"] for one in self.found["checks"])
        )

    def check(self, what: str, precision: str, errors: dict[str, float]) -> None:
        """Hold errors against the limit of a precision, and tell."""
        limit = LIMITS[precision]
        holds = all(error <= limit for error in errors.values())  # NaN is no error that holds
        self.found["checks"].append(
            {"what": what, "precision": precision, "errors": errors, "limit": limit, "holds": holds}
        )
        shown = "  ".join(f"{name} {error:.1e}" for name, error in errors.items())
        self.tell(
            f"  {'ok ' if holds else 'BROKEN'} {what}, {precision} (limit {limit:.0e}): {shown}"
        )

    def tell(self, line: str) -> None:
        """Print a line at once."""
        print(f"[{time.perf_counter() - self.begun:5.1f}s] {line}", flush=True)

    def fail(self, what: str, error: Exception) -> None:
        """Note what failed, and how; the rest goes on."""
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
    "bench": ("tests.gpu.speed:bench", 75),
    "bench float32": ("tests.gpu.speed:bench_float32", 45),
    "kernels": ("tests.gpu.kernels:kernels", 45),
    "bench loop": ("tests.gpu.speed:bench_loop", 90),
}
"""By name: what runs it, and the seconds that it may take on a GPU, to begin nothing that would not end in time."""


def run_parts(plan: Plan, only: Sequence[str], after: Callable[[], None]) -> None:
    """Run the parts, those that may still end in time.

    Args:
        plan: takes what they find.
        only: names of parts; all without.
        after: is called after each.
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
        except Exception as error:  # noqa: BLE001 - whatever fails on a device never tried, the other parts are worth knowing
            plan.fail(name, error)
        gc.collect()  # what a cycle holds, a GPU's memory among it
        if plan.device == "cuda":
            torch.cuda.empty_cache()
        plan.found["seconds"][name] = round(time.perf_counter() - begun, 1)
        plan.tell(f"{name} took {plan.found['seconds'][name]} s")
        after()
