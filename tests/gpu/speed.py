"""`bench responses` on the device with its share of the matrix units' peak, and training steps."""

from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from mainstem.bench.passes import Bench
from mainstem.bench.peers import PEERS
from mainstem.bench.responses import bench_responses
from mainstem.bench.responses_case import Case
from tests.gpu.plan import Plan

COUNTED = (
    "plain",
    "forward",
    "activations",
    "norm",
    "norm+direction",
    "norm+sketch64",
    "norm+direction+sketch64",
    "training step",
)
# samples whose norms are computed in float64, one by one
CHECKED = 8
HEADER = (
    "row",
    "ms",
    "of plain",
    "lowest",
    "highest",
    "memory",
    "norm's error",
    "TFLOP",
    "TFLOP/s",
    "of measured peak",
    "of vendor's",
)


def case_of(plan: Plan, precision: str) -> Case:
    """Return a case of texts that are half to all as long as the longest; BERT-base unless tiny."""
    sizes = plan.sizes
    return Case(
        sizes.model, sizes.batch, sizes.tokens, sizes.vocabulary, True, plan.device, precision
    )


def bench(plan: Plan) -> None:
    """Measure all our own rows in bfloat16, with memory."""
    rows = tuple(name for name in Bench(case_of(plan, "bfloat16")).runs if name not in PEERS)
    plan.found["flops"] = flops_of(case_of(plan, "bfloat16"))
    _measure(plan, "bfloat16", "bfloat16", rows, memory=True)


def bench_float32(plan: Plan) -> None:
    """Measure in float32 the rows that tell what a training step costs."""
    _measure(
        plan,
        "float32",
        "float32",
        ("training step", "norm", "norm+direction+sketch64"),
        memory=True,
    )


def bench_loop(plan: Plan) -> None:
    """Measure the simplest alternative: one sample after the other."""
    _measure(plan, "bfloat16, beside a loop", "bfloat16", ("norm", "loop"), rounds=3)


def flops_of(case: Case) -> dict[str, int]:
    """Count the floating-point operations of matrix products in one pass of each row."""
    bench, found = Bench(case), {}
    aten = torch.ops.aten
    # subtle: torch does not count these, in place or with `out_dtype`
    uncounted = {aten.addmm_: _addmm, aten.baddbmm_: _baddbmm, aten.mm: _mm, aten.bmm: _bmm}
    for name in COUNTED:
        run = bench.runs[name]()
        # leaves out what is made only once
        run()
        with FlopCounterMode(display=False, custom_mapping=uncounted) as counter:
            run()
        found[name] = counter.get_total_flops()
    return found


def _mm(one: Any, other: Any, *_: Any, **__: Any) -> int:
    """Count for shapes (m, n) and (n, k)."""
    return 2 * one[0] * one[1] * other[1]


def _bmm(one: Any, other: Any, *_: Any, **__: Any) -> int:
    """Count for shapes (b, m, n) and (b, n, k)."""
    return one[0] * _mm(one[1:], other[1:])


def _addmm(_: Any, one: Any, other: Any, *__: Any, **___: Any) -> int:
    """Count a product that is added to a matrix."""
    return _mm(one, other)


def _baddbmm(_: Any, one: Any, other: Any, *__: Any, **___: Any) -> int:
    """Count a product that is added to a batch of matrices."""
    return _bmm(one, other)


def _measure(
    plan: Plan,
    title: str,
    precision: str,
    rows: tuple[str, ...],
    *,
    memory: bool = False,
    rounds: int | None = None,
) -> None:
    case = case_of(plan, precision)
    found = bench_responses(
        case,
        rounds or plan.sizes.rounds,
        rows,
        memory=memory and plan.device == "cuda",
        checked=CHECKED,
        told=lambda line: plan.fail(title, RuntimeError(line)),
    )
    plain = found.pop("plain_ms")
    flops, peaks = plan.found.get("flops", {}), plan.found.get("peak", {})
    vendor = plan.found.get("machine", {}).get("vendor_tflops")
    table = []
    for name, one in found.items():
        ms = plain * one["ratio"]
        tera = flops[name] / 1e12 if name in flops else None
        rate = tera / ms * 1000 if tera and ms else None
        peak_rates = (peaks.get("bfloat16"), vendor)
        shares = [_share(rate, of) if precision == "bfloat16" else None for of in peak_rates]
        table.append(
            [
                *(
                    name,
                    round(ms, 2),
                    *(one[key] for key in ("ratio", "lowest", "highest", "memory", "error")),
                ),
                *(tera and round(tera, 3), rate and round(rate, 1), *shares),
            ]
        )
        plan.tell(
            f"  {name:26} {ms:9.2f} ms  {one['ratio']:7.3f} of plain  "
            f"memory {one['memory']}  error {one['error']}"
        )
    _hold_errors(plan, title, case, found)
    note = (
        f"{case}; plain forward and backward {plain:,} ms; "
        f"errors of the norms of {CHECKED} samples against float64."
    )
    kept = {"notes": [note], "header": HEADER, "rows": table, "plain_ms": plain, "found": found}
    plan.found.setdefault("bench", {})[f"bench responses, {title}"] = kept


def _hold_errors(plan: Plan, title: str, case: Case, found: dict[str, Any]) -> None:
    """Check the errors of norms, less the error of ordinary passes.

    An ordinary pass over one sample alone has a rounding error too, which no norm of the same
    precision can avoid.
    """
    bench = Bench(replace(case, batch=CHECKED))
    truth = bench.true_norms()
    alone = []
    for sample in range(CHECKED):
        bench.model.zero_grad(set_to_none=True)
        inputs = {name: one[sample : sample + 1] for name, one in bench.inputs.items()}
        with bench.cast():
            loss = F.cross_entropy(
                bench.model(**inputs).logits.float(), bench.labels[sample : sample + 1]
            )
        loss.backward()
        alone.append(
            torch.stack([one.grad.double().square().sum() for one in bench.model.parameters()])
            .sum()
            .sqrt()
        )
    unavoidable = ((torch.stack(alone) - truth).abs() / truth).max().item()
    plan.tell(f"  error of ordinary passes over one sample each: {unavoidable:.1e}")
    for name, one in found.items():
        if one["error"] is not None:
            beyond = max(one["error"] - unavoidable, 0.0)
            plan.check(
                f"bench, {title}: {name}, beyond an ordinary pass's {unavoidable:.1e}",
                case.precision,
                {"norm": beyond},
            )


def _share(rate: float | None, of: float | None) -> str | None:
    return f"{rate / of:.1%}" if rate and of else None
