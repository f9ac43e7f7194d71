"""The documents say what is true: their commands run, and nothing that can be used or set is left out."""

import ast
import csv
import json
import os
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mainstem.settings import known, variable
from tests.conftest import SMALL, Run, excerpt_lines

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def commands() -> list[str]:
    """The command lines of the README's console blocks, in order."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    return [
        line.removeprefix("$ ")
        for block in blocks
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


def write_source(path: Path) -> None:
    """A source file as the README's example has one, made of the excerpt."""
    events = [json.loads(line) for line in excerpt_lines(900)]
    titles = {event["item_id"]: event["title"] for event in events if event["type"] == "item"}
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            [
                "InvoiceNo",
                "StockCode",
                "Description",
                "Quantity",
                "InvoiceDate",
                "UnitPrice",
                "CustomerID",
            ]
        )
        for event in events:
            if event["type"] == "purchase":
                time = event["event_timestamp"] // 60_000 * 60
                when = date_of(time)
                row = (
                    event["session_id"],
                    event["item_id"],
                    titles[event["item_id"]],
                    event["quantity"],
                    when,
                )
                table.writerow([*row, event["price"], event["user_id"]])


def date_of(seconds: int) -> str:
    """A time as the source writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def test_the_readmes_commands_run_as_they_stand(tmp_path: Path) -> None:
    """Every `mainstem` command line of the README, in order, succeeds in a folder with the source file."""
    write_source(tmp_path / "online_retail.csv")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAINSTEM_")}
    environment = {**kept, **SMALL, "PATH": path}
    run = [
        line
        for line in commands()
        if line.startswith("mainstem ") and not line.startswith("mainstem demo")
    ]
    assert run
    for line in run:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, f"{line}\n{done.stderr}"


def test_the_readmes_make_targets_exist() -> None:
    """What the README tells to make can be made, and `.ci/run` calls the README's test command."""
    targets = [line for line in commands() if line.startswith("make ")]
    assert {"make demo", "make test"} <= set(targets)
    makefile = (ROOT / "Makefile").read_text()
    assert [] == [
        one for one in targets if not re.search(rf"^{one.split()[1]}:", makefile, re.MULTILINE)
    ]
    assert "make test" in (ROOT / ".ci" / "run").read_text().splitlines()


def test_something_runs_within_the_readmes_first_thirty_lines() -> None:
    """A reader sees a command early."""
    first = README.splitlines()[:30]
    assert [] != [line for line in first if line.startswith("$ make demo")]


def test_every_command_is_documented(mainstem: Run) -> None:
    """Each command of the command line has a help text and a place in the README."""
    from mainstem.cli import app

    registered = {
        (one.name or one.callback.__name__): one.callback.__doc__ for one in app.registered_commands
    }
    assert {} == {
        name: text
        for name, text in registered.items()
        if not text or f"mainstem {name}" not in README
    }
    assert "mainstem import online-retail" in README
    assert 0 == mainstem("--help").returncode


def test_every_setting_is_in_the_readme_as_the_command_prints_it(mainstem: Run) -> None:
    """The README's table of settings is what `mainstem settings` says, name, default and meaning."""
    found = json.loads(mainstem("settings", "--json").stdout)
    assert {variable(name) for name in known()} == set(found)
    rows = [
        f"| `{name}` | {one['default'] or '(empty)'} | {one['affects']} | {one['help']} |"
        for name, one in found.items()
    ]
    assert [] == [row for row in rows if row not in README]


def test_the_changelogs_newest_version_is_the_packages() -> None:
    """Changelog and package agree."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    newest = re.search(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest
    assert version == newest[1]


def test_constraints_pin_every_dependency() -> None:
    """What pyproject.toml asks for is pinned in constraints.txt as it was tested."""
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
