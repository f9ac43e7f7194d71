"""What the engine says of a question that it cannot answer, in one line: without what the driver added to the question."""

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

__all__ = ["complaint_of", "first_line"]

_CODE: Final = re.compile(
    r"Received ClickHouse exception, code: \d+, server response: |(?:Code: \d+\. )?DB::Exception: |\s*\(version [^)]*\)"
    r"|\)? \(for url [^)]*\)"
)
_ADDED: Final = re.compile(r"\s+SETTINGS readonly = '?1'?|\s+FORMAT Native")
_SCOPE: Final = re.compile(r"\.? [Ii]n scope .*?(?=\. Maybe you meant|\. \([A-Z_]+\)|$)")
_PLACE: Final = re.compile(r"Syntax error[^:]*: failed at position (\d+)")
_UNKNOWN: Final = re.compile(
    r"Unknown (table|expression)(?: expression)?(?: or (?:table|function)(?: expression)?)* identifier ['`]([^'`]+)['`]"
    r"|Identifier ['`]([^'`]+)['`] cannot be resolved"
)
_NAMES: Final = """
    SELECT name FROM system.tables WHERE database = currentDatabase()
    UNION DISTINCT SELECT name FROM system.columns WHERE database = currentDatabase()"""
_TABLES: Final = "SELECT name FROM system.tables WHERE database = currentDatabase()"


def complaint_of(
    error: Exception, statement: str, rows: Callable[[str], Iterable[tuple[Any, ...]]]
) -> str:
    """Why a question has no answer.

    Args:
        error: of the driver.
        statement: the question as it was asked.
        rows: asks the history for the names that there are.

    Example:
        >>> error = Exception("Code: 60. DB::Exception: Unknown table expression identifier 'sampels' in scope SELECT 1")
        >>> complaint_of(error, "SELECT 1 FROM sampels", lambda sql: [("samples",), ("moves",)])
        "there is no table 'sampels'; is it 'samples'? `mainstem sql 'SHOW TABLES'` lists what there is"
    """
    said = " ".join(str(error).split())
    if unknown := _UNKNOWN.search(said):
        return _unknown(unknown[2] or unknown[3], is_table=unknown[1] == "table", rows=rows)
    if (place := _PLACE.search(said)) and int(place[1]) > len(statement):
        return f"the question breaks off: something is missing at its end; got {statement[-40:]!r}"
    if "in readonly mode" in said and "setting" in said:
        return "a question changes no settings; leave SETTINGS out"
    return first_line(error)


def first_line(error: Exception) -> str:
    """What an error of the driver says first, without codes, the engine's version and what the driver added.

    Example:
        >>> first_line(Exception("Code: 81. DB::Exception: Database nodb does not exist. (UNKNOWN_DATABASE)"))
        'Database nodb does not exist. (UNKNOWN_DATABASE)'
    """
    lines = str(error).strip().splitlines()
    said = _SCOPE.sub("", _ADDED.sub("", _CODE.sub("", lines[0]))) if lines else ""
    return said.strip() or type(error).__name__


def _unknown(name: str, *, is_table: bool, rows: Callable[[str], Iterable[tuple[Any, ...]]]) -> str:
    there = sorted(str(one) for (one,) in rows(_TABLES if is_table else _NAMES))
    near = difflib.get_close_matches(name.rpartition(".")[2], there, n=1)
    what, more = ("table", "SHOW TABLES") if is_table else ("column", "DESCRIBE samples_now")
    hint = f"is it {near[0]!r}? " if near else ""
    return f"there is no {what} {name!r}; {hint}`mainstem sql '{more}'` lists what there is"
