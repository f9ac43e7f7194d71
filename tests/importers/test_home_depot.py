"""Home Depot: graded pairs written by hand, and the real file compared with pyarrow."""

from collections import Counter

import pyarrow.compute as pc
import pytest
from pyarrow import parquet

from mainstem.errors import ImportSourceError
from mainstem.events import Labelled
from mainstem.importers.home_depot import COLUMNS, events_of
from mainstem.importers.tables import read_rows
from tests.importers.importing import joined, real

ROW = {
    "id": 3,
    "product_uid": 100001,
    "search_term": "l bracket",
    "product_title": "12-Gauge Angle",
    "relevance": 2.5,
}


def test_a_row_is_a_labelled_pair() -> None:
    """A row gives query, title and label, and pairs are one second apart."""
    pairs = list(events_of([ROW, {**ROW, "id": 4, "relevance": "2.33"}], start=5000))
    common = {"text": "l bracket", "pair": "12-Gauge Angle", "item_id": "100001"}
    ids = [{"event_id": name, "user_id": name} for name in ("home-depot-3", "home-depot-4")]
    assert [
        Labelled(**common, **ids[0], event_timestamp=5000, label="yes", grade=0.75),
        Labelled(**common, **ids[1], event_timestamp=6000, label="no", grade=0.665),
    ] == pairs


@pytest.mark.parametrize("grade", [None, 0.5, 3.5, "good"])
def test_what_is_no_grade_is_told(grade: object) -> None:
    """A row without a grade from 1 to 3 stops the import; the source's test file has no grades."""
    with pytest.raises(ImportSourceError, match=r"row 1 of the source cannot be read .*relevance"):
        list(events_of([{**ROW, "relevance": grade}], start=0))


def test_the_real_file_gives_what_pyarrow_counts() -> None:
    """The relevant pairs are as many as pyarrow counts by grade, and all pairs join."""
    path = real("homedepot_relevance/train.parquet")
    table, labels = parquet.read_table(path), Counter()
    events = list(events_of(read_rows(path, COLUMNS), 0, 2.5, labels))
    relevant = pc.sum(pc.greater_equal(table["relevance"], 2.5)).as_py()
    assert {"yes": relevant, "no": table.num_rows - relevant} == labels
    assert {"question": table.num_rows, "answered": table.num_rows} == joined(events)
