"""What a person sees of a replay: progress, each round when it ends, and a report at the end."""

import sys
import time
from pathlib import Path
from typing import IO, Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from mainstem.cli.ending import ending_of
from mainstem.cli.lines import WORDS, wrapped
from mainstem.join import imbalance
from mainstem.learning import Round
from mainstem.loop import Loop
from mainstem.models.choices import told
from mainstem.printable import printable
from mainstem.validate.lacking import unknown_classes

__all__ = ["Screen"]

_QUIET_SECONDS: Final = 10.0  # between two lines of progress, without a terminal
_PLAN: Final = (
    "Events of the log become samples. Each is scored by how far it would move the model, and "
    "judged: is it worth learning from? Every so often a round draws samples, fine-tunes a copy "
    "of the newest version on them, and promotes the copy if it ranks the gate samples no worse "
    "(AUC; .5 is chance)."
)


class Screen:
    """A watcher of the loop that writes for people.

    Args:
        to: the stream for the text. If it is a terminal, the progress bar is drawn there too, else
            on stderr.
    """

    def __init__(self, to: IO[str]) -> None:
        self._console = Console(file=to, highlight=False, soft_wrap=True, markup=False, emoji=False)
        self._started = time.monotonic()
        self._told = 0.0
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,}/{task.total:,} lines read"),
            TimeElapsedColumn(),
            # subtle: on one terminal bar and text share a console, or they overwrite each other
            console=self._console if to.isatty() else Console(stderr=True),
            transient=True,
            disable=not (to.isatty() or sys.stderr.isatty()),
        )
        self._task: Any = None

    def begin(self, log: str, home: Path, threads: int) -> None:
        """Say what is replayed where; nothing is read yet."""
        using = f"{threads} thread{'s' * (threads > 1)}"
        where = f"{printable(Path(log).name)} into {printable(str(home))}"
        self._say(wrapped(f"replaying {where} with {using}", first=""))

    def opened(self, loop: Loop) -> None:
        """Say what is going to happen, and warn of labels that no setting names.

        A log or a home that is refused gets no such words: its error is one line.
        """
        self._say(wrapped(f"It computes {told(loop.settings)}."))
        self._say(wrapped(_PLAN))
        self._say(f"  What each word means: {WORDS}")
        if unknown := unknown_classes(loop.surveyed.labels, loop.settings.objectives):
            self._say(wrapped(unknown))

    def block_done(self, loop: Loop, line: int) -> None:
        """Show how much of the log is done."""
        if self._task is None:
            self._say_ledger_of(loop, line)
            self._progress.start()
            self._task = self._progress.add_task("replay", total=loop.surveyed.lines)
        self._progress.update(self._task, completed=line, description=f"{loop.samples:,} samples")
        elapsed = time.monotonic() - self._started
        if self._progress.disable and (elapsed - self._told > _QUIET_SECONDS):
            self._told = elapsed
            print(self._so_far(loop, line), file=sys.stderr)
        if line >= loop.surveyed.lines:
            self._progress.stop()

    def round_done(self, done: Round) -> None:
        """Say what a round drew, and whether its version was promoted and why."""
        drawn = (
            f"{len(done.drawn):,} samples drawn uniformly"
            if done.cold
            else f"{done.drawn_core:,} samples of core, {done.drawn_edge:,} of edge"
        )
        spent = len(done.drawn) - done.drawn_core - done.drawn_edge
        drawn += f", {spent:,} spent" if spent > 0 and not done.cold else ""
        promoted = "promoted" if done.decision.promoted else "not promoted"
        trained = f"fine-tuned version {done.parent} on {drawn}"
        self._say(f"{self._clock()}round {done.version}: {trained}")
        self._say(_beneath(f"version {done.version} {promoted}: {done.decision.reason}"))

    def end(self, loop: Loop, report: dict[str, Any]) -> None:
        """The report, in words."""
        self._progress.stop()
        for line in ending_of(loop, report, time.monotonic() - self._started):
            self._say(line)

    def _say(self, text: str = "") -> None:
        self._console.print("\n".join(map(printable, text.split("\n"))))

    def _clock(self) -> str:
        return f"{time.monotonic() - self._started:5.0f} s  "

    def _so_far(self, loop: Loop, line: int) -> str:
        lines = loop.surveyed.lines
        read = f"{line / max(lines, 1):.0%} of the log read ({line:,} of {lines:,} lines)"
        return f"{self._clock()}{read}, {loop.samples:,} samples so far"

    def _say_ledger_of(self, loop: Loop, line: int) -> None:
        """Say after the first block that events arrive, and that the ledger balances."""
        rows = loop.ledger_now
        events, out = sum(row.next_offset for row in rows), sum(imbalance(row) for row in rows)
        self._told = time.monotonic() - self._started
        self._say(self._so_far(loop, line))
        state = "in balance" if not out else f"OUT BY {out:,}"
        self._say(
            _beneath(f"the ledger accounts for each of {events:,} events of shoppers: {state}")
        )


def _beneath(text: str) -> str:
    """Lines beneath one that begins with the time."""
    return wrapped(text, first=" " * 9, rest=" " * 9)
