"""Turn an error of the engine into one line for the person who asked.

The driver adds text to each question and to each error; none of it reaches that line.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

__all__ = ["complaint_of", "first_line"]

_CODE: Final = re.compile(
    r"Received ClickHouse exception, code: \d+, server response: "
    r"|(?:Code: \d+\. )?DB::Exception: |\s*\(version [^)]*\)|\)? \(for url [^)]*\)"
)
_ADDED: Final = re.compile(r"\s+SETTINGS readonly = '?1'?|\s+FORMAT Native")
_SCOPE: Final = re.compile(r"\.? [Ii]n scope .*?(?=\. Maybe you meant|\. \([A-Z_]+\)|$)")
_PLACE: Final = re.compile(r"Syntax error[^:]*: failed at position (\d+)")
_UNKNOWN: Final = re.compile(
    r"Unknown (table|expression)(?: expression)?(?: or (?:table|function)(?: expression)?)*"
    r" identifier ['`]([^'`]+)['`]"
    r"|Identifier ['`]([^'`]+)['`] cannot be resolved"
)
_UNSET: Final = re.compile(r"Substitution `([^`]+)` is not set")
_NAMES: Final = """
    SELECT name FROM system.tables WHERE database = currentDatabase()
    UNION DISTINCT SELECT name FROM system.columns WHERE database = currentDatabase()"""
_TABLES: Final = "SELECT name FROM system.tables WHERE database = currentDatabase()"


def complaint_of(
    error: Exception, statement: str, rows: Callable[[str], Iterable[tuple[Any, ...]]]
) -> str:
    """Say in one line why the engine cannot answer a question.

    Args:
        error: error that the driver raised.
        statement: the question as it was asked.
        rows: queries the history, for the names of tables and columns to suggest.

    Example:
        >>> error = Exception("DB::Exception: Unknown table expression identifier 'sampels' in it")
        >>> told = complaint_of(error, "SELECT 1 FROM sampels", lambda sql: [("samples",)])
        >>> told.partition("; ")[0], told.partition("? ")[2]
        ("there is no table 'sampels'", "`mainstem sql 'SHOW TABLES'` lists what there is")
    """
    said = " ".join(str(error).split())
    if unknown := _UNKNOWN.search(said):
        return _unknown(unknown[2] or unknown[3], is_table=unknown[1] == "table", rows=rows)
    if (place := _PLACE.search(said)) and int(place[1]) > len(statement):
        return f"the question breaks off: something is missing at its end; got {statement[-40:]!r}"
    if "in readonly mode" in said and "setting" in said:
        return "a question cannot change settings; leave SETTINGS out"
    if unset := _UNSET.search(said):
        return (
            f"the question has a parameter {unset[1]!r} and no value for it; "
            f"in Python, give it as home.sql(QUESTION, {unset[1]}=VALUE)"
        )
    return first_line(error)


def first_line(error: Exception) -> str:
    """First line of an error, without codes, the engine's version and additions of the driver.

    Example:
        >>> first_line(Exception("Code: 81. DB::Exception: Database x does not exist."))
        'Database x does not exist.'
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
