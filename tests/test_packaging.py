"""The wheel holds every package; one not listed in `pyproject.toml` exists in the checkout only."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def packages_in_folders() -> list[str]:
    """Return each folder with an `__init__.py` by its import name."""
    inside = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"][
        "package-dir"
    ]
    found = []
    for package, folder in inside.items():
        top = ROOT / folder
        found += [
            ".".join((package, *one.parent.relative_to(top).parts))
            for one in top.rglob("__init__.py")
        ]
    return sorted(found)


def test_every_package_is_in_the_wheel() -> None:
    """The packages that setuptools is told of are exactly the existing packages."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert packages_in_folders() == sorted(listed)
