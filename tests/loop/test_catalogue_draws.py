"""A replay whose catalogue changes: what is outdated counts less, and what-if draws the same."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mainstem.embedded.home import HomeFolder
from mainstem.events import Item, Purchase, decode, encode
from mainstem.store import Store
from tests.conftest import Run, excerpt_lines

MINUTE = 60_000
CHOOSING = {
    "MAINSTEM_LEARNING__CHOOSE": "always",
    "MAINSTEM_LEARNING__DRAW_NEW": "0.5",
    "MAINSTEM_LEARNING__DRAW_OLD": "0.5",
    "MAINSTEM_LEARNING__SLICE_FLOOR": "0",
    "MAINSTEM_LEARNING__OUTDATED_HALF_LIFE": "5m",
    "MAINSTEM_LEARNING__GONE_AFTER": "60m",
}
"""Draws that are choices, in a log of three hours."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, mainstem: Run) -> Path:
    """A home of a short log in which every third item gets another name half-way."""
    folder = tmp_path_factory.mktemp("catalogue")
    events = [decode(line) for line in excerpt_lines(1200)]
    items = [one for one in events if isinstance(one, Item)]
    times = [one.event_timestamp for one in events if isinstance(one, Purchase)]
    half = (times[0] + times[-1]) // 2
    renamed = [
        Item(
            event_id=f"renamed {number}",
            event_timestamp=half + number,
            item_id=one.item_id,
            title=f"quite another thing {number}",
        )
        for number, one in enumerate(items[::3])
    ]
    log = folder / "log.jsonl.gz"
    with gzip.open(log, "wb") as file:
        file.writelines(encode(one) + b"\n" for one in [*events, *renamed])
    done = mainstem("replay", log, "--home", folder / "home", "--json", env=CHOOSING)
    assert 0 == done.returncode, done.stderr
    return folder / "home"


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    """The history of the home."""
    with HomeFolder(home, create=False) as opened, Store(opened.store_url) as store:
        yield store


def supposed(mainstem: Run, home: Path, *changed: str) -> dict[str, Any]:
    """Ask what other settings would have drawn in the last round."""
    options = [word for one in changed for word in ("--set", one)]
    done = mainstem("what-if", "--home", home, *options, "--json")
    assert 0 == done.returncode, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["draw"]
    return found


def test_what_if_draws_what_the_round_drew(mainstem: Run, home: Path) -> None:
    """With the settings of the home it draws the very samples, and with others it draws others."""
    draw = supposed(mainstem, home, "learning.draw=12000")
    drew = sum(draw["drew"].values())
    assert (draw["drew"], drew) == (draw["would"], draw["both"])
    assert drew < draw["available"]
    other = supposed(mainstem, home, "learning.outdated_half_life=0s")
    assert other["available"] == draw["available"]
    assert other["both"] < drew
    assert supposed(mainstem, home, "learning.gone_after=0s")["available"] > draw["available"]


def test_outdated_samples_are_drawn_less(store: Store) -> None:
    """The last round drew a smaller share of the samples whose item got another name."""
    [(version, offset)] = store.rows(
        "SELECT version, offsets[1] FROM rounds FINAL ORDER BY version DESC LIMIT 1"
    )
    shares = store.rows(
        """
        SELECT old, count() AS there, countIf(drawn) / there, avgIf(probability, drawn) FROM (
            SELECT sample_id IN (SELECT sample_id FROM changed_texts WHERE changed > .5) AS old,
                   d.sample_id = s.sample_id AS drawn, d.probability AS probability
            FROM (SELECT * FROM samples_now WHERE offset < {offset:UInt64}) AS s
            LEFT JOIN (SELECT * FROM draws FINAL WHERE version = {version:UInt32}) AS d
                ON s.sample_id = d.sample_id)
        GROUP BY old ORDER BY old""",
        version=version,
        offset=offset,
    )
    (_, full, of_full, probably), (_, old, of_old, rarely) = shares
    assert min(full, old) > 50
    assert of_old < 0.6 * of_full
    assert rarely < probably


def test_samples_of_items_that_are_gone_are_not_drawn(store: Store) -> None:
    """No round drew a sample of an item that nobody had seen for the hour before."""
    rounds = store.rows("SELECT version, offsets[1] FROM rounds FINAL ORDER BY version")
    rows = store.rows(
        "SELECT sample_id, item_id, source, toUnixTimestamp64Milli(event_time), offset "
        "FROM samples_now"
    )
    told = store.rows("SELECT item_id, toUnixTimestamp64Milli(event_time) FROM items FINAL")
    resting = 0
    for version, offset in rounds:
        known = [row for row in rows if row[4] < offset]
        now = max(row[3] for row in known)
        seen = {item_id for item_id, time in told if now - 60 * MINUTE <= time <= now}
        seen |= {row[1] for row in known if row[2] != "drawn" and row[3] >= now - 60 * MINUTE}
        gone = {row[0] for row in known if row[1] not in seen}
        resting += len(gone)
        drawn = {
            sample_id
            for (sample_id,) in store.rows(
                "SELECT sample_id FROM draws FINAL WHERE version = {version:UInt32}",
                version=version,
            )
        }
        assert drawn
        assert not drawn & gone
    assert resting > 20
