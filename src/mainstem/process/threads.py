"""How many threads a process computes with, and how long they spin while they wait.

Threads of OpenMP spin while they wait for each other, by default for milliseconds. On an idle
machine that is the fastest way to wait. On a busy machine a spinning thread takes the core from
the thread that it waits for, and a replay takes ten times as long. So they spin only for some
microseconds: `python -m tests.crowded` prints what that costs and gains.
"""

import os
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path, PurePosixPath
from typing import Final

from mainstem.errors import SettingError

__all__ = ["NAMES", "asked_threads", "available_threads", "threads_now", "wait_briefly"]

NAMES: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")  # the first one that is set counts
SPINS: Final = "1000"  # for libgomp, which torch's wheels bring; its own default is 300,000
_CGROUPS: Final = Path("/sys/fs/cgroup")
_OWN: Final = Path("/proc/self/cgroup")


def wait_briefly(environment: MutableMapping[str, str]) -> None:
    """Let OpenMP's threads go to sleep early, unless the environment says how they wait.

    It must be called before torch is imported.

    Args:
        environment: environment variables, changed in place.

    Example:
        >>> environment, other = {}, {"OMP_WAIT_POLICY": "active"}
        >>> wait_briefly(environment), wait_briefly(other)
        (None, None)
        >>> environment, other
        ({'GOMP_SPINCOUNT': '1000'}, {'OMP_WAIT_POLICY': 'active'})
    """
    if not environment.get("OMP_WAIT_POLICY"):
        environment.setdefault("GOMP_SPINCOUNT", SPINS)


def asked_threads(environment: Mapping[str, str]) -> int | None:
    """The number of threads that `OMP_NUM_THREADS` or `MKL_NUM_THREADS` asks for, or None.

    Raises:
        SettingError: if the value is no number of threads.

    Example:
        >>> asked_threads({"OMP_NUM_THREADS": "3"}), asked_threads({"OMP_NUM_THREADS": "4,2"})
        (3, 4)
        >>> asked_threads({}) is None
        True
    """
    name = next((name for name in NAMES if environment.get(name, "").strip()), None)
    if name is None:
        return None
    given = environment[name].split(",")[0].strip()  # further numbers are for nested regions
    if not (given.isascii() and given.isdigit() and 0 < int(given) <= 4096):
        msg = (
            f"{name} is {environment[name]!r}; "
            "give a number of threads from 1 to 4096, or leave it out"
        )
        raise SettingError(msg)
    return int(given)


def available_threads(own: Path = _OWN, cgroups: Path = _CGROUPS) -> int:
    """The number of cores that this process may use.

    Both its affinity and the quotas of its control groups limit it.

    Args:
        own: file that names the control groups of this process.
        cgroups: folder where control groups are mounted.
    """
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    return max(int(min([cores, *_quotas(own, cgroups)])), 1)


def _quotas(own: Path, cgroups: Path) -> Iterator[float]:
    """The number of cores that each group with a quota may use at once."""
    for line in _read(own).splitlines():
        _, controllers, path = line.split(":", 2)
        inside = PurePosixPath(path.lstrip("/"))
        for mount in ("", "unified") if not controllers else ("cpu", "cpu,cpuacct"):
            if controllers and "cpu" not in controllers.split(","):
                continue
            # subtle: in a container the path may be the host's, and only the mount's root exists
            for folder in (inside, *inside.parents):
                yield from _quota_of(cgroups / mount / folder)


def _quota_of(folder: Path) -> Iterator[float]:
    parts = (_read(folder / name) for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us"))
    both = _read(folder / "cpu.max") or " ".join(parts)
    numbers = [int(one) for one in both.split() if one.isdecimal()]  # `max` and -1 are no quota
    if len(numbers) == 2 and all(numbers):
        yield numbers[0] / numbers[1]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # without a quota, or without control groups, there is no such file
        return ""


def threads_now() -> int:
    """The number of threads that torch uses."""
    import torch  # seconds to import

    return int(torch.get_num_threads())
