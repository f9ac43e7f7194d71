"""Readers of source code for the tests of arrows and for the measures."""

import ast
import re
from collections.abc import Iterator
from typing import Final

_SQL: Final = re.compile(
    r"\bSELECT\b.*\bFROM\b"
    r"|\b(INSERT INTO|ALTER TABLE|DELETE FROM|TRUNCATE TABLE"
    r"|CREATE (TABLE|VIEW|DATABASE|OR REPLACE))\b",
    re.DOTALL,
)


def texts(tree: ast.AST) -> Iterator[str]:
    """Yield the string literals of a file that are no docstrings, each f-string as one text."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
        ):
            yield node.value


def is_sql(text: str) -> bool:
    """Return whether a text is or contains an SQL statement."""
    return bool(_SQL.search(text))
