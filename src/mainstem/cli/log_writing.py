"""Writing a log, and reporting what is in it and what was left out: for all `mainstem import`."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from mainstem.cli.whole_files import open_whole
from mainstem.errors import ImportSourceError
from mainstem.printable import number_of, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mainstem.events import Event
    from mainstem.importers.notes import Notes

__all__ = ["EncodingOption", "LinesOption", "OutputOption", "SortOption", "write_log"]

_GRACE: Final = 600_000  # milliseconds, the default of the setting `grace`
_REASONS: Final = 20  # reasons that are reported one by one
# milliseconds of a year; a time in a wrong unit or form falls into the first year since 1970
_YEAR: Final = 366 * 24 * 3_600_000
_FAR: Final = 2 * _YEAR  # later than today by this, a time is reported as probably wrong

OutputOption: TypeAlias = Annotated[
    Path,
    typer.Option(
        "-o", "--output", help="The log to write: gzip if it ends in .gz, stdout if it is -."
    ),
]
SortOption: TypeAlias = Annotated[
    bool,
    typer.Option("--sort", help="Sort the rows by time first; this holds them all in memory."),
]
LinesOption: TypeAlias = Annotated[
    int | None, typer.Option(min=1, help="Stop after this many events other than items.")
]
EncodingOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--encoding",
        help="Encoding of the text, like cp1252; by default it is detected and reported.",
    ),
]


@dataclass
class _Written:
    """Counts of the events written so far."""

    kinds: Counter[str] = field(default_factory=Counter)
    newest: int = 0
    back: int = 0
    of_1970: int = 0
    far: int = 0
    asked: int = 0

    def note(self, event: "Event", now: int) -> None:
        kind = type(event).__name__.lower()
        self.kinds[kind] += 1
        self.back += event.event_timestamp < self.newest - _GRACE
        self.newest = max(self.newest, event.event_timestamp)
        self.of_1970 += event.event_timestamp < _YEAR
        self.far += event.event_timestamp > now + _FAR
        self.asked += kind != "item"


def write_log(
    source: Path,
    events: "Iterable[Event]",
    left_out: Counter[str],
    output: Path,
    lines: int | None = None,
    *,
    notes: "Notes | None" = None,
    beside: Sequence[Path] = (),
    can_sort: bool = True,
    only_items: bool = False,
) -> None:
    """Write the events that a replay accepts, and report on stderr what was written and left out.

    Args:
        source: the file that the events come from.
        events: the events made from it.
        left_out: how many rows were left out for which reason; grows while `events` is read.
        output: path of the log to write.
        lines: how many events other than items to write at most; None writes all.
        notes: remarks about the source that are printed too.
        beside: other files that are read, so that the log must not overwrite them.
        only_items: whether the source is expected to hold nothing but items.
        can_sort: whether the command has the option `--sort`.

    Raises:
        ImportSourceError: if no event was made, or the log cannot be written.
    """
    from mainstem.cli.tables import working  # rich is slow to import
    from mainstem.events import encode
    from mainstem.importers.making import accepted

    written, now = _Written(), int(time.time() * 1000)
    with working(f"reading {source.name}"), open_whole(output, (source, *beside)) as log:
        try:
            for event in accepted(events, left_out):
                log.write(encode(event) + b"\n")
                written.note(event, now)
                if lines and written.asked == lines:
                    break
        except ImportSourceError:
            _tell_notes(notes)  # they help to understand the error
            raise
        _refuse_empty(source, written, left_out, notes, only_items=only_items)
        _tell(written, left_out, output, notes)
    if written.back:
        order = "--sort puts them in order" if can_sort else "sort the source by its time first"
        late = f"{written.back:,} events come more than ten minutes after a later one"
        print(f"  {late}; {order}", file=sys.stderr)


def _refuse_empty(
    source: Path,
    written: _Written,
    left_out: Counter[str],
    notes: "Notes | None",
    *,
    only_items: bool,
) -> None:
    if written.asked or (written.kinds and only_items):
        return
    _tell_left_out(left_out, notes)
    _tell_notes(notes)
    why = "the reasons are above" if left_out else "it has none"
    what = "became an event other than an item" if written.kinds else "became an event"
    msg = f"no row of {str(source)!r} {what}{'; ' if left_out else ': '}{why}"
    raise ImportSourceError(msg)


def _tell(written: _Written, left_out: Counter[str], output: Path, notes: "Notes | None") -> None:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(written.kinds.items())) or "no"
    print(f"wrote {kinds} events to {printable(str(output))}", file=sys.stderr)
    _tell_left_out(left_out, notes)
    _tell_notes(notes)
    if written.of_1970:
        what = "is the time's form right, and its unit (s, ms, us, ns)?"
        print(f"  {written.of_1970:,} events lie in 1970; {what}", file=sys.stderr)
    if written.far:
        far = f"{written.far:,} events lie more than two years ahead"
        print(f"  {far}; is the time's form right?", file=sys.stderr)


def _tell_notes(notes: "Notes | None") -> None:
    for sentence in notes.sentences if notes else ():
        print(f"  {printable(sentence)}", file=sys.stderr)


def _tell_left_out(left_out: Counter[str], notes: "Notes | None") -> None:
    rows = notes.rows if notes else {}
    for reason, count in left_out.most_common(_REASONS):
        print(f"  left out {number_of(count, 'row')}: {printable(reason)}", file=sys.stderr)
        for row in rows.get(reason, ()):
            print(f"    {printable(row)}", file=sys.stderr)
    if others := sum(left_out.values()) - sum(count for _, count in left_out.most_common(_REASONS)):
        reasons = number_of(len(left_out) - _REASONS, "other reason")
        print(f"  left out {number_of(others, 'row')} for {reasons}", file=sys.stderr)
