"""Which queries a history answers, and what it says of the others."""

import pytest

from mainstem.errors import StoreError
from mainstem.store.question import one_question

SINGLE = "one statement at a time"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "(SELECT 1)",
        "WITH 1 AS a SELECT a",
        "FROM samples SELECT count()",
        "show tables",
        "DESCRIBE samples",
        "EXPLAIN SELECT 1",
        "EXISTS samples",
        "/* why */ SELECT 1 -- done; really",
        "# hi\nSELECT ';' AS a",
        'SELECT $$a;b$$, $x$;$x$, `a;b`, "c;d"',
        "SELECT format('{}', 1) AS format",
        "SELECT format FROM t ORDER BY format DESC",
        "SELECT CASE WHEN 1 THEN format END",
        "SELECT 'x FORMAT JSON' AS a",
        "SELECT 1 AS into, 2 AS outfile",
    ],
)
def test_a_question_is_asked_as_it_stands(sql: str) -> None:
    """A query that only reads is allowed, with semicolons and other verbs in quotes and names."""
    assert sql == one_question(sql)
    assert sql == one_question(f"{sql}\n;;  ; ")


@pytest.mark.parametrize(
    ("sql", "expected"), [("SELECT 1; -- all", "SELECT 1"), (";SELECT 1", "SELECT 1")]
)
def test_semicolons_around_a_question_are_none(sql: str, expected: str) -> None:
    """An empty statement is not a second statement."""
    assert expected == one_question(sql)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("", "there is no question"),
        (" \n\t", "there is no question"),
        (";", "there is no question"),
        ("-- only this", "there is no question"),
        ("/* only */ ; # this", "there is no question"),
        ("SELECT 1 FORMAT JSON", "FORMAT JSON is not allowed"),
        ("select 1\nformat tsv;", "FORMAT tsv is not allowed"),
        ("SHOW TABLES FORMAT Pretty SETTINGS a = 1", "FORMAT Pretty is not allowed"),
        ("SELECT 1 FORMAT /* which */ CSV -- so", "FORMAT CSV is not allowed"),
        ("SELECT 1 INTO/**/OUTFILE '/tmp/x'", "INTO OUTFILE is not allowed"),
        ("SELECT 1; SELECT 2", SINGLE),
        (";;SELECT 1; DROP TABLE samples", SINGLE),
        ("DROP TABLE samples", "only questions are allowed"),
        ("INSERT INTO items VALUES ('a')", "only questions are allowed"),
        ("SYSTEM FLUSH LOGS", "only questions are allowed"),
        ("VALUES (1)", "only questions are allowed"),
        ("SELECT 'a", "breaks off: ' is opened and not closed, at \"'a\""),
        ("SELECT 1 /* x", r"breaks off: /\* is opened"),
        ("SELECT `a FROM t; DROP TABLE t", "breaks off: ` is opened"),
        ("'just text'", "only questions are allowed"),
        ("SELECT '\udcff'", "a question is text in UTF-8"),
    ],
)
def test_what_is_not_a_question_is_refused_in_words(sql: str, told: str) -> None:
    """One line says what is wrong with the query."""
    with pytest.raises(StoreError, match=told) as caught:
        one_question(sql)
    assert 1 == len(str(caught.value).splitlines())
