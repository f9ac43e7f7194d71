"""Moments of event time as people write them, and how far a log goes until one of them."""

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
    """A moment in milliseconds since 1970 UTC.

    Args:
        text: a date, which stands for its first moment in UTC; or a date and a time with `Z` or an offset.

    Raises:
        SettingError: if it is neither.

    Example:
        >>> moment("2011-01-15"), moment("2011-01-15T00:00Z"), moment("2011-01-15T01:00+01:00")
        (1295049600000, 1295049600000, 1295049600000)
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found and not found.tzinfo and len(text) == _LENGTH_OF_DATE:
        found = found.replace(tzinfo=UTC)
    if not found or not found.tzinfo:
        msg = f"a moment is written like 2011-01-15 (its beginning in UTC), 2011-01-15T08:30Z or +01:00; got {text!r}"
        raise SettingError(msg)
    return (found - _BEGIN) // _MILLI


def written(time: int) -> str:
    """A moment as a person reads it.

    Example:
        >>> written(1295049600000)
        '2011-01-15T00:00:00.000Z'
    """
    return (_BEGIN + time * _MILLI).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def lines_until(lines: Iterable[bytes], time: int) -> int | None:
    """How many lines come before the first event later than a moment; None where no event is, 0 where every event is.

    Items do not count, for their topic is read whole before anything else; what was refused has no time.

    Example:
        >>> lines_until([b'{"type":"tick","event_timestamp":5}', b'{"type":"tick","event_timestamp":9}'], 5)
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
