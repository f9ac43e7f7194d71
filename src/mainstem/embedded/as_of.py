"""How far a log is replayed into a home that shall be as it was at a moment of event time.

As of a moment, a home holds what came of the lines before the first event later than that moment. The log does not end
there, so nothing that is open is closed, and nobody is judged a last time.
"""

from mainstem.embedded.home import Home
from mainstem.errors import HomeError, LogError
from mainstem.events.known_log import OpenedLog
from mainstem.events.moments import lines_until, written

__all__ = ["line_as_of", "lines_done", "refuse_further", "told_of"]


def line_as_of(log: OpenedLog, time: int) -> int:
    """How many lines of a log are replayed.

    Args:
        log: the whole log.
        time: the moment, in milliseconds.

    Raises:
        LogError: if the log begins later.
    """
    found = lines_until(log.lines(0), time)
    until = log.end.lines if found is None else found
    if until == 0:
        msg = f"every event of the log is later than {written(time)}; give a later moment"
        raise LogError(msg)
    return until


def lines_done(home: Home) -> int:
    """How many lines of its log a home has surely replayed; those of a block that was cut do not count."""
    at, end = home.checkpoint(), home.end()
    return max(at.line if at else 0, end.mark.lines if end else 0)


def refuse_further(home: Home, until: int, time: int) -> None:
    """Refuse a home that has come further than it shall be replayed.

    Args:
        home: to be replayed into.
        until: how many lines.
        time: the moment that they are replayed to, in milliseconds.

    Raises:
        HomeError: if it has.
    """
    if (come := lines_done(home)) > until:
        msg = (
            f"the home has replayed {come:,} lines, and {written(time)} is behind {until:,}; give another --home for it, "
            "or --verify to hold this one against what it had by then"
        )
        raise HomeError(msg)


def told_of(log: OpenedLog, until: int, time: int) -> str:
    """What is replayed, in words.

    Args:
        log: the whole log.
        until: how many of its lines.
        time: the moment, in milliseconds.
    """
    if until == log.end.lines:
        return f"as of {written(time)}: all {until:,} lines, for no event is later; what is open there stays open"
    return f"as of {written(time)}: {until:,} of {log.end.lines:,} lines; what is open there stays open"
