"""The command for a GPU, run without one as a script on a machine with little more than torch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gpu.kernels import kind_of
from tests.gpu.plan import PARTS, Plan, Sizes

ROOT = Path(__file__).parents[1]
MISSING = (
    "chdb",
    "clickhouse_connect",
    "faust",
    "aiokafka",
    "kafka",
    "opacus",
    "peft",
    "pyarrow",
    "sklearn",
    "hypothesis",
)
BARE = f"""
import importlib.metadata, runpy, sys
sys.modules.update(dict.fromkeys({MISSING}))
sys.meta_path[:] = [
    one for one in sys.meta_path
    if "editable" not in f"{{one}} {{one.__module__}}".lower()
]
def version(name, known=importlib.metadata.version):
    if name == "mainstem":
        raise importlib.metadata.PackageNotFoundError(name)
    return known(name)
importlib.metadata.version = version
runpy.run_module("tests.gpu", run_name="__main__", alter_sys=True)
"""
"""Not installed, and without what a GPU machine lacks: each import of it fails."""


def run(*given: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command in a process that sees no GPU."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    start = ["-c", code] if code else ["-m", "tests.gpu"]
    return subprocess.run(
        [sys.executable, *start, *given],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_gpu_it_says_so() -> None:
    """Without a GPU the command prints one line and exits with a code of its own."""
    done = run()
    assert (2, 1) == (done.returncode, len(done.stdout.splitlines()))
    assert done.stdout.startswith("no GPU: ")


def test_every_part_runs_uninstalled_and_without_databases(tmp_path: Path) -> None:
    """Each part runs on a CPU at a tiny size, agrees with the CPU, and is in both reports."""
    files = tmp_path / "gpu.json", tmp_path / "gpu.md"
    done = run(
        "--device",
        "cpu",
        "--quick",
        "--json",
        str(files[0]),
        "--markdown",
        str(files[1]),
        code=BARE,
    )
    assert 0 == done.returncode, done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads(files[0].read_text())
    assert (list(PARTS), {}, []) == (list(found["seconds"]), found["failed"], found["left_out"])
    assert {"float32", "bfloat16", "float16"} == {one["precision"] for one in found["checks"]}
    assert files[1].read_text().strip() in done.stdout
    assert 0 < found["flops"]["forward"] < found["flops"]["norm"] < found["flops"]["norm+direction"]


def test_a_broken_tolerance_and_a_part_that_fails_are_no_success() -> None:
    """A value beyond its limit, a NaN, a failed part and a run without parts are no success."""
    empty, good, broken, unknown, failed = (Plan("cpu", Sizes(), 480) for _ in range(5))
    for plan, error in ((good, 0.9e-4), (broken, 1.1e-4), (unknown, float("nan")), (failed, 0.0)):
        plan.found["seconds"]["part"] = 1.0
        plan.check("norms", "float32", {"norm": error})
    failed.fail("part", ValueError("out of order"))
    assert [False, True, False, False, False] == [
        one.is_sound for one in (empty, good, broken, unknown, failed)
    ]


def test_a_part_that_may_not_end_in_time_is_left_out_and_named() -> None:
    """With no time left no part begins, and the report names the missing parts."""
    done = run("--device", "cpu", "--quick", "--minutes", "0.001")
    assert 1 == done.returncode
    assert all(f"left out for lack of time: {name}" in done.stdout for name in PARTS)


@pytest.mark.parametrize(
    ("kernel", "kind"),
    [
        ("nvjet_tst_128x256_64x4_1x2_h_bz_coopA_TNT", "matmul"),
        ("fmha_cutlassF_bf16_aligned_64x64_rf_sm80(PyTorchMemEffAttention)", "attention"),
        ("Memcpy DtoD (Device -> Device)", "copies"),
        ("void at::native::vectorized_layer_norm_kernel<float, float>", "layer norm"),
        (
            "void at::native::vectorized_elementwise_kernel<4, at::native::GeluCUDAKernelImpl>",
            "elementwise",
        ),
    ],
)
def test_kernels_are_known_by_their_names(kernel: str, kind: str) -> None:
    """A kernel's name tells its kind."""
    assert kind == kind_of(kernel)
