"""What a rule found: its verdict, counts, a few places to look at, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

__all__ = [
    "EXAMPLES",
    "FAIL",
    "PASS",
    "WARN",
    "Example",
    "Finding",
    "Seen",
    "Status",
    "duration",
    "graded",
    "share",
]

Status: TypeAlias = Literal["PASS", "WARN", "FAIL"]
PASS: Final = "PASS"  # noqa: S105 - no password
WARN: Final = "WARN"
FAIL: Final = "FAIL"
EXAMPLES: Final = 5
"""Addresses that a finding names at most: enough to see what they have in common."""
_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


@dataclass(frozen=True)
class Example:
    """A place in the log: its line, counted from 0, and the event's id where it could be read."""

    offset: int
    event_id: str | None = None


@dataclass(frozen=True)
class Finding:
    """The verdict of one rule.

    Attributes:
        rule: its name.
        status: `PASS`, `WARN` or `FAIL`.
        found: what was found, in a few words.
        counts: the figures behind it.
        examples: the first places, at most `EXAMPLES`.
        advice: what to do; empty where all is well.
    """

    rule: str
    status: Status
    found: str
    counts: Mapping[str, float]
    examples: tuple[Example, ...] = ()
    advice: str = ""


@dataclass
class Seen:
    """How often something was seen, and where first.

    Example:
        >>> seen = Seen()
        >>> seen.note(7, "e7")
        >>> seen.count, seen.examples
        (1, [Example(offset=7, event_id='e7')])
    """

    count: int = 0
    examples: list[Example] = field(default_factory=list)

    def note(self, offset: int, event_id: str | None = None) -> None:
        """It was seen here."""
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(Example(offset, event_id))


def graded(part: float, warn: float, fail: float) -> Status:
    """A share as a verdict: above `fail`, above `warn`, or well.

    Example:
        >>> graded(0, 0, 0.01), graded(0.01, 0, 0.01), graded(0.02, 0, 0.01)
        ('PASS', 'WARN', 'FAIL')
    """
    if part > fail:
        return FAIL
    return WARN if part > warn else PASS


def share(part: float, whole: float) -> float:
    """A part of a whole; 0 of nothing."""
    return part / whole if whole else 0.0


def duration(millis: float) -> str:
    """Milliseconds as a setting is written, where that is short; else in the largest fitting unit.

    Example:
        >>> duration(3_600_000), duration(5_400_000), duration(90_061_001), duration(0)
        ('1h', '90m', '25h', '0s')
    """
    if not millis:
        return "0s"
    for unit, size in _UNITS:
        if not millis % size and millis // size < 100:
            return f"{int(millis // size)}{unit}"
    unit, size = next((unit, size) for unit, size in _UNITS if millis >= 2 * size or size == 1)
    return f"{round(millis / size)}{unit}"
