"""The files and commands of the page `docs/your-own-log.md` work as they are written there."""

import json
import shlex
from pathlib import Path

from mainstem.events import Purchase, decode, read_lines
from tests.pages import ROOT, shown_after
from tests.running_pages import prepare, run

PAGE = ROOT / "docs" / "your-own-log.md"


def test_the_pages_commands_run_and_say_what_it_says(tmp_path: Path) -> None:
    """The page's commands run in order with its files and print the output that it shows."""
    prepare(PAGE, tmp_path)
    printed = run(PAGE, tmp_path)
    said = [(printed[block.content], text) for block, text in shown_after(PAGE, "console")]
    assert 2 == len(said)
    assert [] == [text for whole, text in said if text not in whole]
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
    """Each key of a map and each command of `mainstem import` is on the page."""
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
    page = PAGE.read_text()
    keys = [key for key in TableMap.__struct_fields__ if key not in {"item", "kind", "page"}]
    keys += [f"{part}.{key}" for part, struct in parts.items() for key in struct.__struct_fields__]
    assert [] == [key for key in keys if f"`{key}`" not in page]
    names = [command.name or command.callback.__name__ for command in importer.registered_commands]
    assert [] == [name for name in names if f"mainstem import {shlex.quote(name)} " not in page]
    assert [] == [
        command.callback.__name__
        for command in importer.registered_commands
        if not command.callback.__doc__
    ]
