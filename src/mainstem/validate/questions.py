"""Rules on questions and their outcomes: found, known, in their places, and answered yes in a likely share."""

from collections import Counter
from typing import Final

from mainstem.events import Impression, Return
from mainstem.settings import Settings
from mainstem.validate.finding import FAIL, PASS, WARN, Finding, Seen, Status, graded, share
from mainstem.validate.follow import Answered, Closed, Orphaned

__all__ = ["Items", "Orphans", "Positions", "Positives"]

ORPHANED_WARN: Final = 0.01
ORPHANED_FAIL: Final = 0.1
"""A log begins in the middle of somebody's visit; one outcome in ten without a question is no beginning.

Returns alone never fail: what is sent back was often bought before the log began.
"""
UNKNOWN_FAIL: Final = 0.01
"""An item that is not known makes no sample; one in a hundred may be new, and on its way."""
PAGES_FAIL: Final = 0.01
"""Positions are counted by a program: wrong on one page in a hundred, they are wrong by design."""
YES_MOST: Final = 0.9
"""Nine answers of ten yes: shown items without an outcome must be missing from the log."""
YES_LEAST: Final = 0.001
"""One in a thousand: even advertisements are clicked more often."""


class Orphans:
    """`orphaned`: outcomes answer a question."""

    name = "orphaned"

    def __init__(self, settings: Settings) -> None:
        self._purchases_ask = settings.join.questions == "purchases"
        self._outcomes = self._returns = self._orphaned_returns = 0
        self._seen = Seen()
        self._reasons: Counter[str] = Counter()

    def answered(self, one: Answered) -> None:
        """An outcome found its question."""
        self._outcomes += 1
        self._returns += isinstance(one.event, Return)

    def orphaned(self, one: Orphaned) -> None:
        """An outcome found none."""
        self._outcomes += 1
        self._returns += isinstance(one.event, Return)
        self._orphaned_returns += isinstance(one.event, Return)
        self._seen.note(one.offset, one.event.event_id)
        self._reasons[one.reason] += 1

    def finding(self) -> Finding:
        """The verdict."""
        count, part = self._seen.count, share(self._seen.count, self._outcomes)
        others = share(count - self._orphaned_returns, self._outcomes - self._returns)
        status = FAIL if others > ORPHANED_FAIL else graded(part, ORPHANED_WARN, 1)
        reason = f"; {self._reasons.most_common(1)[0][0]}" if count else ""
        return Finding(
            self.name,
            status,
            f"{count:,} of {self._outcomes:,} outcomes answer no question{reason}"
            if self._outcomes
            else "no outcomes",
            {
                "outcomes": self._outcomes,
                "orphaned": count,
                "share": part,
                "returns": self._returns,
                "orphaned_returns": self._orphaned_returns,
                **self._reasons,
            },
            tuple(self._seen.examples),
            "" if status == PASS else self._advice(),
        )

    def _advice(self) -> str:
        if self._purchases_ask:
            return "begin the log earlier, or with a longer MAINSTEM_JOIN__REVISION_WINDOW, so that it holds what was returned"
        return "log impressions and views too, with the user_id, item_id and impression_id that their outcomes bear"


class Items:
    """`items`: the catalogue knows what questions are about, when they are asked."""

    name = "items"

    def __init__(self) -> None:
        self._items = 0
        self._unknown = Seen()
        self._later = 0

    def closed(self, one: Closed, known_later: int) -> None:
        """A question closed; of its unknown items the catalogue learnt so many later."""
        self._items += one.items
        self._later += known_later
        for _ in one.unknown:
            self._unknown.note(one.offset, one.event_id)

    def finding(self, catalogue: int) -> Finding:
        """The verdict, given how many items the catalogue knows."""
        count, part = self._unknown.count, share(self._unknown.count, self._items)
        never, later = count - self._later, self._later
        advice = [
            "send an item event for each of them" if never else "",
            "give item events a time no later than their first use" if later else "",
        ]
        empty = "the catalogue is empty: " if not catalogue and self._items else ""
        return Finding(
            self.name,
            graded(part, 0, UNKNOWN_FAIL),
            f"{empty}{count:,} of {self._items:,} items of questions are unknown ({never:,} never sent, {later:,} too late)"
            if self._items
            else "no question is about an item",
            {
                "catalogue": catalogue,
                "items": self._items,
                "never_sent": never,
                "sent_too_late": later,
                "share": part,
            },
            tuple(self._unknown.examples),
            "; ".join(part for part in advice if part),
        )


