"""Sections about what was read: the three sums of the ledger, refused events, and fingerprints."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from mainstem.answers.page.facts import Facts
from mainstem.answers.page.layout import note, section
from mainstem.answers.page.markup import Markup, element, table
from mainstem.join import LedgerRow
from mainstem.join.ledger import imbalance, totals

__all__ = ["hashes", "ledger"]

_OFFSETS: Final = (
    *("question", "outcome", "context", "duplicate", "late", "rejected", "tick", "control"),
    "accepted",
)
_OUTCOMES: Final = ("joined", "revised", "orphaned", "parked")
_QUESTIONS: Final = ("answered", "expired", "open")
_HASHED: Final = {
    "hash": "samples, labels and ledger; equal for one log and one choice of settings",
    "counts_hash": "counts of behaviour by the hour; equal in the same cases",
    "set_hash": "the standings at the last judgement of each partition",
}


def ledger(facts: Facts) -> Markup:
    """The three sums over all partitions, and whether the newest row of each balances."""
    if not facts.ledger:
        return section("ledger", "Ledger", note("Nothing has been read yet."))
    out = [row for row in facts.ledger if imbalance(row)]
    if out:
        places = ", ".join(f"{row.topic} {row.partition}" for row in out)
        state = element("p", f"Out of balance in {places}.", class_="bad")
    else:
        state = element("p", "In balance: every event is counted once.", class_="good")
    counts = totals(facts.ledger)
    read = sum(row.next_offset - row.first_offset for row in facts.ledger)
    rows = [
        _sum("next offset - first offset", read, _OFFSETS, counts),
        _sum("outcome", counts["outcome"], _OUTCOMES, counts),
        _sum("question", counts["question"], _QUESTIONS, counts),
    ]
    shown = table("The three sums, all partitions together", ("sum", "is", "of", "holds"), rows)
    beside = [f"{counts['unknown_item']:,} items of questions are in no item event."]
    unknown = [note(text) for text in beside if counts["unknown_item"]]
    return section(
        "ledger", "Ledger", state, shown, *unknown, _partitions(facts.ledger), *_refused(facts)
    )


def hashes(facts: Facts) -> Markup:
    """The fingerprints, and what each of them covers."""
    title = "Fingerprints"
    if not facts.hashes:
        why = "The history is too large to hash it for a page; `mainstem stream verify` does it."
        return section("hashes", title, note(why))
    parts = [
        part
        for name, value in facts.hashes.items()
        for part in (
            element("dt", element("code", name), f": {_HASHED[name]}"),
            element("dd", element("code", value)),
        )
    ]
    return section("hashes", title, element("dl", *parts, class_="hashes"))


def _sum(name: str, whole: int, parts: Sequence[str], counts: Mapping[str, int]) -> tuple[str, ...]:
    told = " + ".join(f"{counts[one]:,} {one}" for one in parts if counts[one]) or "0"
    holds = whole == sum(counts[one] for one in parts)
    return name, f"{whole:,}", told, "yes" if holds else "no"


def _partitions(rows: Sequence[LedgerRow]) -> Markup:
    each = [
        (
            row.topic,
            str(row.partition),
            f"{row.first_offset:,}",
            f"{row.next_offset:,}",
            "yes" if not imbalance(row) else f"out by {imbalance(row):,}",
        )
        for row in rows
    ]
    header = ("topic", "partition", "first offset", "next offset", "balances")
    shown = table("The newest row of the ledger of each partition", header, each)
    return element("details", element("summary", "By partition"), shown)


def _refused(facts: Facts) -> Iterator[Markup]:
    if facts.refused:
        rows = [(one.reason, one.path or "-", f"{one.times:,}") for one in facts.refused]
        yield table("Refused events, by reason", ("reason", "at", "events"), rows)
