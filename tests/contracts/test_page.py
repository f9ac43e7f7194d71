"""The page asks every kind of history the same questions, and gets the same answers."""

from pathlib import Path

import pytest

from mainstem.answers.page.page import page_about
from mainstem.asking import answers
from mainstem.join import LedgerRow
from mainstem.join.ledger import new_counts
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.named import Query
from mainstem.store.over_time import ARRIVED
from mainstem.store.writes import ledger_columns
from tests.contracts.test_figures import fill, responses
from tests.strict_html import Page


def test_a_sample_arrives_with_its_first_visit(store: Store) -> None:
    """Of the visits of a sample the first version's first one counts, and the newest samples."""
    fill(store)
    first = [
        min(rows, key=lambda row: (row["label_version"], row["version"])) for _, rows in responses()
    ]
    first.sort(key=lambda row: row["event_time"])
    expected = [(row["event_time"], row["label"], pytest.approx(row["margin"])) for row in first]
    found = [(one.event_time, one.label, one.margin) for one in ARRIVED.of(store, most=100)]
    assert expected == found
    assert found[-3:] == [(one[0], one[1], one[2]) for one in ARRIVED.of(store, most=3)]


def test_a_page_about_a_server_needs_no_home(store_url: str, tmp_path: Path) -> None:
    """A server's history, which the question neither makes nor changes, gives a whole page."""
    with Store(store_url) as store:
        fill(store)
        counts = new_counts() | {"question": 9, "answered": 9}
        row = LedgerRow(topic="events", partition=0, block=0, next_offset=9, counts=counts)
        store.write("ledger", ledger_columns([row]))

    def ask(*queries: Query, **parameters: object) -> list[list]:
        found = answers(tmp_path, store_url, [query.sql for query in queries], **parameters)
        return [query.typed(rows) for query, (_, rows) in zip(queries, found, strict=True)]

    page = Page(page_about(tmp_path, store_url, Settings(), ask, None))
    assert [] == page.faults
    assert "In balance: every event is counted once." in page.texts["p"]
    assert "password" not in page.texts["title"][0]
    assert len([one for one, _ in page.elements if one == "svg"]) == 2
    assert "There is no version yet." in page.texts["p"]
    assert [] == list(tmp_path.iterdir())
