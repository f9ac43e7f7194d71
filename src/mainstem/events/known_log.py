"""What a home knows of its log, to refuse another log and to append the next file of a rotated one.

A log consists of one file or several in order. The home remembers a few marks of what it has read:
where files meet, after 1, 2, 4, 8, ... lines, and before the last line, which may have been
half-written. The marks recognize a log that has grown, and show where another log differs.

The next file is joined without the files before it: the home keeps their survey, and their lines
since its checkpoint.
"""

from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any, Final

from msgspec import Struct

from mainstem.errors import HomeError
from mainstem.events import Refusal, decode
from mainstem.events.marks import BEGIN, LastLine, Mark, last_line
from mainstem.events.survey import KeptSurvey, Survey, belongs_to_items

__all__ = ["NOTHING", "KnownLog", "OpenedLog", "Past", "next_file", "same_log"]

Lines = Callable[[], Iterator[bytes]]
_NO_FURTHER: Final = "give another --home, or --from-start to forget what it holds"


class Past(Struct, frozen=True, kw_only=True):
    """What a home keeps of files to go on without them.

    Attributes:
        mark: mark after all their lines.
        survey: survey of all their lines.
        lines: their last lines, which no checkpoint contained when this was kept.
    """

    mark: Mark
    survey: KeptSurvey
    lines: list[bytes]

    @property
    def first(self) -> int:
        """The number of the first line in `lines`, counted from 0 over the whole log."""
        return self.mark.lines - len(self.lines)


NOTHING: Final = Past(mark=BEGIN, survey=Survey().kept(), lines=[])


class KnownLog(Struct, frozen=True, kw_only=True):
    """What a home remembers of the log that it has read.

    Attributes:
        past: what is kept of the files before the newest.
        files: the mark at the beginning of each file.
        marks: further marks, in order; the last stands before the last line.
        last: the last line.
    """

    past: Past
    files: list[Mark]
    marks: list[Mark]
    last: LastLine

    @property
    def lines(self) -> int:
        """The number of lines that were read."""
        return self.marks[-1].lines + 1


class OpenedLog(Struct, frozen=True, kw_only=True):
    """A log that was read once and is about to be replayed.

    Attributes:
        survey: survey of the whole log.
        known: what the home will remember of it.
        end: mark after its last line.
        lines: returns its lines from a number on, counted from 0.
    """

    survey: Survey
    known: KnownLog
    end: Mark
    lines: Callable[[int], Iterator[bytes]]

    def past(self, lines: list[bytes]) -> Past:
        """Return what to keep of this log for its next file.

        `lines` are the lines after the checkpoint.
        """
        return Past(mark=self.end, survey=self.survey.kept(), lines=lines)


class _DiffersError(Exception):
    """The lines differ from those that were read before; the message says where."""


def same_log(lines: Lines, name: str, known: KnownLog | None) -> OpenedLog:
    """Read a whole log from its beginning.

    Args:
        lines: returns the lines from the first on; called more than once.
        name: the log's name in messages.
        known: what the home has read before; None to accept any log.

    Raises:
        HomeError: if the log does not begin with what was read before.
    """
    past, files = (known.past, known.files) if known else (NOTHING, [BEGIN])
    try:
        return _opened(lines, NOTHING, past, files, known)
    except _DiffersError as differs:
        if known and len(known.files) > 1 and _begins(lines, known.past.mark, known):
            msg = (
                f"{name!r} is the newest file of the log that this home has read; "
                "--append goes on with it"
            )
        else:
            msg = (
                f"{name!r} is not the log that this home has read so far ({differs}); "
                f"{_NO_FURTHER}; --append takes the next file of a rotated log"
            )
        raise HomeError(msg) from None


