"""Installs mainstem and its packages into a new `.venv`: `make environment` runs this.

uv installs the packages, because it is several times as fast as pip. It takes the package index and
other settings from the user's configuration of pip. pip installs the packages if a setting of pip
has no counterpart in uv, or if uv cannot be installed or fails.

    .venv/bin/python .ci/environment.py [--python PYTHON] [--torch-index URL]

    --python        use the torch of this Python, if it has one that is new enough
    --torch-index   install torch from this package index
"""

import argparse
import ast
import os
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
WANTED: Final = ("-e", f"{ROOT}[bench,kafka,test]")
PIP: Final = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")
WITH_PIP: Final = [*PIP, "install", "--prefer-binary"]
COUNTERPARTS: Final = {
    "cert": "SSL_CERT_FILE",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "index-url": "UV_DEFAULT_INDEX",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "trusted-host": "UV_INSECURE_HOST",
}
"""Settings of pip, and the variables that set the same in uv."""
ALIASES: Final = {"default-timeout": "timeout", "i": "index-url", "pypi-url": "index-url"}
WITHOUT_EFFECT: Final = {
    "break-system-packages",
    "cache-dir",
    "disable-pip-version-check",
    "no-input",
    "no-python-version-warning",
    "no-warn-script-location",
    "prefer-binary",
    "progress-bar",
    "quiet",
    "require-virtualenv",
    "retries",
    "root-user-action",
    "verbose",
}
"""Settings of pip that do not change which packages are installed."""


class NoCounterpartError(Exception):
    """A setting of pip has no counterpart in uv."""


def main(arguments: Sequence[str]) -> int:
    """Install everything. Returns the exit code of the installer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", default="")
    parser.add_argument("--torch-index", default="")
    asked = parser.parse_args(arguments)
    constraints, left_out = Path(sys.prefix, "constraints.txt"), Path(sys.prefix, "left-out.txt")
    pins = (ROOT / "constraints.txt").read_text()
    installed = torch_of(asked.python) if asked.python and not asked.torch_index else None
    if installed:
        sys.stdout.write(
            f"Made .venv, with the torch of {asked.python}. Fetching other packages (0.4 GB).\n"
        )
        pins = "".join(line for line in pins.splitlines(True) if not line.startswith("torch=="))
    else:
        sys.stdout.write(
            "Made .venv. Fetching torch and its dependencies (2.7 GB with CUDA; TORCH_INDEX=URL\n"
            "takes it from another package index) and other packages (0.4 GB).\n"
        )
    sys.stdout.flush()
    constraints.write_text(pins)
    # subtle: uv ignores folders that a .pth file adds, so no package may require torch
    left_out.write_text("torch; python_version < '3'\n" if installed else "")
    install, environment = installer(left_out)
    if installed:  # subtle: only now, or pip would find a uv of that Python and install none
        Path(sysconfig.get_path("purelib"), "installed-torch.pth").write_text(f"{installed}\n")
    code = install_all(install, environment, constraints, asked.torch_index)
    if code and install != WITH_PIP:
        sys.stdout.write("uv could not install them; pip tries it.\n")
        sys.stdout.flush()
        return install_all(WITH_PIP, dict(os.environ), constraints, asked.torch_index)
    return code


def install_all(
    install: Sequence[str], environment: Mapping[str, str], constraints: Path, torch_index: str
) -> int:
    """Install torch from an index of its own, if one is given, and then all that is wanted."""
    held = ("-c", str(constraints))
    if torch_index:
        first = [*install, "--index-url", torch_index, *held, "torch"]
        if code := subprocess.run(first, env=environment, check=False).returncode:
            return code
    return subprocess.run([*install, *held, *WANTED], env=environment, check=False).returncode


def torch_of(python: str) -> str | None:
    """The folder of the torch that a Python has; None if it has none that is new enough."""
    code = (
        "import pathlib, torch; print(torch.__version__, pathlib.Path(torch.__file__).parents[1])"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    version, _, folder = done.stdout.strip().partition(" ")
    return folder if numbers(version) >= numbers(least_torch()) else None


def least_torch() -> str:
    """The oldest version of torch that pyproject.toml allows.

    Example:
        >>> numbers(least_torch()) >= (2, 8)
        True
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return next(one for one in project["dependencies"] if one.startswith("torch>=")).split(">=")[1]


def numbers(version: str) -> tuple[int, ...]:
    """The first two numbers of a version.

    Example:
        >>> numbers("2.15.0+cu132")
        (2, 15)
    """
    return tuple(int(part) for part in version.split(".")[:2])


def installer(left_out: Path) -> tuple[list[str], dict[str, str]]:
    """The command that installs packages, and its environment; uv if possible, else pip."""
    listed = subprocess.run([*PIP, "config", "list"], capture_output=True, text=True, check=False)
    try:
        told = for_uv(settings_of_pip(listed.stdout))
    except NoCounterpartError as error:
        sys.stdout.write(
            f"pip installs them, because uv has no counterpart of its setting {error}.\n"
        )
        return WITH_PIP, dict(os.environ)
    pin = ("-c", str(ROOT / "constraints.txt"))
    if subprocess.run([*PIP, "install", "--quiet", *pin, "uv"], check=False).returncode:
        sys.stdout.write("pip installs them, because it cannot install uv.\n")
        return WITH_PIP, dict(os.environ)
    uv = Path(sysconfig.get_path("scripts"), "uv")
    with_uv = [str(uv), "pip", "install", "--python", sys.executable]
    if left_out.read_text():
        with_uv += ["--override", str(left_out)]
    return with_uv, {**told, **os.environ}


def settings_of_pip(listed: str) -> dict[str, str]:
    r"""The settings in the output of `pip config list`, by name.

    A variable of the environment has precedence over a setting for `pip install`, and that over a
    setting for all commands.

    Example:
        >>> settings_of_pip("global.timeout='9'\n:env:.timeout='60'\ninstall.index-url='a/b'")
        {'timeout': '60', 'index-url': 'a/b'}
    """
    found: dict[str, str] = {}
    for section in ("global.", "install.", ":env:."):
        for line in listed.splitlines():
            name, equals, value = line.removeprefix(section).partition("=")
            if line.startswith(section) and equals:
                found[ALIASES.get(name, name)] = str(ast.literal_eval(value))
    return found


def for_uv(settings: Mapping[str, str]) -> dict[str, str]:
    """The same settings for uv, as variables of its environment.

    Raises:
        NoCounterpartError: a setting has no counterpart; the message is its name.

    Example:
        >>> for_uv({"index-url": "https://a/b", "quiet": "1"})
        {'UV_DEFAULT_INDEX': 'https://a/b'}
    """
    told = {}
    for name, value in settings.items():
        if name in COUNTERPARTS:
            words = value.split()
            if name == "find-links":
                words = [word for word in words if "://" in word or Path(word).is_dir()]
            if words:
                separator = "," if name == "find-links" else " "
                told[COUNTERPARTS[name]] = separator.join(words)
        elif name not in WITHOUT_EFFECT:
            raise NoCounterpartError(name)
    if "UV_INDEX" in told:
        told["UV_INDEX_STRATEGY"] = (
            "unsafe-best-match"  # like pip, take the best version of all indexes
        )
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
