"""The documents agree with the package and its tests; `test_pages.py` checks users' pages."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_changelogs_newest_version_is_the_packages() -> None:
    """The newest version of the changelog is the version of the package."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    newest = re.search(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest
    assert version == newest[1]


def test_constraints_pin_every_dependency() -> None:
    """Every dependency in pyproject.toml is pinned in constraints.txt to the tested version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    names = {re.split(r"[<>=\[ ]", one)[0].lower() for one in wanted}
    pinned = {
        line.split("==")[0].lower()
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    assert set() == names - pinned


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests").rglob("test_*.py")), ids=lambda path: path.name
)
def test_every_test_says_its_behaviour_in_one_sentence(path: Path) -> None:
    """A test's docstring is one line that ends with a full stop."""
    tests = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    said = {test.name: ast.get_docstring(test) or "" for test in tests}
    assert [] == [name for name, text in said.items() if "\n" in text or not text.endswith(".")]
