"""Measure the code: `python -m tests.measures [FOLDER]` prints a table, and JSON on its last line.

files, median, longest          Python files of src, streams and trainer, and their lines
function_median, function_p90   lines of a function, from its `def` to its last line
comments, docstrings            lines that are, or end in, a comment; lines of docstrings
noqa, type_ignores              rules that are silenced
sql_outside_store               files outside of store/ with an SQL statement
"""

import ast
import io
import json
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from tests.arrows import is_sql, texts

SOURCES: Final = ("src", "streams", "trainer")


def measured(root: Path) -> dict[str, float]:
    """Return the measurements of the code in a folder."""
    files = sorted(path for source in SOURCES for path in (root / source).rglob("*.py"))
    sources = {path: path.read_text() for path in files}
    trees = {path: ast.parse(source) for path, source in sources.items()}
    lengths = [source.count("\n") for source in sources.values()]
    functions = [length for tree in trees.values() for length in _functions(tree)]
    comments = [comment for source in sources.values() for comment in _comments(source)]
    return {
        "files": len(files),
        "median": median(lengths),
        "longest": max(lengths),
        "function_median": median(functions),
        "function_p90": quantiles(functions, n=10)[-1],
        "comments": len(comments),
        "docstrings": sum(_docstring_lines(tree) for tree in trees.values()),
        "noqa": sum("noqa" in comment for comment in comments),
        "type_ignores": sum(bool(re.search(r"type:\s*ignore", comment)) for comment in comments),
        "sql_outside_store": sum(
            "store" not in path.relative_to(root).parts and any(map(is_sql, texts(tree)))
            for path, tree in trees.items()
        ),
    }


def _functions(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def _comments(source: str) -> Iterator[str]:
    return (
        one.string
        for one in tokenize.generate_tokens(io.StringIO(source).readline)
        if one.type == tokenize.COMMENT
    )


def _docstring_lines(tree: ast.AST) -> int:
    described = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = (
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, described)
    )
    return sum(doc.count("\n") + 1 for doc in docs if doc)


def main() -> None:
    """Measure and print."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    found = measured(root)
    for name, value in found.items():
        print(f"{name:18} {value:>8,g}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
