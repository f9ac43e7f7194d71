"""Rows as columns: they grow, empty and are views of arrays, whatever the visits say."""

from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mainstem.importance import CANARY, Rows
from tests.importance.visiting import fact, visit, visits


def test_all_may_leave() -> None:
    """Rows that every sample has left can be queried and filled again."""
    columns = Rows()
    visit(columns, 1, (7, fact(), 1.0, 1.0))
    columns.leave(before=1)
    assert (0, None) == (len(columns), columns.row_of(UUID(int=7)))
    visit(columns, 1, (8, fact(event_time=5), 1.0, 1.0))
    assert [UUID(int=8)] == [columns.id_of(0)]


def test_columns_grow() -> None:
    """Samples beyond the first arrays keep the order of arrival and their own values."""
    columns = Rows()
    for start in range(0, 1000, 90):
        numbers = range(start, start + 90)
        visit(
            columns,
            1,
            *(
                (number, fact(offset=number, part=CANARY), float(number), -number)
                for number in numbers
            ),
        )
    assert list(range(1080)) == columns["offset"].tolist()
    assert [float(number) for number in range(1080)] == columns["importance"].tolist()
    assert [-float(number) for number in range(1080)] == columns["recent_margin"].tolist()
    assert {(1, CANARY, -1, 0)} == {
        tuple(values)
        for values in np.column_stack(
            [columns[name] for name in ("visits", "part", "judged", "standing")]
        )
    }


@given(st.lists(st.uuids(), unique=True, min_size=1))
def test_ids_are_kept_whole(ids: list[UUID]) -> None:
    """Any 128-bit id comes back as it was given."""
    columns = Rows()
    some = [1.0] * len(ids)
    facts = [fact() for _ in ids]
    columns.visit(
        visits(version=1, scale=1.0, ids=ids, facts=facts, norm=some, margin=some, loss=some)
    )
    assert ids == [columns.id_of(columns.row_of(one)) for one in ids]


def test_a_column_is_a_view() -> None:
    """A value that a judge writes into a column is there for the next reader."""
    columns = Rows()
    visit(columns, 1, (7, fact(), 1.0, 1.0))
    columns["standing"][:] = 1
    assert 1 == columns["standing"][columns.row_of(UUID(int=7))]


def test_a_sample_takes_few_bytes() -> None:
    """One row of all columns takes at most 256 bytes."""
    columns = Rows()
    visit(columns, 1, (7, fact(), 1.0, 1.0))
    assert sum(columns[name].nbytes for name in columns) <= 256
