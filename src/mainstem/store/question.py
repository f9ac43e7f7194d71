"""Check that a question to a history is a single statement that only reads."""

import re
from typing import Final

from mainstem.errors import StoreError

__all__ = ["one_question"]

_QUESTIONS: Final = {"DESC", "DESCRIBE", "EXISTS", "EXPLAIN", "FROM", "SELECT", "SHOW", "WITH"}
_COMMENT: Final = r"--[^\n]*|\#[ !][^\n]*|/\*.*?\*/"
_QUOTED: Final = re.compile(
    rf"""(?P<comment>{_COMMENT})|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|"(?:\\.|[^"\\])*\""""
    r"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$",
    re.DOTALL,
)
_OPENED: Final = re.compile(r"['`\"]|/\*")
_INTO: Final = re.compile(r"\bINTO\s+OUTFILE\b", re.IGNORECASE)
# subtle: a column may be called `format` too; then one of the excluded words may follow it
_FORMAT: Final = re.compile(
    r"\sFORMAT\s+(?!(?:ASC|DESC|END|FINAL)\b)(\w+)\s*(?:\bSETTINGS\b[^()]*)?$", re.IGNORECASE
)


def one_question(sql: str) -> str:
    """Return the statement without its trailing semicolon and what follows it.

    subtle: the engine's own `readonly` permits KILL QUERY and INTO OUTFILE, so the first word of a
    question is checked too.

    subtle: given several statements, the embedded engine leaves the answer of the first in its
    output, where the next query finds it; so only one is allowed.

    Args:
        sql: the question as it was asked.

    Raises:
        StoreError: if it is empty, holds several statements, would write, or names an output
            format.

    Example:
        >>> one_question("SELECT ';' AS a; -- that is all")
        "SELECT ';' AS a"
    """
    try:
        sql.encode()
    except UnicodeEncodeError as error:
        msg = f"a question is text in UTF-8; byte {error.start} of this one is not"
        raise StoreError(msg) from error
    bare = _QUOTED.sub(_masked, sql)  # has the length of `sql`, so places in both agree
    if opened := _OPENED.search(bare):
        rest = sql[opened.start() :][:40]
        msg = f"the question breaks off: {opened[0]} is opened and not closed, at {rest!r}"
        raise StoreError(msg)
    head, semicolon, rest = bare.partition(";")
    if rest.strip("; \t\r\n\f\v"):
        if not head.strip():
            return one_question(sql[len(head) + 1 :])
        msg = "ask one statement at a time; this question holds a semicolon between two"
        raise StoreError(msg)
    statement, bare = (sql[: len(head)].rstrip() if semicolon else sql.strip()), head.strip()
    if not bare:
        msg = "there is no question; ask one, like `mainstem sql 'SELECT count() FROM samples_now'`"
        raise StoreError(msg)
    _check(bare, statement)
    return statement


def _check(bare: str, statement: str) -> None:
    if _INTO.search(bare):
        msg = (
            "INTO OUTFILE is not allowed: an answer goes to standard output; "
            "redirect that with `> FILE`"
        )
        raise StoreError(msg)
    word = bare.lstrip("( \t\r\n\f\v").partition("(")[0].split()[:1]
    if not word or word[0].upper() not in _QUESTIONS:
        msg = (
            "only questions are allowed, like SELECT, WITH, SHOW, DESCRIBE or EXPLAIN; "
            f"got {statement[:40]!r}"
        )
        raise StoreError(msg)
    if found := _FORMAT.search(bare):
        msg = (
            f"FORMAT {found[1]} is not allowed: an answer is a table, or JSON lines with --json; "
            "leave it out"
        )
        raise StoreError(msg)


def _masked(found: re.Match[str]) -> str:
    """Replace a quotation or comment by text of its length without letters; comments by blanks."""
    return (" " if found["comment"] is not None else "?") * len(found[0])