class Positions:
    """`positions`: on one page they are from 1 on, each once, and all there. A log may do without them altogether."""

    name = "positions"

    def __init__(self) -> None:
        self._pages = 0
        self._wrong, self._without = Seen(), Seen()
        self._faults: Counter[str] = Counter()

    def note(self, offset: int, event: object) -> None:
        """Take one event."""
        if not isinstance(event, Impression):
            return
        self._pages += 1
        given = [item.position for item in event.items if item.position is not None]
        if not given:
            self._without.note(offset, event.event_id)
        elif fault := _fault(given, len(event.items)):
            self._faults[fault] += 1
            self._wrong.note(offset, event.event_id)

    def finding(self) -> Finding:
        """The verdict."""
        without = self._without.count if self._without.count < self._pages else 0
        faults = self._faults + Counter({"missing": without})
        count = sum(faults.values())
        told = ", ".join(
            f"{faults[fault]:,} {fault}"
            for fault in ("missing", "repeated", "not from 1")
            if faults[fault]
        )
        examples = [*self._wrong.examples, *(self._without.examples if without else ())]
        well = "no impression has any" if self._without.count else "from 1 on, each once"
        return Finding(
            self.name,
            graded(share(count, self._pages), 0, PAGES_FAIL),
            f"on {count:,} of {self._pages:,} pages: {told}"
            if count
            else well
            if self._pages
            else "no impressions",
            {"impressions": self._pages, **faults},
            tuple(examples[:5]),
            "number the items of an impression 1, 2, 3 ..., in the order in which they were shown"
            if count
            else "",
        )


class Positives:
    """`positives`: some answers are yes, and not nearly all."""

    name = "positives"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._labels: Counter[int] = Counter()
        self._unknown = 0
        self._some = Seen()

    def closed(self, one: Closed) -> None:
        """Take the first labels of a question."""
        self._unknown += len(one.unknown)
        for sample in one.samples:
            self._labels[sample.label] += 1
            self._some.note(one.offset, one.event_id)

    def finding(self) -> Finding:
        """The verdict. Among several classes there is no yes: then it is enough that there is more than one."""
        settings, whole = self._settings, sum(self._labels.values())
        names = {
            settings.objectives.class_names[number]: count
            for number, count in sorted(self._labels.items())
        }
        binary = len(settings.objectives.class_names) == 2
        yes = share(self._labels[1], whole)
        status: Status
        if not whole:
            status, found = (
                (PASS if self._unknown else FAIL),
                "no samples",
            )  # the catalogue's fault, or nobody asks
        elif len(self._labels) == 1:
            status, found = FAIL, f"all {whole:,} answers are {next(iter(names))!r}"
        elif binary:
            status = FAIL if yes > YES_MOST else WARN if yes < YES_LEAST else PASS
            found = f"{yes:.2%} of {whole:,} answers are {settings.objectives.class_names[1]!r}"
        else:
            status, found = (
                PASS,
                ", ".join(f"{name} {share(count, whole):.1%}" for name, count in names.items()),
            )
        return Finding(
            self.name,
            status,
            found,
            {"samples": whole, **names},
            tuple(self._some.examples) if status != PASS else (),
            "" if status == PASS else self._advice(yes),
        )

    def _advice(self, yes: float) -> str:
        if not self._labels:
            return (
                "log impressions or views (or purchases, with MAINSTEM_JOIN__QUESTIONS=purchases), and items; "
                "or texts of classes that MAINSTEM_OBJECTIVES__CLASSES names"
            )
        if yes <= YES_LEAST:
            return "log clicks, carts and purchases too, or take a longer MAINSTEM_JOIN__LABEL_WINDOW (see below)"
        if self._settings.join.questions == "purchases":
            return "MAINSTEM_JOIN__NEGATIVES=1: draw items that were not bought"
        return "log every item that was shown, not only those that were clicked"


def _fault(given: list[int], items: int) -> str:
    if len(given) < items:
        return "missing"
    if len(set(given)) < items:
        return "repeated"
    return "" if min(given) == 1 else "not from 1"
