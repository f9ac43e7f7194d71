"""What a person sees at the end of a replay, from the rounds to what to do next."""

from collections.abc import Iterator
from shlex import quote
from typing import Any

from mainstem.cli.ending_ledger import ledger_told
from mainstem.cli.ending_rounds import quality, rounds
from mainstem.cli.ending_sets import first_to_explain, samples, sets
from mainstem.cli.lines import WORDS, points, program, wrapped
from mainstem.loop import Loop
from mainstem.store.suggestions import IMPORTANT_ITEMS, IMPORTANT_TEXTS
from mainstem.store.telling import items_asked

__all__ = ["ending_of"]


def ending_of(loop: Loop, report: dict[str, Any], seconds: float) -> Iterator[str]:
    """The report of a loop that has run to its end, line by line, in words.

    Args:
        loop: the loop, whose history is still open.
        report: what `answers.report.report_of` gave.
        seconds: how long the replay took.
    """
    yield from rounds(loop, report)
    yield from quality(report)
    yield from sets(loop, report)
    yield from _planted(report)
    yield from samples(loop)
    yield from ledger_told(loop, report)
    yield from _hashes(report, seconds)
    if report["samples"]:
        yield from _next(loop, report["home"])


def _planted(report: dict[str, Any]) -> Iterator[str]:
    if "planted" not in report:
        return
    planted = report["planted"]
    rank = (
        "cannot rank them"
        if planted["auroc"] is None
        else f"ranks them above sound labels with an AUROC of {points(planted['auroc'])}"
    )
    yield f"\nplanted errors: {planted['n']:,} labels were turned wrong on purpose"
    yield wrapped(
        f"The evidence {rank} (.5 is chance, 1 is perfect). {planted['called']:,} samples are "
        f"called contradictory, {planted['false']:,} of them sound."
    )


def _hashes(report: dict[str, Any], seconds: float) -> Iterator[str]:
    yield f"\n{report['samples']:,} samples in {seconds:,.0f} s"
    yield f"  hash         {report['hash']}"
    yield f"  counts_hash  {report['counts_hash']}"
    yield f"  set_hash     {report['set_hash']}"
    yield wrapped(
        "`hash` covers samples, labels and ledger, and `counts_hash` the hourly counts: the same "
        "log and settings give the same ones everywhere. `set_hash` covers the standings too, and "
        "repeats on this machine with as many threads."
    )
    if report["uncounted"]:
        yield wrapped(
            f"{report['uncounted']:,} events came after their hour was closed; no count has them."
        )


def _next(loop: Loop, home: str) -> Iterator[str]:
    of_home = f"--home {quote(home)}"
    yield "\nwhat to do next"
    if sample_id := first_to_explain(loop):
        yield "  see why a sample stands where it stands, with its visits and verdicts:"
        yield f"    {program()} explain {sample_id} {of_home}"
    if items_asked(loop.store):
        what, query = "which items would move the model most", IMPORTANT_ITEMS
    else:
        what, query = "which texts would move the model most", IMPORTANT_TEXTS
    yield f"  ask the history in SQL, here {what}:"
    yield f'    {program()} sql "{query}" {of_home}'
    yield "  replay a log of your own: docs/your-own-log.md"
    yield "  add labels that you vouch for, to find wrong ones: docs/trusted-samples.md"
    yield f"  read what each word on this screen means: {WORDS}"
