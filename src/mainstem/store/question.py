"""What somebody may ask of a history: one statement that reads. What is no such thing is answered in words."""

import re
from typing import Final

from mainstem.errors import StoreError

__all__ = ["one_question"]

_QUESTIONS: Final = {"DESC", "DESCRIBE", "EXISTS", "EXPLAIN", "FROM", "SELECT", "SHOW", "WITH"}
_COMMENT: Final = r"--[^\n]*|\#[ !][^\n]*|/\*.*?\*/"
_QUOTED: Final = re.compile(
    rf"""(?P<comment>{_COMMENT})|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|"(?:\\.|[^"\\])*"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$""",
    re.DOTALL,
)
_OPENED: Final = re.compile(r"['`\"]|/\*")
_INTO: Final = re.compile(r"\bINTO\s+OUTFILE\b", re.IGNORECASE)
# subtle: a column may be called `format` too, and end a question in these words
_FORMAT: Final = re.compile(
    r"\sFORMAT\s+(?!(?:ASC|DESC|END|FINAL)\b)(\w+)\s*(?:\bSETTINGS\b[^()]*)?$", re.IGNORECASE
)


def one_question(sql: str) -> str:
    """The statement without a trailing semicolon and what follows it.

    subtle: the engine's own `readonly` lets KILL QUERY pass, and INTO OUTFILE, so a question must begin like one.

    subtle: given several statements the embedded engine leaves the answer of the first one lying in its output, where the
    next query finds it.

    Raises:
        StoreError: if it is empty, holds several statements, would write, or says in which form it is to be answered.

    Example:
        >>> one_question("SELECT ';' AS a; -- that is all")
        "SELECT ';' AS a"
    """
    try:
        sql.encode()
    except UnicodeEncodeError as error:
        msg = f"a question is text in UTF-8; byte {error.start} of this one is not"
        raise StoreError(msg) from error
    bare = _QUOTED.sub(_masked, sql)  # as long as the statement
    if opened := _OPENED.search(bare):
        msg = f"the question breaks off: {opened[0]} is opened and not closed, at {sql[opened.start() :][:40]!r}"
        raise StoreError(msg)
    head, semicolon, rest = bare.partition(";")
    if rest.strip("; \t\r\n\f\v"):
        if not head.strip():
            return one_question(sql[len(head) + 1 :])
        msg = "one statement at a time, please; this query holds a semicolon between two"
        raise StoreError(msg)
    statement, bare = (sql[: len(head)].rstrip() if semicolon else sql.strip()), head.strip()
    if not bare:
        msg = "there is no question; ask one, like `mainstem sql 'SELECT count() FROM samples_now'`"
        raise StoreError(msg)
    _check(bare, statement)
    return statement


def _check(bare: str, statement: str) -> None:
    if _INTO.search(bare):
        msg = "INTO OUTFILE is not for here: an answer goes to standard output; redirect that with `> FILE`"
        raise StoreError(msg)
    word = bare.lstrip("( \t\r\n\f\v").partition("(")[0].split()[:1]
    if not word or word[0].upper() not in _QUESTIONS:
        msg = f"only questions are allowed here, like SELECT, WITH, SHOW, DESCRIBE or EXPLAIN; got {statement[:40]!r}"
        raise StoreError(msg)
    if found := _FORMAT.search(bare):
        msg = f"FORMAT {found[1]} is not for here: an answer is a table, or JSON lines with --json; leave it out"
        raise StoreError(msg)


def _masked(found: re.Match[str]) -> str:
    """Something of the same length that holds no letter, and is blank only in place of a comment."""
    return (" " if found["comment"] is not None else "?") * len(found[0])
