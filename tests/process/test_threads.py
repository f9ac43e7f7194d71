"""How many threads mainstem uses, which setting decides it, and how threads wait."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mainstem.bootstrap import threads
from mainstem.embedded.home import HomeFolder
from mainstem.embedded.recorded import record
from mainstem.errors import HomeError, SettingError
from mainstem.process.threads import asked_threads, available_threads, wait_briefly
from mainstem.settings import Settings
from tests.small_models import one_thread

__all__ = ["one_thread"]

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def home_of(folder: Path, **facts: object) -> Path:
    """Make a home that was settled with these facts."""
    with HomeFolder(folder, create=True) as home:
        home.settle(Settings(), facts)
    return folder


def group(folder: Path, own: str, **files: str) -> tuple[Path, Path]:
    """Write control groups as a kernel shows them; return the process's own and their folder."""
    (folder / "own").write_text(own)
    for name, content in files.items():
        path = folder / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder / "own", folder / "groups"


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({}, None),
        ({"OMP_NUM_THREADS": ""}, None),
        ({"OMP_NUM_THREADS": "1"}, 1),
        ({"OMP_NUM_THREADS": " 3 "}, 3),
        ({"OMP_NUM_THREADS": "4,2"}, 4),
        ({"MKL_NUM_THREADS": "5"}, 5),
        ({"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "5"}, 1),
    ],
)
def test_the_environment_may_ask_for_a_number(
    environment: dict[str, str], asked: int | None
) -> None:
    """`OMP_NUM_THREADS` decides, then `MKL_NUM_THREADS`, then the number of cores."""
    assert asked == asked_threads(environment)
    assert (
        (asked or available_threads())
        == threads(environment=environment)
        == torch.get_num_threads()
    )


@pytest.mark.parametrize("given", ["0", "-1", "two", "1.5", "²", "99999", ",2"])
def test_what_is_no_number_of_threads_is_refused(given: str) -> None:
    """The error names the variable, its value and the values it may have."""
    with pytest.raises(
        SettingError, match=r"OMP_NUM_THREADS is .*; give a number of threads from 1 to 4096"
    ):
        asked_threads({"OMP_NUM_THREADS": given})


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000\n", CORES),
        ("100000 100000\n", 1),
        ("50000 100000\n", 1),
        ("150000 100000", 1),
        ("9900000 100000", CORES),
    ],
)
def test_a_quota_of_a_control_group_is_a_limit(quota: str, cores: int, tmp_path: Path) -> None:
    """A container that may use one and a half cores computes with one thread."""
    assert cores == available_threads(*group(tmp_path, "0::/a/b\n", **{"a/b/cpu.max": quota}))


@pytest.mark.parametrize("name", ["a/cpu.max", "cpu.max"])
def test_a_quota_of_an_outer_group_counts(name: str, tmp_path: Path) -> None:
    """The narrowest group around a process decides, and a group that is not shown is skipped."""
    assert 1 == available_threads(*group(tmp_path, "0::/a/b\n", **{name: "100000 100000"}))


def test_a_quota_of_the_first_kind_of_groups_counts(tmp_path: Path) -> None:
    """A quota in the two files of controller `cpu` (cgroups version 1) counts."""
    files = {
        "cpu,cpuacct/a/cpu.cfs_quota_us": "100000\n",
        "cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
    }
    own, groups = group(tmp_path, "5:cpuset:/\n4:cpu,cpuacct:/a\n0::/\n", **files)
    assert 1 == available_threads(own, groups)
    (groups / "cpu,cpuacct/a/cpu.cfs_quota_us").write_text("-1\n")
    assert CORES == available_threads(own, groups)


def test_without_control_groups_all_cores_count(tmp_path: Path) -> None:
    """A system without control groups has no quota."""
    assert CORES == available_threads(tmp_path / "none", tmp_path)


def test_a_home_is_gone_on_with_as_it_was_made(tmp_path: Path) -> None:
    """A home is opened with the threads it was made with, and asking for others is refused."""
    home = home_of(tmp_path / "home", threads=3)
    assert (
        3 == threads(home, {}) == threads(home, {"OMP_NUM_THREADS": "3"}) == torch.get_num_threads()
    )
    with pytest.raises(HomeError, match="was made with 3 threads, and OMP_NUM_THREADS asks for 2"):
        threads(home, {"OMP_NUM_THREADS": "2"})
    with pytest.raises(HomeError, match="threads 3 there, 2 now"):
        home_of(home, threads=2)


def test_a_home_that_begins_again_repeats_its_threads_where_there_are_cores(tmp_path: Path) -> None:
    """It takes what it was made with, or what is asked for; with fewer cores it takes those."""
    few, many = home_of(tmp_path / "few", threads=1), home_of(tmp_path / "many", threads=999)
    assert 1 == threads(few, {}, begins_again=True)
    assert 3 == threads(few, {"OMP_NUM_THREADS": "3"}, begins_again=True)
    assert available_threads() == threads(many, {}, begins_again=True)


def test_a_home_without_a_record_is_not_locked_out(tmp_path: Path) -> None:
    """A home that records no threads takes those it is opened with, unless opening is refused."""
    home = home_of(tmp_path / "home", learn=True)
    assert 2 == threads(home, {"OMP_NUM_THREADS": "2"})
    with pytest.raises(HomeError, match="learn True there, False now"):
        home_of(home, learn=False, threads=2)
    assert "threads" not in json.loads((home / "settings.json").read_text())
    home_of(home, learn=True, threads=2)
    assert 2 == record(home)["threads"]


def test_threads_go_to_sleep_early_unless_told_otherwise() -> None:
    """Threads sleep early unless the environment already says how they wait."""
    environment: dict[str, str] = {}
    wait_briefly(environment)
    assert {"GOMP_SPINCOUNT": "1000"} == environment
    for given in ({"GOMP_SPINCOUNT": "5"}, {"OMP_WAIT_POLICY": "passive"}):
        wait_briefly(kept := dict(given))
        assert given == kept


def test_starting_the_command_line_comes_before_torch() -> None:
    """The environment is set before torch is loaded, because OpenMP reads it once, at that time."""
    code = """if True:
        import os, sys
        from mainstem.cli.main import main
        sys.argv = ["mainstem", "--version"]
        try:
            main()
        except SystemExit:
            sys.exit(os.environ["GOMP_SPINCOUNT"] != "1000" or "torch" in sys.modules)"""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))
    }
    assert (
        0
        == subprocess.run(
            [sys.executable, "-c", code], check=False, env=environment, capture_output=True
        ).returncode
    )
