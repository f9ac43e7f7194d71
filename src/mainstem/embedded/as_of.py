"""Find how far to replay a log so that a home is as it was at a moment of event time.

As of a moment, a home holds the results of all lines before the first event that is later than the
moment. The log does not end there, so no open question is closed and there is no final judgement.
"""

from mainstem.embedded.home import HomeFolder
from mainstem.errors import HomeError, LogError
from mainstem.events.known_log import OpenedLog
from mainstem.events.moments import lines_until, written

__all__ = ["line_as_of", "lines_done", "refuse_further", "told_of"]


def line_as_of(log: OpenedLog, time: int) -> int:
    """How many lines of a log to replay for a moment.

    Args:
        log: the whole log.
        time: the moment of event time, in milliseconds.

    Raises:
        LogError: if every event of the log is later.
    """
    found = lines_until(log.lines(0), time)
    until = log.end.lines if found is None else found
    if until == 0:
        msg = f"every event of the log is later than {written(time)}; give a later moment"
        raise LogError(msg)
    return until


def lines_done(home: HomeFolder) -> int:
    """How many lines of its log a home has replayed, without those of an incomplete block."""
    at, end = home.checkpoint(), home.end()
    return max(at.line if at else 0, end.mark.lines if end else 0)


def refuse_further(home: HomeFolder, until: int, time: int) -> None:
    """Refuse a home that has already replayed more lines than the moment covers.

    Args:
        home: home to replay into.
        until: how many lines the moment covers.
        time: the moment of event time, in milliseconds.

    Raises:
        HomeError: if the home has replayed more.
    """
    if (done := lines_done(home)) > until:
        msg = (
            f"the home has already replayed {done:,} lines, and only {until:,} come before the "
            f"first event later than {written(time)}; give another --home, "
            "or --verify to compare this one with what it had at that time"
        )
        raise HomeError(msg)


def told_of(log: OpenedLog, until: int, time: int) -> str:
    """Say in one line how much of the log is replayed.

    Args:
        log: the whole log.
        until: how many of its lines are replayed.
        time: the moment of event time, in milliseconds.
    """
    if until == log.end.lines:
        lines = f"all {until:,} lines, for no event is later"
    else:
        lines = f"{until:,} of {log.end.lines:,} lines"
    return f"as of {written(time)}: {lines}; questions that are open there stay open"
