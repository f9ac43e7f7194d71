"""What a person sees of a replay: progress, rounds as they end, and at the end what came of it."""

import shutil
import sys
import time
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from mainstem.join import imbalance
from mainstem.learning import Round
from mainstem.loop import Loop
from mainstem.standing import CORE, REASONS

__all__ = ["Screen"]

_EACH: Final = 2  # samples shown in words
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
        self._say(f"replaying {Path(log).name} into {home} with {threads} thread{'s' * (threads > 1)}")

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
            print(f"{elapsed:5.0f} s  {line:,} of {loop.surveyed.lines:,} lines, {loop.samples:,} samples", file=sys.stderr)
        if line >= loop.surveyed.lines:
            self._progress.stop()

    def round_done(self, done: Round) -> None:
        """One line a round."""
        promoted = f"version {done.version} promoted" if done.decision.promoted else "not promoted"
        drawn = f"drew {len(done.drawn):,} {'uniformly' if done.cold else 'from core and edge'}"
        elapsed = time.monotonic() - self._started
        self._say(f"{elapsed:5.0f} s  round {done.version}: {drawn}; {promoted}: {done.decision.reason}")

    def end(self, loop: Loop, report: dict[str, Any]) -> None:
        """The report, in words."""
        self._progress.stop()
        self._say_quality(report)
        self._say_sets(loop, report)
        self._say_planted(report)
        self._say_samples(loop)
        self._say_ledger(report)

    def _say(self, text: str = "") -> None:
        self._console.print(text)

    def _say_quality(self, report: dict[str, Any]) -> None:
        self._say("\nAUC on the last part of the log, never trained on")
        versions = [f"version {one['version']} {_points(one['auc_later'])}" for one in report["versions"]]
        self._say(f"  {', '.join(versions)}")
        plain = [f"{name.replace('_', ' ')} {_points(auc)}" for name, auc in report["baselines"].items()]
        if plain:
            self._say(f"  without a model: {', '.join(plain)}")

    def _say_sets(self, loop: Loop, report: dict[str, Any]) -> None:
        verdicts = sorted({judged.verdict for judged in loop.judged.values()} - {"given"})
        sets = ", ".join(f"{name} {count:,}" for name, count in report["sets"].items())
        self._say(f"\nsets  {sets}")
        for verdict in verdicts:
            self._say(f"  nothing can be called contradictory: {verdict}")

    def _say_planted(self, report: dict[str, Any]) -> None:
        if "planted" in report:
            planted = report["planted"]
            self._say(
                f"\nplanted errors  {planted['n']:,} labels turned wrong; the evidence ranks them at AUROC "
                f"{_points(planted['auroc'])}; {planted['called']:,} samples called contradictory, "
                f"{planted['false']:,} of them sound"
            )

    def _say_samples(self, loop: Loop) -> None:
        """Two core samples and two doubtful ones, with their evidence."""
        for title, rows in (("core, most important", self._core(loop)), ("doubtful, most so", self._doubtful(loop))):
            self._say(f"\n{title}")
            for sample_id, words, evidence in rows:
                self._say(f"  {words}\n    {evidence}\n    {_program()} history {sample_id} --home {_short(loop.home)}")

    def _core(self, loop: Loop) -> list[tuple[str, str, str]]:
        return self._described(loop, lambda columns, judged: np.where(judged.standing == CORE, columns["importance"], -1))

    def _doubtful(self, loop: Loop) -> list[tuple[str, str, str]]:
        return self._described(loop, lambda _, judged: np.nan_to_num(judged.evidence, nan=-1))

    def _described(self, loop: Loop, score: Any) -> list[tuple[str, str, str]]:
        ranked = [
            (float(value), partition, row)
            for partition, judged in loop.judged.items()
            for row, value in enumerate(score(loop.worker.columns[partition], judged))
            if value >= 0
        ]
        return [self._in_words(loop, partition, row) for _, partition, row in sorted(ranked, reverse=True)[:_EACH]]

    def _in_words(self, loop: Loop, partition: int, row: int) -> tuple[str, str, str]:
        columns, judged = loop.worker.columns[partition], loop.judged[partition]
        sample_id = str(columns.id_of(row))
        sql = "SELECT context_text, item_text, label, source FROM samples_now WHERE sample_id = {sample_id:UUID}"
        ((context, item, label, source),) = loop.store.rows(sql, sample_id=sample_id)
        texts = (
            f"{item!r} after {context!r}" if source != "labelled" else f"{context!r}" + (f" and {item!r}" if item else "")
        )
        words = f"{loop.settings.class_names[label]} ({source}): {texts}"
        p_value = "none" if np.isnan(judged.p_value[row]) else f"{judged.p_value[row]:.3f}"
        evidence = (
            f"{columns['visits'][row]} visits, importance {columns['importance'][row]:.2f} of a canary's, "
            f"running margin {columns['margin'][row]:+.2f}, p-value {p_value}, reason {REASONS[judged.reason[row]]}"
        )
        return sample_id, words, evidence

    def _say_ledger_of(self, loop: Loop, line: int) -> None:
        """The first thing to see: that something arrives, and that it adds up."""
        rows, elapsed = loop.ledger_now, time.monotonic() - self._started
        events, out = sum(row.next_offset for row in rows), sum(imbalance(row) for row in rows)
        state = "in balance" if not out else f"OUT BY {out}"
        self._told = elapsed
        self._say(f"{elapsed:5.0f} s  {line:,} lines read: {loop.samples:,} samples, ledger of {events:,} events {state}")

    def _say_ledger(self, report: dict[str, Any]) -> None:
        ledger = report["ledger"]
        counts = ", ".join(f"{name} {count:,}" for name, count in ledger.items() if count and name != "balance")
        state = "in balance" if not ledger["balance"] else f"OUT BY {ledger['balance']:,}"
        home = report["home"]
        self._say(f"\nledger {state}: {counts}")
        self._say(f"{report['samples']:,} samples in {time.monotonic() - self._started:.0f} s, hash {report['hash']}")
        query = "SELECT item_id, importance FROM importance_of_item ORDER BY importance DESC LIMIT 5"
        self._say(f'\nthe history lies in {Path(home) / "history"}; ask it:\n  {_program()} sql "{query}" --home {home}')


def _program() -> str:
    """What to type for `mainstem` here: its path, where it is not among the shell's commands."""
    return "mainstem" if shutil.which("mainstem") else sys.argv[0]


def _points(value: float | None) -> str:
    """A figure between 0 and 1, without its leading zero."""
    return "-" if value is None else f"{value:.3f}".removeprefix("0")


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
