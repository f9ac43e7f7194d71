"""The machine: its description, torch's settings, and the peak of its matrix products."""

import os
import platform
import time
from statistics import median

import torch
import transformers

from tests.gpu.plan import Plan

VENDORS = {"H100": 989.0, "H200": 989.0, "A100": 312.0, "B200": 2250.0}
"""Dense bfloat16 TFLOP/s from the vendor's data sheets of the SXM cards."""


def machine(plan: Plan) -> None:
    """Describe the machine and measure its peak."""
    is_gpu = plan.device == "cuda"
    name = torch.cuda.get_device_name() if is_gpu else platform.processor() or platform.machine()
    plan.found["machine"] = {
        "device": name,
        "memory_gib": round(torch.cuda.get_device_properties(0).total_memory / 2**30, 1)
        if is_gpu
        else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "transformers": transformers.__version__,
        "tf32 products": torch.backends.cuda.matmul.allow_tf32,
        "float32 matmul precision": torch.get_float32_matmul_precision(),
        "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": os.environ.get("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", ""),
        "reduced reduction bf16": torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction,
        "reduced reduction fp16": torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction,
        "vendor_tflops": next((peak for known, peak in VENDORS.items() if known in name), None),
    }
    side = plan.sizes.square
    plan.found["peak"] = {
        "bfloat16": _tflops(torch.bfloat16, side, plan.device),
        "float32": _tflops(torch.float32, side // 2, plan.device),
    }
    if is_gpu:
        with_tf32 = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = True
        plan.found["peak"]["tf32"] = _tflops(torch.float32, side, plan.device)
        torch.backends.cuda.matmul.allow_tf32 = with_tf32
    for key, value in {**plan.found["machine"], "measured TFLOP/s": plan.found["peak"]}.items():
        plan.tell(f"  {key}: {value}")


def _tflops(kind: torch.dtype, side: int, device: str) -> float:
    """Measure the product of two square matrices: the median of 20 runs after 5 for warming up."""
    one, other = (torch.randn(side, side, device=device).to(kind) for _ in range(2))
    taken = []
    for _ in range(25):
        wait(device)
        begun = time.perf_counter()
        one @ other
        wait(device)
        taken.append(time.perf_counter() - begun)
    return round(2 * side**3 / median(taken[5:]) / 1e12, 4)


def wait(device: str) -> None:
    """Wait until the GPU is done."""
    if device == "cuda":
        torch.cuda.synchronize()
