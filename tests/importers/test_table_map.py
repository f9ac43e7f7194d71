"""What is wrong with the map of a table is told before a row is read."""

import re
from pathlib import Path

import pytest

from mainstem.errors import ImportSourceError
from mainstem.importers.table_map import read_map

BAD_MAPS = {
    "no TOML": ("time = ", "is not TOML"),
    "unknown key": (
        'usr = "u"\ntime = "t"',
        "unknown key `usr` in the map; its keys are time, kind, item",
    ),
    "unknown key inside": (
        'time = "t"\nitem = { id = "i", colour = "c" }',
        "unknown key `colour` in item; its keys are id, title",
    ),
    "missing key": ('user = "u"', "missing required key `time` in the map"),
    "wrong type": ('time = "t"\nuser = 7', "user: expected `str`, got `int`"),
    "wrong kind": (
        'time = "t"\nkind = { column = "k", values = { a = "buy" } }',
        "'buy'; the kinds are search, impression, view",
    ),
    "no kind": ('time = "t"', "does not say what a row is; add kind.column and kind.values"),
    "two kinds": (
        'time = "t"\nkind = { column = "k", always = "view" }',
        "either by kind.column and kind.values or by kind.always",
    ),
    "no values": (
        'time = "t"\nkind = { column = "k" }',
        "either by kind.column and kind.values or by kind.always",
    ),
    "no time": (
        'time = {}\nkind.always = "view"',
        "must name the column of the time by time = 'COLUMN'",
    ),
    "no user": (
        'time = "t"\nkind.always = "view"\nitem.id = "i"',
        "has view events, so it must say whose they are; add user",
    ),
    "no item": (
        'time = "t"\nuser = "u"\nkind.always = "view"',
        "has view events, so it must say of which item",
    ),
    "no page": ('time = "t"\nuser = "u"\nkind.always = "impression"\nitem.id = "i"', "add page.id"),
    "no title": ('time = "t"\nkind.always = "item"\nitem.id = "i"', "add item.title"),
    "no query": ('time = "t"\nuser = "u"\nkind.always = "search"', "add query"),
    "clicked in vain": (
        'time="t"\nuser="u"\nitem.id="i"\nkind.always="view"\npage={id="p",clicked="c"}',
        "leave it out",
    ),
}


@pytest.mark.parametrize(("text", "message"), BAD_MAPS.values(), ids=BAD_MAPS)
def test_what_is_wrong_with_a_map_is_told_before_a_row_is_read(
    text: str, message: str, tmp_path: Path
) -> None:
    """A map that cannot be used is refused with the reason and what to write."""
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(ImportSourceError, match=re.escape(message)) as told:
        read_map(path)
    assert f"the map {str(path)!r}" in str(told.value)
