"""The final tick, which closes all that is open once a log has ended."""

from mainstem.behaviour import HOUR, hour_of
from mainstem.settings.groups.join import Join

__all__ = ["closing_time"]


def closing_time(newest: int, join: Join) -> int:
    """Event time of a tick that closes all questions and all hours of a log.

    Args:
        newest: largest event time of the log, in milliseconds.
        join: settings of the join.

    Example:
        >>> closing_time(5, Join(label_window=10, grace=2)) == HOUR + 3
        True
    """
    end = max(newest + join.label_window, (hour_of(newest) + 1) * HOUR)
    return end + join.grace + 1
