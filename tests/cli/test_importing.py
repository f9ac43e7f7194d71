"""`mainstem import`: what each command writes, reports and refuses."""

import csv
from pathlib import Path
from typing import Any

import pytest

from mainstem.events import Cart, Labelled, decode, read_lines
from tests.conftest import Run

MAP = (
    'time = { column = "at", format = "s" }\nuser = "who"\nkind.always = "purchase"\n'
    'item = { id = "sku", title = "name" }\n'
)
NEWS = [
    {"text": "Rain stops play", "topic": 1},
    {"text": "Bank cuts rate", "topic": 2},
    {"text": "", "topic": 2},
]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as a CSV."""
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def orders(*times: int) -> list[dict[str, Any]]:
    """Make orders at times in seconds."""
    return [{"at": time, "who": "u", "sku": "a", "name": "mug"} for time in times]


def test_labelled_ends_with_the_setting_on_stdout(tmp_path: Path, mainstem: Run) -> None:
    """The setting of classes is printed on stdout, or on stderr if the log is on stdout."""
    file = write(tmp_path / "news.csv", NEWS)
    columns = ("--text", "text", "--label", "topic", "--names", "1=sports,2=big business")
    given = ("import", "labelled", file, *columns)
    done = mainstem(*given, "-o", tmp_path / "news.jsonl")
    line = "MAINSTEM_OBJECTIVES__CLASSES='sports,big business'\n"
    assert (0, line) == (done.returncode, done.stdout)
    assert "wrote 2 labelled events" in done.stderr
    assert "left out 1 row: no text" in done.stderr
    piped = mainstem(*given, "-o", "-")
    assert (tmp_path / "news.jsonl").read_text() == piped.stdout
    assert line in piped.stderr
    assert ["sports", "big business"] == [
        decode(raw).label for raw in read_lines(tmp_path / "news.jsonl")
    ]


def test_events_out_of_order_are_told_and_can_be_sorted(tmp_path: Path, mainstem: Run) -> None:
    """Rows far out of order are reported, and `--sort` puts them in order."""
    file, log = write(tmp_path / "orders.csv", orders(5000, 1000, 6000)), tmp_path / "log.jsonl"
    (tmp_path / "map.toml").write_text(MAP)
    given = ("import", "table", file, "--map", tmp_path / "map.toml", "-o", log)
    told = "1 events come more than ten minutes after a later one; --sort puts them in order"
    assert told in mainstem(*given).stderr
    done = mainstem(*given, "--sort", "--lines", 2)
    assert "later one" not in done.stderr
    events = [decode(raw) for raw in read_lines(log)]
    # the item and two orders
    assert [1_000_000, 1_000_000, 5_000_000] == [event.event_timestamp for event in events]


@pytest.mark.parametrize(
    ("rows", "output", "message"),
    [
        (orders(5000), "blocked/log.jsonl", "cannot write the log"),
        ([{**orders(5000)[0], "who": ""}], "log.jsonl", "no row of"),
        (orders(-5), "log.jsonl", "row 1 of the source cannot be read"),
    ],
    ids=["no folder", "no event", "bad row"],
)
def test_what_cannot_be_imported_is_one_line_and_leaves_nothing(
    rows: list[dict[str, Any]], output: str, message: str, tmp_path: Path, mainstem: Run
) -> None:
    """A failed import has exit code 1, an error on its last line, and leaves no file."""
    (tmp_path / "blocked").write_text("a file, not a folder")
    (tmp_path / "map.toml").write_text(MAP)
    file = write(tmp_path / "orders.csv", rows)
    done = mainstem(
        "import", "table", file, "--map", tmp_path / "map.toml", "-o", tmp_path / output
    )
    assert 1 == done.returncode
    assert f"mainstem: {message}" in done.stderr.splitlines()[-1]
    assert {"blocked", "map.toml", "orders.csv"} == {path.name for path in tmp_path.iterdir()}


KNOWN = {
    "rees46": [
        {
            "event_time": "2019-10-01 00:00:00 UTC",
            "event_type": "view",
            "product_id": 1,
            "category_code": "a.b",
            "brand": "c",
            "price": 5,
            "user_id": 1,
            "user_session": "s",
        }
    ],
    "taobao": [{"user_id": 1, "item_id": 1, "category_id": 1, "behavior": "fav", "ts": 1511658000}],
    "open-bandit": [
        {
            "timestamp": "2019-11-24 00:03:13+00:00",
            "item_id": 1,
            "position": 1,
            "click": 0,
            **{f"user_feature_{n}": "abcdefgh" for n in range(4)},
        }
    ],
    "home-depot": [
        {"id": 1, "product_uid": 1, "search_term": "q", "product_title": "t", "relevance": 3}
    ],
}
OPTIONS = {
    "rees46": ["--sort"],
    "taobao": ["--sort", "--favourites", "cart"],
    "open-bandit": ["--sort"],
    "home-depot": ["--start", "2016-01-18", "--relevant-from", "2"],
}
KINDS = {
    "rees46": ["Item", "View"],
    "taobao": ["Item", "Cart"],
    "open-bandit": ["Item", "Impression"],
    "home-depot": ["Labelled"],
}


@pytest.mark.parametrize("name", KNOWN)
def test_each_known_log_has_its_command(name: str, tmp_path: Path, mainstem: Run) -> None:
    """Each command imports a row of its source, with its own options."""
    log = tmp_path / "log.jsonl.gz"
    done = mainstem(
        "import", name, write(tmp_path / "source.csv", KNOWN[name]), "-o", log, *OPTIONS[name]
    )
    assert 0 == done.returncode, done.stderr
    events = [decode(raw) for raw in read_lines(log)]
    assert KINDS[name] == [type(event).__name__ for event in events]
    assert all(
        event.event_timestamp == 1_453_075_200_000
        for event in events
        if isinstance(event, Labelled)
    )
    assert all(event.user_id == "1" for event in events if isinstance(event, Cart))
