"""Questions to a history: none can write, and the answers and errors are clear, on every engine."""

from uuid import UUID

import pytest

from mainstem.errors import StoreError
from mainstem.store import Store


@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE samples",
        "INSERT INTO items (item_id) VALUES ('a')",
        "SELECT 1; DROP TABLE samples",
        "KILL QUERY WHERE 1",
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "TRUNCATE TABLE samples",
    ],
)
def test_a_question_cannot_write(store: Store, query: str) -> None:
    """No question can change the history."""
    store.write("samples", {"sample_id": [UUID(int=1)]})
    with pytest.raises(StoreError):
        store.ask(query)
    assert [(1,)] == store.rows("SELECT count() FROM samples")


def test_a_wrong_question_is_one_clear_line(store: Store) -> None:
    """The error of a wrong question names the mistake in one line."""
    with pytest.raises(StoreError, match="no_such_column") as caught:
        store.ask("SELECT no_such_column FROM samples")
    assert "\n" not in str(caught.value)


def test_a_trailing_semicolon_does_not_double_the_answer(store: Store) -> None:
    """A query may end with a semicolon."""
    assert [(1,)] == store.ask("SELECT 1 AS one;")[1]


def test_a_semicolon_within_quotes_or_a_comment_is_no_second_statement(store: Store) -> None:
    """A semicolon is refused only between statements."""
    assert [("a;b",)] == store.ask("SELECT 'a;b' -- here; there")[1]
    assert [("it's;",)] == store.ask(r"SELECT 'it\'s;' /* one; two */")[1]
