"""What a wheel holds: a package that is not listed in `pyproject.toml` is there in the checkout only."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def packages_in_folders() -> list[str]:
    """Each folder with an `__init__.py`, by the name under which it is imported."""
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
    """The packages that setuptools is told of are those that there are."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert packages_in_folders() == sorted(listed)
