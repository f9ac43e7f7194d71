"""Rules on the lines of a log: they can be read, and they are events."""

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
"""If one line in a thousand is refused, the exporter is at fault; fewer may come from a crash."""
_MOST_REASONS: Final = 1000  # reasons that are counted one by one
_PLACE: Final = re.compile(r" \(byte \d+\)")  # removed from reasons, because it differs by line
_SHOWN: Final = 3  # reasons that the finding shows


class Encoding:
    """`encoding`: lines are UTF-8, and none is longer than `LONGEST_LINE`."""

    name = "encoding"

    def __init__(self) -> None:
        self._lines = 0
        self._not_utf8, self._too_long, self._either = Seen(), Seen(), Seen()

    def refuses(self, offset: int, raw: bytes) -> bool:
        """Note a line if it is at fault, and tell whether it is."""
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
        """Return the verdict."""
        wrong, long = self._not_utf8.count, self._too_long.count
        advice = []
        if wrong:
            advice.append("write the log as UTF-8 (from Latin-1: `iconv -f LATIN1 -t UTF-8 LOG`)")
        if long:
            advice.append("write one event per line, with a line break after each")
        status = graded(share(wrong, self._lines), 0, REFUSED_SHARE)
        found = f"{wrong:,} lines are not UTF-8, {long:,} are longer than {LONGEST_LINE:,} bytes"
        return Finding(
            self.name,
            FAIL if long else status,  # one such line holds many events
            found if advice else "UTF-8",
            {"lines": self._lines, "not_utf8": wrong, "too_long": long},
            tuple(self._either.examples),
            "; ".join(advice),
        )


class Fields:
    """`fields`: every line is an event, with the fields and types of its kind.

    Attributes:
        classes: advice on classes that the setting `classes` does not name; empty if all are named.
    """

    name = "fields"

    def __init__(self) -> None:
        self._read = 0
        self._refused = Seen()
        self._reasons: Counter[tuple[str, str]] = Counter()
        self.classes = ""

    def note(self, offset: int, refusal: Refusal | None, event_id: str | None = None) -> None:
        """Add a line, with the reason for which it was refused; None if it was not."""
        self._read += 1
        if refusal is None:
            return
        self._refused.note(offset, event_id)
        reason = (_PLACE.sub("", refusal.reason), refusal.path)
        if reason not in self._reasons and len(self._reasons) == _MOST_REASONS:
            reason = ("other reasons", "$")
        self._reasons[reason] += 1

    def finding(self) -> Finding:
        """Return the verdict. Its counts hold each reason with its path."""
        refused, read = self._refused.count, self._read
        reasons = self._reasons.most_common()
        found = f"{read:,} events"
        if refused:
            shown = "; ".join(
                f"{count:,} x {reason} at {path}" for (reason, path), count in reasons[:_SHOWN]
            )
            more = f"; {len(reasons) - _SHOWN} more reasons" if len(reasons) > _SHOWN else ""
            found = f"{refused:,} of {read:,} refused: {shown}{more}"
        counts = {f"{path}: {reason}": count for (reason, path), count in reasons}
        status = FAIL if read == refused else graded(share(refused, read), 0, REFUSED_SHARE)
        return Finding(
            self.name,
            status if read else PASS,
            found,
            {"lines": read, "refused": refused, **counts},
            tuple(self._refused.examples),
            "; ".join(self._advice()) if refused else "",
        )

    def _advice(self) -> Iterator[str]:
        if self.classes:
            yield self.classes
        if not self.classes or any(reason != NO_CLASS for reason, _ in self._reasons):
            yield (
                "mend these fields where the events are made; "
                "`mainstem schema` prints what each kind needs"
            )


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
