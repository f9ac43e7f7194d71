"""The time of a pass on the device by kernel, by kind of kernel and by purpose."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest.mock import patch

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from mainstem.bench.passes import Bench
from mainstem.responses.lookup import Lookup
from mainstem.responses.outer import Outer
from mainstem.responses.vector import Vector
from tests.gpu.machine import wait
from tests.gpu.plan import Plan
from tests.gpu.speed import case_of

ROWS = ("plain", "norm", "norm+direction+sketch64")
PASSES, SHOWN = 3, 15
OURS = "ours: "
KINDS = (
    ("attention", r"flash|fmha|attention|sdp|softmax"),
    (
        "matmul",
        r"gemm|cutlass|xmma|cublas|nvjet|sm90_|sm80_|splitk|gemv|\bmm\b|bmm|addmm|aten::linear",
    ),
    ("copies", r"memcpy|copy|memset|fill|cat_|catarray"),
    ("layer norm", r"layer_?norm|gammabeta"),
    ("embedding", r"embedding|index|gather|scatter"),
    ("reductions", r"reduce|sum"),
    ("elementwise", r"elementwise|vectorized|gelu|add|mul"),
)


def kernels(plan: Plan) -> None:
    """Profile a few passes of each row."""
    bench = Bench(case_of(plan, "bfloat16"))
    for name in ROWS:
        run = bench.runs[name]()
        for _ in range(2):
            run()
        wait(plan.device)
        activities = [
            ProfilerActivity.CPU,
            *([ProfilerActivity.CUDA] if plan.device == "cuda" else []),
        ]
        with named(), profile(activities=activities) as profiler:
            for _ in range(PASSES):
                run()
            wait(plan.device)
        shares = shares_of(profiler.key_averages(), is_gpu=plan.device == "cuda")
        plan.found.setdefault("kernels", {})[name] = shares
        for title, header, rows in shares:
            plan.tell(f"  {name}: {title} {' | '.join(header)}")
            for row in rows:
                plan.tell("    " + "  ".join(str(cell) for cell in row))


@contextmanager
def named() -> Iterator[None]:
    """Mark what the contributions to responses do, so that the profiler sums it up."""
    with ExitStack() as stack:
        for kind in (Outer, Lookup, Vector):
            for method in ("squared", "dot", "sketch"):
                marked = _marked(getattr(kind, method), f"{OURS}{kind.__name__}.{method}")
                stack.enter_context(patch.object(kind, method, marked))
        yield


def _marked(method: Callable[..., Any], name: str) -> Callable[..., Any]:
    @wraps(method)
    def run(*given: Any) -> Any:
        with record_function(name):
            return method(*given)

    return run


def shares_of(events: Any, *, is_gpu: bool) -> list[tuple[str, tuple[str, ...], list[list[Any]]]]:
    """Return tables by purpose, by kind and by kernel, in milliseconds per pass."""
    cuda = torch.autograd.DeviceType.CUDA
    by_kernel: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    purposes: Counter[str] = Counter()
    for event in events:
        if event.key.startswith(OURS):
            if event.device_type != cuda:
                purposes[event.key.removeprefix(OURS)] += (
                    event.device_time_total if is_gpu else event.cpu_time_total
                )
        elif not is_gpu or event.device_type == cuda:
            by_kernel[event.key] += (
                event.self_device_time_total if is_gpu else event.self_cpu_time_total
            )
            calls[event.key] += event.count
    whole = sum(by_kernel.values()) or 1.0
    kinds: Counter[str] = Counter()
    for name, time in by_kernel.items():
        kinds[kind_of(name)] += time
    purposes["the model's own passes, and the rest"] = whole - sum(purposes.values())

    def rows(of: Counter[str], most: int) -> list[list[Any]]:
        return [
            [name[:110], _ms(time), f"{time / whole:.1%}"] for name, time in of.most_common(most)
        ]

    top = [
        [*row, calls[name] // PASSES]
        for row, (name, _) in zip(rows(by_kernel, SHOWN), by_kernel.most_common(SHOWN), strict=True)
    ]
    return [
        (
            f"By purpose ({_ms(whole)} ms of kernels a pass):",
            ("purpose", "ms", "share"),
            rows(purposes, 20),
        ),
        ("By kind:", ("kind", "ms", "share"), rows(kinds, 20)),
        ("The longest:", ("kernel", "ms", "share", "calls"), top),
    ]


def kind_of(kernel: str) -> str:
    """Tell the kind of a kernel from its name."""
    return next(
        (kind for kind, pattern in KINDS if re.search(pattern, kernel, re.IGNORECASE)), "others"
    )


def _ms(microseconds: float) -> float:
    return round(microseconds / 1000 / PASSES, 3)
