"""Moments of event time as people write them, and how many lines of a log come before a moment."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from mainstem.errors import SettingError
from mainstem.events.decode import Refusal, decode
from mainstem.events.survey import belongs_to_items

__all__ = ["lines_until", "moment", "written"]

_BEGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLI: Final = timedelta(milliseconds=1)
_LENGTH_OF_DATE: Final = len("2011-01-15")


def moment(text: str) -> int:
    """Parse a moment.

    Args:
        text: a date, which means its first moment in UTC, or a date and a time with `Z` or an
            offset.

    Returns:
        Milliseconds since 1970, UTC.

    Raises:
        SettingError: if the text is neither.

    Example:
        >>> moment("2011-01-15"), moment("2011-01-15T01:00+01:00")
        (1295049600000, 1295049600000)
    """
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):  # a TypeError: no text
        found = None
    if found and not found.tzinfo and len(text) == _LENGTH_OF_DATE:
        found = found.replace(tzinfo=UTC)
    if not found or not found.tzinfo:
        msg = (
            "write a moment like 2011-01-15 (its beginning in UTC), 2011-01-15T08:30Z "
            f"or 2011-01-15T08:30+01:00; got {text!r}"
        )
        raise SettingError(msg)
    return (found - _BEGIN) // _MILLI


def written(time: int) -> str:
    """Write a moment, given in milliseconds since 1970, in ISO 8601 and UTC.

    Example:
        >>> written(1295049600000)
        '2011-01-15T00:00:00.000Z'
    """
    return (_BEGIN + time * _MILLI).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def lines_until(lines: Iterable[bytes], time: int) -> int | None:
    """Count the lines before the first event that is later than a moment.

    Item events do not count, because their topic is read whole before anything else. Neither do
    refused lines, which have no time.

    Args:
        lines: the lines of a log.
        time: the moment, in milliseconds since 1970.

    Returns:
        The number of lines; None if no event is later, 0 if the first event already is.

    Example:
        >>> lines = [b'{"type":"tick","event_timestamp":%d}' % time for time in (5, 9)]
        >>> lines_until(lines, 5)
        1
    """
    begun = False
    for number, raw in enumerate(lines):
        event = decode(raw)
        if isinstance(event, Refusal) or belongs_to_items(event, raw):
            continue
        if event.event_timestamp > time:
            return number if begun else 0
        begun = True
    return None
