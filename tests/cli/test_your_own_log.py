"""The page `docs/your-own-log.md`: its files and its commands, as they stand."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from mainstem.events import Purchase, decode, read_lines
from tests.conftest import SMALL

PAGE = (Path(__file__).parents[2] / "docs" / "your-own-log.md").read_text()


def blocks(language: str) -> list[str]:
    """The page's blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_pages_commands_run_and_say_what_it_says(tmp_path: Path) -> None:
    """With the page's files in a folder its commands, in order, succeed there and print what it shows."""
    for name, content in re.findall(
        r"^```(?:csv|toml) (\S+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE
    ):
        (tmp_path / name).write_text(content)
    commands = [
        line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines()
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAINSTEM_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join(commands)],
        cwd=tmp_path,
        env={**kept, **SMALL, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    said = blocks("text")
    assert 2 == len(said)
    assert [] == [text for text in said if text not in done.stdout + done.stderr]
    shown = [json.loads(line) for line in (tmp_path / "shown.jsonl").read_bytes().splitlines()]
    assert [2, 1] == [len(event["items"]) for event in shown if event["type"] == "impression"]
    assert ["M-2"] == [event["item_id"] for event in shown if event["type"] == "click"]
    assert {"M-1", "B-7"} == {decode(line).item_id for line in read_lines(tmp_path / "shop")}
    prices = [
        event.price
        for event in map(decode, read_lines(tmp_path / "retail2.jsonl"))
        if isinstance(event, Purchase)
    ]
    assert [6.95, 1006.75] == prices


def test_the_page_has_every_key_and_every_importer() -> None:
    """Each key of a map, each kind of event and each command of `mainstem import` stands on the page."""
    from mainstem.cli.importing import importer
    from mainstem.importers.table_map import (
        FileForm,
        ItemColumns,
        KindColumn,
        PageColumns,
        TableMap,
        TimeColumn,
    )

    parts = {
        "time": TimeColumn,
        "kind": KindColumn,
        "item": ItemColumns,
        "page": PageColumns,
        "file": FileForm,
    }
    keys = [key for key in TableMap.__struct_fields__ if key not in {"item", "kind", "page"}]
    keys += [f"{part}.{key}" for part, struct in parts.items() for key in struct.__struct_fields__]
    assert [] == [key for key in keys if f"`{key}`" not in PAGE]
    names = [command.name or command.callback.__name__ for command in importer.registered_commands]
    assert [] == [name for name in names if f"mainstem import {shlex.quote(name)} " not in PAGE]
    assert [] == [
        command.callback.__name__
        for command in importer.registered_commands
        if not command.callback.__doc__
    ]
