"""What a person sees of a replay: progress, rounds as they end, and at the end what came of it."""

import sys
import time
from pathlib import Path
from typing import IO, Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from mainstem.cli.ending import ending_of
from mainstem.join import imbalance
from mainstem.learning import Round
from mainstem.loop import Loop
from mainstem.printable import printable
from mainstem.validate.lacking import unknown_classes

__all__ = ["Screen"]

_QUIET_SECONDS: Final = 10.0  # between two lines of progress where there is no terminal


class Screen:
    """A watcher of the loop that talks to people.

    Args:
        to: where it talks. The bar goes there too where that is a terminal, else to stderr.
    """

    def __init__(self, to: IO[str]) -> None:
        self._console = Console(file=to, highlight=False, soft_wrap=True, markup=False, emoji=False)
        self._started = time.monotonic()
        self._told = 0.0
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,}/{task.total:,} lines"),
            TimeElapsedColumn(),
            # subtle: on one terminal the bar and the talk must share a console, or they write over each other
            console=self._console if to.isatty() else Console(stderr=True),
            transient=True,
            disable=not (to.isatty() or sys.stderr.isatty()),
        )
        self._task: Any = None

    def begin(self, log: str, home: Path, threads: int) -> None:
        """Before the log is read."""
        self._say(
            f"replaying {printable(Path(log).name)} into {printable(str(home))} with {threads} thread{'s' * (threads > 1)}"
        )

    def opened(self, loop: Loop) -> None:
        """The log is read once; nothing is replayed yet."""
        if unknown := unknown_classes(loop.surveyed.labels, loop.settings.objectives):
            self._say(unknown)

    def block_done(self, loop: Loop, line: int) -> None:
        """Progress."""
        if self._task is None:
            self._say_ledger_of(loop, line)
            self._progress.start()
            self._task = self._progress.add_task("replay", total=loop.surveyed.lines)
        self._progress.update(self._task, completed=line, description=f"{loop.samples:,} samples")
        elapsed = time.monotonic() - self._started
        if self._progress.disable and (elapsed - self._told > _QUIET_SECONDS):
            self._told = elapsed
            print(
                f"{elapsed:5.0f} s  {line:,} of {loop.surveyed.lines:,} lines, {loop.samples:,} samples",
                file=sys.stderr,
            )
        if line >= loop.surveyed.lines:
            self._progress.stop()

    def round_done(self, done: Round) -> None:
        """One line a round."""
        promoted = f"version {done.version} promoted" if done.decision.promoted else "not promoted"
        drawn = f"drew {len(done.drawn):,} {'uniformly' if done.cold else 'from core and edge'}"
        elapsed = time.monotonic() - self._started
        self._say(
            f"{elapsed:5.0f} s  round {done.version}: {drawn}; {promoted}: {done.decision.reason}"
        )

    def end(self, loop: Loop, report: dict[str, Any]) -> None:
        """The report, in words."""
        self._progress.stop()
        for line in ending_of(loop, report, time.monotonic() - self._started):
            self._say(line)

    def _say(self, text: str = "") -> None:
        self._console.print("\n".join(map(printable, text.split("\n"))))

    def _say_ledger_of(self, loop: Loop, line: int) -> None:
        """The first thing to see: that something arrives, and that it adds up."""
        rows, elapsed = loop.ledger_now, time.monotonic() - self._started
        events, out = sum(row.next_offset for row in rows), sum(imbalance(row) for row in rows)
        state = "in balance" if not out else f"OUT BY {out}"
        self._told = elapsed
        self._say(
            f"{elapsed:5.0f} s  {line:,} lines read: {loop.samples:,} samples, ledger of {events:,} events {state}"
        )
