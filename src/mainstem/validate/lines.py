"""Rules on the lines themselves: can they be read, and are they events?"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from mainstem.events import Refusal
from mainstem.events.logs import LONGEST_LINE
from mainstem.validate.finding import FAIL, PASS, Finding, Seen, graded, share

__all__ = ["NO_CLASS", "REFUSED_SHARE", "Encoding", "Fields"]

NO_CLASS: Final = "no such class in MAINSTEM_OBJECTIVES__CLASSES"
REFUSED_SHARE: Final = 0.001
"""One line in a thousand that cannot be used is an exporter's fault; fewer may be a line cut off by a crash."""
_MOST_REASONS: Final = 1000  # different ones that are counted apart
_PLACE: Final = re.compile(r" \(byte \d+\)")  # differs from line to line
_TOLD: Final = 3  # reasons in words


class Encoding:
    """`encoding`: lines are UTF-8, and none is longer than a line may be."""

    name = "encoding"

    def __init__(self) -> None:
        self._lines = 0
        self._not_utf8, self._too_long, self._either = Seen(), Seen(), Seen()

    def refuses(self, offset: int, raw: bytes) -> bool:
        """Take one line; whether it is at fault."""
        self._lines += 1
        kind = None
        if len(raw) > LONGEST_LINE:
            kind = self._too_long
        elif not raw.isascii() and not _is_utf8(raw):
            kind = self._not_utf8
        if kind is None:
            return False
        kind.note(offset)
        self._either.note(offset)
        return True

    def finding(self) -> Finding:
        """The verdict."""
        wrong, long = self._not_utf8.count, self._too_long.count
        advice = []
        if wrong:
            advice.append("write the log as UTF-8 (of Latin-1: `iconv -f LATIN1 -t UTF-8 LOG`)")
        if long:
            advice.append("write one event a line, with a line break after each")
        return Finding(
            self.name,
            FAIL
            if long
            else graded(
                share(wrong, self._lines), 0, REFUSED_SHARE
            ),  # a line so long holds many events
            f"{wrong:,} lines are not UTF-8, {long:,} are longer than {LONGEST_LINE:,} bytes"
            if advice
            else "UTF-8",
            {"lines": self._lines, "not_utf8": wrong, "too_long": long},
            tuple(self._either.examples),
            "; ".join(advice),
        )


class Fields:
    """`fields`: every line is an event, with the fields and types of its kind.

    Attributes:
        classes: which classes no setting names, and how to name them; empty where all are named.
    """

    name = "fields"

    def __init__(self) -> None:
        self._read = 0
        self._refused = Seen()
        self._reasons: Counter[tuple[str, str]] = Counter()
        self.classes = ""

    def note(self, offset: int, refusal: Refusal | None, event_id: str | None = None) -> None:
        """Take one line: why it was refused, or None."""
        self._read += 1
        if refusal is None:
            return
        self._refused.note(offset, event_id)
        reason = (_PLACE.sub("", refusal.reason), refusal.path)
        if reason not in self._reasons and len(self._reasons) == _MOST_REASONS:
            reason = ("other reasons", "$")
        self._reasons[reason] += 1

    def finding(self) -> Finding:
        """The verdict; counts hold each reason with its path."""
        refused = self._refused.count
        told = [
            f"{count:,} x {reason} at {path}"
            for (reason, path), count in self._reasons.most_common(_TOLD)
        ]
        more = len(self._reasons) - len(told)
        counts = {
            f"{path}: {reason}": count for (reason, path), count in self._reasons.most_common()
        }
        status = (
            graded(share(refused, self._read), 0, REFUSED_SHARE) if self._read != refused else FAIL
        )
        return Finding(
            self.name,
            status if self._read else PASS,
            f"{refused:,} of {self._read:,} refused: {'; '.join(told)}{f'; {more} more reasons' if more else ''}"
            if refused
            else f"{self._read:,} events",
            {"lines": self._read, "refused": refused, **counts},
            tuple(self._refused.examples),
            "; ".join(self._advice()) if refused else "",
        )

    def _advice(self) -> Iterator[str]:
        if self.classes:
            yield self.classes
        if not self.classes or any(reason != NO_CLASS for reason, _ in self._reasons):
            yield "mend these fields where the events are made; `mainstem schema` prints what each kind needs"


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
