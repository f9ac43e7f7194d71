"""`bench responses` on the device, with the share of the matrix units' peak; and a training step."""

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
CHECKED = 8  # samples whose norms are taken in float64, one by one
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
    """BERT-base where sizes are not tiny, texts half to all as long as the longest."""
    sizes = plan.sizes
    return Case(
        sizes.model, sizes.batch, sizes.tokens, sizes.vocabulary, True, plan.device, precision
    )


def bench(plan: Plan) -> None:
    """All rows of ours in bfloat16, with memory."""
    rows = tuple(name for name in Bench(case_of(plan, "bfloat16")).runs if name not in PEERS)
    plan.found["flops"] = flops_of(case_of(plan, "bfloat16"))
    _measure(plan, "bfloat16", "bfloat16", rows, memory=True)


def bench_float32(plan: Plan) -> None:
    """The rows that say what a training step costs, in float32."""
    _measure(
        plan,
        "float32",
        "float32",
        ("training step", "norm", "norm+direction+sketch64"),
        memory=True,
    )


def bench_loop(plan: Plan) -> None:
    """The plainest other way: one sample after the other."""
    _measure(plan, "bfloat16, beside a loop", "bfloat16", ("norm", "loop"), rounds=3)


def flops_of(case: Case) -> dict[str, int]:
    """Floating-point operations of the products of matrices in one pass of each row, counted as they are called."""
    bench, found = Bench(case), {}
    aten = torch.ops.aten
    uncounted = {
        aten.addmm_: _addmm,
        aten.baddbmm_: _baddbmm,
        aten.mm: _mm,
        aten.bmm: _bmm,
    }  # in place, or with `out_dtype`
    for name in COUNTED:
        run = bench.runs[name]()
        run()  # what is made once
        with FlopCounterMode(display=False, custom_mapping=uncounted) as counter:
            run()
        found[name] = counter.get_total_flops()
    return found


def _mm(one: Any, other: Any, *_: Any, **__: Any) -> int:
    """Shapes (m, n), (n, k)."""
    return 2 * one[0] * one[1] * other[1]


def _bmm(one: Any, other: Any, *_: Any, **__: Any) -> int:
    """Shapes (b, m, n), (b, n, k)."""
    return one[0] * _mm(one[1:], other[1:])


def _addmm(_: Any, one: Any, other: Any, *__: Any, **___: Any) -> int:
    """The same, added to another."""
    return _mm(one, other)


def _baddbmm(_: Any, one: Any, other: Any, *__: Any, **___: Any) -> int:
    """The same, added to others."""
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
        shares = [
            _share(rate, of) if precision == "bfloat16" else None
            for of in (peaks.get("bfloat16"), vendor)
        ]
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
            f"  {name:26} {ms:9.2f} ms  {one['ratio']:7.3f} of plain  memory {one['memory']}  error {one['error']}"
        )
    _hold_errors(plan, title, case, found)
    notes = [
        f"{case}; plain forward and backward {plain:,} ms; errors of the norms of {CHECKED} samples against float64."
    ]
    kept = {"notes": notes, "header": HEADER, "rows": table, "plain_ms": plain, "found": found}
    plan.found.setdefault("bench", {})[f"bench responses, {title}"] = kept


def _hold_errors(plan: Plan, title: str, case: Case, found: dict[str, Any]) -> None:
    """A norm must be as near the truth as that of an ordinary pass over its sample alone, of the same precision."""
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
