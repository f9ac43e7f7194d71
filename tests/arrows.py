"""What tests of arrows and measures read out of the source."""

import ast
import re
from collections.abc import Iterator
from typing import Final

_SQL: Final = re.compile(
    r"\bSELECT\b.*\bFROM\b"
    r"|\b(INSERT INTO|ALTER TABLE|DELETE FROM|TRUNCATE TABLE|CREATE (TABLE|VIEW|DATABASE|OR REPLACE))\b",
    re.DOTALL,
)


def texts(tree: ast.AST) -> Iterator[str]:
    """The string literals of a file that are no docstrings, each f-string as one."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
        ):
            yield node.value


def is_sql(text: str) -> bool:
    """Whether a text is, or holds, a statement in SQL."""
    return bool(_SQL.search(text))
