"""How many threads a process computes with, and how long they wait busily for each other.

OpenMP's threads spin while they wait, by default for milliseconds. On an idle machine that is the fastest way to wait; on a
busy one each waits for a thread that is not running because it spins in its place, and a replay takes ten times as long.
So they spin for some microseconds only: `python -m tests.crowded` prints what that costs and gains.
"""

import os
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path, PurePosixPath
from typing import Final

from mainstem.errors import SettingError

__all__ = ["NAMES", "asked_threads", "available_threads", "threads_now", "wait_briefly"]

NAMES: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")  # the first that is set holds
SPINS: Final = "1000"  # of libgomp, which torch's wheels bring; its own default is 300,000
_CGROUPS: Final = Path("/sys/fs/cgroup")
_OWN: Final = Path("/proc/self/cgroup")


def wait_briefly(environment: MutableMapping[str, str]) -> None:
    """Let OpenMP's threads go to sleep early, unless the environment says how they wait; before torch is imported.

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
    """How many threads somebody asked for by `OMP_NUM_THREADS` or `MKL_NUM_THREADS`; None where nobody did.

    Raises:
        SettingError: if it is no number of threads.

    Example:
        >>> asked_threads({"OMP_NUM_THREADS": "3"}), asked_threads({"OMP_NUM_THREADS": "4,2"}), asked_threads({})
        (3, 4, None)
    """
    name = next((name for name in NAMES if environment.get(name, "").strip()), None)
    if name is None:
        return None
    given = environment[name].split(",")[0].strip()  # more numbers are for regions inside regions
    if not (given.isascii() and given.isdigit() and 0 < int(given) <= 4096):
        msg = f"{name} is {environment[name]!r}; give a number of threads from 1 to 4096, or leave it out"
        raise SettingError(msg)
    return int(given)


def available_threads(own: Path = _OWN, cgroups: Path = _CGROUPS) -> int:
    """Cores that this process may use: by its affinity and by the quotas of the control groups that it is in.

    Args:
        own: which groups those are.
        cgroups: where they are mounted.
    """
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return max(int(min([cores, *_quotas(own, cgroups)])), 1)


def _quotas(own: Path, cgroups: Path) -> Iterator[float]:
    """The cores that each group may use at once, of those that have a quota."""
    for line in _read(own).splitlines():
        _, controllers, path = line.split(":", 2)
        inside = PurePosixPath(path.lstrip("/"))
        for mount in ("", "unified") if not controllers else ("cpu", "cpu,cpuacct"):
            if controllers and "cpu" not in controllers.split(","):
                continue
            # subtle: in a container the path may be the host's, and only the mount's root is there
            for folder in (inside, *inside.parents):
                yield from _quota_of(cgroups / mount / folder)


def _quota_of(folder: Path) -> Iterator[float]:
    both = _read(folder / "cpu.max") or " ".join(
        _read(folder / name) for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    )
    numbers = [int(one) for one in both.split() if one.isdecimal()]  # `max` and -1 are no quota
    if len(numbers) == 2 and all(numbers):
        yield numbers[0] / numbers[1]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # no such file where there is no quota, or no control groups at all
        return ""


def threads_now() -> int:
    """How many threads torch uses."""
    import torch  # seconds to import

    return int(torch.get_num_threads())