def next_file(lines: Lines, name: str, known: KnownLog, past: Past | None, grace: int) -> OpenedLog:
    """Read the next file of a rotated log.

    The file may also be the newest file again, which may have grown, or the whole log.

    Args:
        lines: returns the lines of the file from the first on; called more than once.
        name: the file's name in messages.
        known: what the home has read before.
        past: what the home keeps of all that; None if it was never replayed to its end.
        grace: by how much events may be out of order, in milliseconds.

    Raises:
        HomeError: if an older file is given again, or the events are older than those read before,
            or the log so far was not replayed to its end.
    """
    if _begins(lines, BEGIN, known):
        return same_log(lines, name, known)
    if _begins(lines, known.past.mark, known):
        return _opened(lines, known.past, known.past, known.files, known)
    if any(_goes_from(lines, *two) for two in zip(known.files, known.files[1:], strict=False)):
        msg = (
            f"{name!r} was read before, and other files since; "
            "give the next file, or the whole log without --append"
        )
        raise HomeError(msg)
    if past is None or past.mark.lines != known.lines:
        msg = (
            "the log so far was not replayed to its end; "
            "replay it again as before, then --append the next file"
        )
        raise HomeError(msg)
    _check_order(lines, name, past.survey.newest - grace)
    return _opened(lines, past, past, [*known.files, past.mark], None)


def _opened(
    lines: Lines, before: Past, past: Past, files: list[Mark], known: KnownLog | None
) -> OpenedLog:
    """Read lines that come after `before`, and compare them with what is known."""
    survey, behind, marks = Survey.of(before.survey), before.mark, list[Mark]()
    raw: bytes = b""
    event: Any = None
    for raw, event, mark in _with_marks(lines(), before.mark, known):
        survey.note(event, raw)
        count, behind = mark.lines - before.mark.lines, mark
        if count & (count - 1) == 0:
            marks.append(mark)
    if behind not in marks:
        marks.append(behind)
    end = behind.after(raw, event)

    def rest(line: int) -> Iterator[bytes]:
        if line < before.first:
            msg = (
                "this home does not keep the lines that it needs to go on with one file; "
                "give the whole log, without --append"
            )
            raise HomeError(msg)
        of_file = islice(lines(), max(line - before.mark.lines, 0), None)
        return islice(chain(before.lines[line - before.first :], of_file), end.lines - line)

    newly = KnownLog(past=past, files=files, marks=marks, last=last_line(raw, event))
    return OpenedLog(survey=survey, known=newly, end=end, lines=rest)


def _with_marks(
    lines: Iterator[bytes], begin: Mark, known: KnownLog | None
) -> Iterator[tuple[bytes, Any, Mark]]:
    """Yield each line with its event and the mark before it.

    Raises:
        _DiffersError: at the first place where the lines are seen to differ from what is known.
    """
    wanted = {mark.lines: mark for mark in [*known.files, *known.marks]} if known else {}
    lines_known, mark, good, number = (known.lines if known else 0), begin, begin.lines, 0
    for raw in lines:
        event = decode(raw)
        if mark.lines in wanted and not mark.agrees(wanted[mark.lines]) and number:
            first = good - begin.lines + 1
            where = f"in line {number}" if first == number else f"within lines {first} to {number}"
            msg = f"it differs {where}"
            raise _DiffersError(msg)
        if mark.lines in wanted:
            good = mark.lines
        if known and mark.lines + 1 == lines_known and not known.last.begins(raw, event):
            msg = f"it differs in line {number + 1}"
            raise _DiffersError(msg)
        yield raw, event, mark
        mark, number = mark.after(raw, event), number + 1
    if mark.lines < lines_known:
        msg = f"it has {number} lines, but {lines_known - begin.lines} were read"
        raise _DiffersError(msg)


def _begins(lines: Lines, begin: Mark, known: KnownLog) -> bool:
    """Whether lines begin with all that was read after a mark."""
    try:
        for _ in _with_marks(islice(lines(), known.lines - begin.lines), begin, known):
            pass
    except _DiffersError:
        return False
    return True


def _goes_from(lines: Lines, begin: Mark, end: Mark) -> bool:
    """Whether lines begin with the lines between two marks."""
    mark = begin
    for raw in islice(lines(), end.lines - begin.lines):
        mark = mark.after(raw, decode(raw))
    return mark.agrees(end)


def _check_order(lines: Lines, name: str, oldest: int) -> None:
    count = older = 0
    for raw in lines():
        event = decode(raw)
        if not isinstance(event, Refusal) and not belongs_to_items(event, raw):
            count += 1
            older += event.event_timestamp < oldest
    if older:
        msg = (
            f"{name!r} is not the next file of this log: {older:,} of its {count:,} events are "
            "older than those read before; "
            "append the oldest file first, or give a whole log without --append"
        )
        raise HomeError(msg)
