"""The finding of a rule: a verdict, counts, a few places in the log, and advice."""

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
"""Most places that a finding names, which is enough to see what they have in common."""
_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


@dataclass(frozen=True)
class Example:
    """A place in the log.

    Attributes:
        offset: number of the line, counted from 0.
        event_id: id of the event; None if it could not be read.
    """

    offset: int
    event_id: str | None = None


@dataclass(frozen=True)
class Finding:
    """The verdict of one rule.

    Attributes:
        rule: name of the rule.
        status: `PASS`, `WARN` or `FAIL`.
        found: what was found, in a few words.
        counts: the figures behind the verdict, by name.
        examples: the first places at fault, at most `EXAMPLES`.
        advice: what to do; empty if the status is `PASS`.
    """

    rule: str
    status: Status
    found: str
    counts: Mapping[str, float]
    examples: tuple[Example, ...] = ()
    advice: str = ""


@dataclass
class Seen:
    """Counts a fault, and keeps the first places where it was seen.

    Example:
        >>> seen = Seen()
        >>> seen.note(7, "e7")
        >>> seen.count, seen.examples
        (1, [Example(offset=7, event_id='e7')])
    """

    count: int = 0
    examples: list[Example] = field(default_factory=list)

    def note(self, offset: int, event_id: str | None = None) -> None:
        """Count the fault at a place of the log."""
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(Example(offset, event_id))


def graded(part: float, warn: float, fail: float) -> Status:
    """Turn a share into a verdict: `FAIL` above `fail`, `WARN` above `warn`, else `PASS`.

    Example:
        >>> graded(0, 0, 0.01), graded(0.01, 0, 0.01), graded(0.02, 0, 0.01)
        ('PASS', 'WARN', 'FAIL')
    """
    if part > fail:
        return FAIL
    return WARN if part > warn else PASS


def share(part: float, whole: float) -> float:
    """Return a part as a share of a whole; 0 if the whole is 0."""
    return part / whole if whole else 0.0


def duration(millis: float) -> str:
    """Write milliseconds as in a setting if that is exact and short, or else round them to a unit.

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
