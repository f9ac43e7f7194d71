"""Run the commands of a page in a folder, as a user would."""

import csv
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.conftest import SMALL, excerpt_lines
from tests.pages import Block, blocks

_SOURCE = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
)


def prepare(page: Path, folder: Path) -> None:
    """Put the files that a page shows or takes for granted into a folder."""
    activate = folder / ".venv" / "bin" / "activate"
    activate.parent.mkdir(parents=True)
    activate.write_text(f"PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH\n")
    write_source(folder / "online_retail.csv")
    for block in blocks(page):
        if block.name and block.language not in {"console", "python", "sh", "sql", "text"}:
            (folder / block.name).write_text(block.content)


def write_source(path: Path) -> None:
    """Write a file like UCI Online Retail from the beginning of the excerpt."""
    events = [json.loads(line) for line in excerpt_lines(900)]
    titles = {event["item_id"]: event["title"] for event in events if event["type"] == "item"}
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(_SOURCE)
        for event in events:
            if event["type"] == "purchase":
                time = datetime.fromtimestamp(event["event_timestamp"] // 60_000 * 60, UTC)
                row = (event["session_id"], event["item_id"], titles[event["item_id"]])
                price = (f"{time:%Y-%m-%d %H:%M:%S}", event["price"], event["user_id"])
                table.writerow([*row, event["quantity"], *price])


def run(page: Path, folder: Path) -> dict[str, str]:
    """Run a page's commands and programs in one shell.

    `make` is left out, because it would make the environment and run the demo or all tests.

    Returns:
        The output of each block by the block's content.

    Raises:
        RuntimeError: a command fails; the message has its output.
    """
    runs = [block for block in blocks(page) if block.language in {"console", "python"}]
    lines = [line for n, block in enumerate(runs) for line in _lines(block, folder, n)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAINSTEM_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", "\n".join(lines)],
        cwd=folder,
        env={**kept, **SMALL, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    printed = {
        block.content: said.read_text() if (said := folder / f"{n}.said").exists() else ""
        for n, block in enumerate(runs)
    }
    if done.returncode:
        msg = f"{page.name}: {done.stderr}\n" + "\n".join(printed.values())
        raise RuntimeError(msg)
    return printed


def _lines(block: Block, folder: Path, number: int) -> Iterator[str]:
    if block.language == "python":
        (folder / f"{number}.py").write_text(block.content)
        commands = [f"{shlex.quote(sys.executable)} {number}.py"]
    else:
        commands = [line for line in block.commands() if not line.startswith("make ")]
    yield f"exec 3>&1 4>&2 >{number}.said 2>&1"
    yield from commands
    yield "exec >&3 2>&4"
