"""The end of a replay for people: the sums of the ledger."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mainstem.cli.lines import wrapped
from mainstem.loop import Loop
from mainstem.printable import printable
from mainstem.store.telling import refusals

__all__ = ["ledger_told"]

_REASONS: Final = 3  # why lines were refused, the most frequent first
_READ: Final = {
    "question": "questions",
    "outcome": "outcomes",
    "accepted": "items",
    "context": "context (searches, and views of shown items)",
    "duplicate": "duplicates",
    "late": "too late",
    "rejected": "refused",
    "tick": "ticks",
    "control": "control records",
}
_QUESTION: Final = {
    "answered": "answered",
    "expired": "expired without an outcome",
    "open": "still open",
}
_OUTCOME: Final = {
    "joined": "joined (they made a first label)",
    "revised": "revised (they came after a first label)",
    "orphaned": "orphaned (they answer no question)",
    "parked": "parked (their time has not come)",
}


def ledger_told(loop: Loop, report: dict[str, Any]) -> Iterator[str]:
    """Lines with the three sums of the ledger, and why lines were refused."""
    ledger = report["ledger"]
    if ledger["balance"]:
        yield f"\nledger OUT BY {ledger['balance']:,}: events were lost or counted twice"
    else:
        yield "\nledger in balance: every line of the log is counted once"
    yield from _sums(ledger)
    if unknown := ledger["unknown_item"]:
        one = unknown == 1
        who = "1 item of a question is" if one else f"{unknown:,} items of questions are"
        what = f"no item event describes {'it' if one else 'them'} (beside the sums)"
        yield wrapped(f"{who} unknown: {what}")
    for reason, path, times in refusals(loop.store, _REASONS):
        yield wrapped(f"refused {times:,} x {printable(reason)} at {printable(path)}")


def _sums(ledger: Mapping[str, int]) -> Iterator[str]:
    lines = sum(ledger[name] for name in _READ)
    for total, what, parts in (
        (lines, "lines", _READ),
        (ledger["question"], "questions", _QUESTION),
        (ledger["outcome"], "outcomes", _OUTCOME),
    ):
        told = [f"{ledger[name]:,} {text}" for name, text in parts.items() if ledger[name]]
        if told:
            yield wrapped(", ".join(told), first=f"  {total:>9,} {what:9} = ", rest=" " * 24)
