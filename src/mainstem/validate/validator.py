"""Reads a log twice: once for what each line shows alone, once for what the join makes of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mainstem.events import Tick
from mainstem.events.survey import Survey
from mainstem.join import Catalogue
from mainstem.settings import Settings
from mainstem.validate.clocks import LONGEST_GRACE, Days, Disorder
from mainstem.validate.delays import Delays, Window, grace_window
from mainstem.validate.finding import FAIL, PASS, WARN, Finding, Status
from mainstem.validate.follow import Answered, Asked, Closed, Follower, Happened, Orphaned
from mainstem.validate.lacking import unknown_classes
from mainstem.validate.questions import Items, Orphans, Positions, Positives
from mainstem.validate.reading import Reader, kind_of
from mainstem.validate.repeats import Filter, Repeats
from mainstem.validate.traffic import Jumps, Rates
from mainstem.validate.zones import Arrivals, Matches, Zones

__all__ = ["Lines", "Validation", "validate"]

Lines = Callable[[], Iterable[bytes]]


@dataclass(frozen=True)
class Validation:
    """What was found in a log.

    Attributes:
        lines: number of lines.
        questions: which events are questions in the join, `shown` or `purchases`.
        asks: kinds of questions that the log has, of `shown`, `purchases` and `labelled`; may be
            empty.
        findings: the finding of each rule.
        delays: how long each kind of outcome takes.
        windows: `label_window`, `revision_window` and `grace`, with their costs.
    """

    lines: int
    questions: str
    asks: frozenset[str]
    findings: tuple[Finding, ...]
    delays: Delays
    windows: tuple[Window, ...]

    @property
    def status(self) -> Status:
        """The worst status of all rules."""
        found = {finding.status for finding in self.findings}
        return FAIL if FAIL in found else WARN if WARN in found else PASS


def validate(lines: Lines, settings: Settings, now: int) -> Validation:
    """Check a log against every rule, and measure its delays.

    The log is read as one partition. A fault that one rule finds is left out or mended before the
    next rule looks, so that one fault fails one rule: unreadable lines, events after now and copies
        are
    dropped, the times of a shifted kind of event are shifted back, and disorder of up to a day is
    waited for.

    Memory grows with the number of items, shoppers, days of each category, repeated ids and
    questions of four revision windows, but not with the length of the log.

    Args:
        lines: called to read the log from its beginning, twice, or more often if times are shifted.
        settings: settings of the join; if `questions` is `auto`, the log decides which events are
            questions.
        now: current time, in milliseconds since 1970, UTC; later events are faults.

    Raises:
        LogError: if the log cannot be read at all.

    Example:
        >>> from mainstem.events import View, encode
        >>> view = View(event_id="e", user_id="u", event_timestamp=1_700_000_000_000, item_id="cup")
        >>> found = validate(lambda: [encode(view)], Settings(), now=1_700_000_000_000)
        >>> [finding.rule for finding in found.findings if finding.status != "PASS"]
        ['items']
    """
    zones = Zones()
    first = _First(lines, settings, now, {})
    if shifts := first.arrivals.shifts():
        zones.add(shifts, first.arrivals.examples)
        first = _First(lines, settings, now, zones.shifts)
    settled = settings
    if settings.join.questions == "auto":
        settled = settings.but({"join.questions": first.survey.questions})
    second = _Second(lines, settled, now, first, zones.shifts)
    if not shifts and (shifts := second.matches.shifts()):
        # subtle: the log is in the order of its wrong times, so mending them puts it out of order;
        # the second reading waits for that, so that `disorder` does not fail, too
        zones.add(shifts, second.matches.examples)
        second = _Second(lines, settled, now, first, zones.shifts)
    return Validation(
        lines=first.reader.lines,
        questions=settled.join.questions,
        asks=first.survey.asks | ({"labelled"} if first.reader.labels else set()),
        findings=(
            *first.findings()[:4],
            zones.finding(),
            *first.findings()[4:],
            *second.findings(),
        ),
        delays=second.delays,
        windows=(*second.delays.windows(), grace_window(first.disorder.spread, settings.join)),
    )


class _Rule(Protocol):
    def finding(self) -> Finding: ...


class _First:
    """The first reading: rules on single lines and events, and the catalogue."""

    def __init__(
        self, lines: Lines, settings: Settings, now: int, shifts: Mapping[str, int]
    ) -> None:
        self.reader = Reader(settings.objectives, now, shifts)
        self.arrivals, self.survey = Arrivals(), Survey()
        self.disorder, self.days, self.ids = Disorder(settings.join), Days(), Filter()
        self.positions, self.rates = Positions(), Rates()
        for offset, raw, event in self.reader.read(lines()):
            self._take(offset, raw, event)
        self.reader.fields.classes = unknown_classes(self.reader.labels, settings.objectives)
        self.catalogue = Catalogue()
        for item in self.reader.items:
            self.catalogue.add(item)

    def _take(self, offset: int, raw: bytes, event: Any) -> None:
        time = event.event_timestamp
        self.survey.note(event, raw)
        if isinstance(event, Tick):
            self.disorder.note(offset, None, time)
            return
        if not self.ids.note(event.event_id):  # a copy is late, but not out of order
            self.disorder.note(offset, event.event_id, time)
        self.days.note(offset, event.event_id, time)
        self.arrivals.note(offset, kind_of(event), event.event_id, time)
        self.positions.note(offset, event)
        self.rates.note(offset, event)

    def findings(self) -> list[Finding]:
        """Return the verdicts, those of the reader's four rules first."""
        reader = self.reader
        of_reader: list[_Rule] = [reader.encoding, reader.fields, reader.future, reader.unit]
        own: list[_Rule] = [self.disorder, self.days, self.positions, self.rates]
        return [rule.finding() for rule in (*of_reader, *own)]


class _Second:
    """The second reading: rules on the join of the events."""

    def __init__(
        self, lines: Lines, settings: Settings, now: int, first: _First, shifts: Mapping[str, int]
    ) -> None:
        self._catalogue = first.catalogue
        self.matches, self.delays = Matches(), Delays(settings.join)
        self.repeats = Repeats(settings.join, first.ids.repeating)
        self.orphans, self.items = Orphans(settings), Items()
        self.positives, self.jumps = Positives(settings), Jumps()
        lateness = min(first.disorder.spread.largest, LONGEST_GRACE)
        lateness += max(map(abs, shifts.values()), default=0)
        follower = Follower(settings, first.catalogue, lateness)
        for offset, _, event in Reader(settings.objectives, now, shifts).read(lines()):
            if isinstance(event, Tick) or not self.repeats.drops(offset, event):
                self._note(follower.step(offset, event))
        self._note(follower.finish())

    def _note(self, happened: Iterable[Happened]) -> None:
        for one in happened:
            match one:
                case Asked(event):
                    self.matches.asked(event)
                case Answered(offset, event, delay):
                    self.matches.answered(offset, event, delay)
                    self.delays.note(kind_of(event), delay)
                    self.orphans.answered(one)
                case Orphaned(offset, event, _):
                    self.matches.orphaned(offset, event)
                    self.orphans.orphaned(one)
                case Closed():
                    known = (self._catalogue.as_of(item, _EVER) for item in one.unknown)
                    self.items.closed(one, sum(item is not None for item in known))
                    self.positives.closed(one)
                    self.jumps.closed(one)

    def findings(self) -> list[Finding]:
        """Return the verdicts."""
        return [
            self.repeats.finding(),
            self.orphans.finding(),
            self.items.finding(len(self._catalogue)),
            self.positives.finding(),
            self.jumps.finding(),
        ]


_EVER = 1 << 62
