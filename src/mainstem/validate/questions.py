"""Rules on questions and their outcomes.

Outcomes have a question, items are known, positions are complete, and some answers are yes.
"""

from collections import Counter
from typing import Final

from mainstem.events import Impression, Return
from mainstem.settings import Settings
from mainstem.validate.finding import FAIL, PASS, WARN, Finding, Seen, Status, graded, share
from mainstem.validate.follow import BEFORE_THE_LOG, Answered, Closed, Orphaned

__all__ = ["Items", "Orphans", "Positions", "Positives"]

ORPHANED_WARN: Final = 0.01
ORPHANED_FAIL: Final = 0.1
"""A log may begin while shoppers are active, which orphans a few outcomes, but not one in ten.

Returns alone never fail, because an item is often bought before the log begins.
"""
UNKNOWN_FAIL: Final = 0.01
"""An unknown item makes no sample. One item in a hundred may be new, with its event on the way."""
PAGES_FAIL: Final = 0.01
"""A program counts positions, so if one page in a hundred is wrong, the program is."""
YES_MOST: Final = 0.9
"""If more than nine answers in ten are yes, the log lacks the items that were shown in vain."""
YES_LEAST: Final = 0.001
"""Even advertisements are clicked more often than once in a thousand."""


class Orphans:
    """`orphaned`: every outcome answers a question."""

    name = "orphaned"

    def __init__(self, settings: Settings) -> None:
        self._purchases_ask = settings.join.questions == "purchases"
        self._outcomes = self._returns = self._orphaned_returns = 0
        self._seen = Seen()
        self._reasons: Counter[str] = Counter()

    def answered(self, one: Answered) -> None:
        """Add an outcome that found its question."""
        self._outcomes += 1
        self._returns += isinstance(one.event, Return)

    def orphaned(self, one: Orphaned) -> None:
        """Add an outcome that found no question."""
        self._outcomes += 1
        self._returns += isinstance(one.event, Return)
        self._orphaned_returns += isinstance(one.event, Return)
        self._seen.note(one.offset, one.event.event_id)
        self._reasons[one.reason] += 1

    def finding(self) -> Finding:
        """Return the verdict, with the most frequent reason."""
        count, part = self._seen.count, share(self._seen.count, self._outcomes)
        others = share(count - self._orphaned_returns, self._outcomes - self._returns)
        status = FAIL if others > ORPHANED_FAIL else graded(part, ORPHANED_WARN, 1)
        reason = f"; {self._reasons.most_common(1)[0][0]}" if count else ""
        found = f"{count:,} of {self._outcomes:,} outcomes answer no question{reason}"
        return Finding(
            self.name,
            status,
            found if self._outcomes else "no outcomes",
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
        if self._purchases_ask and self._reasons.keys() <= BEFORE_THE_LOG:
            return "begin the log earlier, so that it covers the purchases of what was returned"
        if self._purchases_ask:
            return (
                "begin the log earlier, or set a longer MAINSTEM_JOIN__REVISION_WINDOW, "
                "so that it covers the purchases of what was returned"
            )
        return (
            "log impressions and views too, "
            "with the user_id, item_id and impression_id of their outcomes"
        )


class Items:
    """`items`: when a question is opened, the catalogue knows its items."""

    name = "items"

    def __init__(self) -> None:
        self._items = 0
        self._unknown = Seen()
        self._later = 0

    def closed(self, one: Closed, known_later: int) -> None:
        """Add a closed question; its item events of `known_later` unknown items come later."""
        self._items += one.items
        self._later += known_later
        for _ in one.unknown:
            self._unknown.note(one.offset, one.event_id)

    def finding(self, catalogue: int) -> Finding:
        """Return the verdict, given the number of items in the catalogue."""
        count, part = self._unknown.count, share(self._unknown.count, self._items)
        never, later = count - self._later, self._later
        advice = [
            "send an item event for each of them" if never else "",
            "give item events a time no later than their first use" if later else "",
        ]
        empty = "the catalogue is empty: " if not catalogue and self._items else ""
        found = (
            f"{empty}{count:,} of {self._items:,} items of questions are unknown "
            f"({never:,} never sent, {later:,} too late)"
        )
        return Finding(
            self.name,
            graded(part, 0, UNKNOWN_FAIL),
            found if self._items else "no question is about an item",
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
    """`positions`: the items of a page are numbered from 1 on, each once.

    A log without any positions passes.
    """

    name = "positions"

    def __init__(self) -> None:
        self._pages = 0
        self._wrong, self._without = Seen(), Seen()
        self._faults: Counter[str] = Counter()

    def note(self, offset: int, event: object) -> None:
        """Add an event; only impressions count."""
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
        """Return the verdict."""
        without = self._without.count if self._without.count < self._pages else 0
        faults = self._faults + Counter({"missing": without})
        count = sum(faults.values())
        found = "no impressions"
        if count:
            kinds = [kind for kind in ("missing", "repeated", "not from 1") if faults[kind]]
            listed = ", ".join(f"{faults[kind]:,} {kind}" for kind in kinds)
            found = f"on {count:,} of {self._pages:,} pages: {listed}"
        elif self._pages:
            found = "no impression has any" if self._without.count else "from 1 on, each once"
        examples = [*self._wrong.examples, *(self._without.examples if without else ())]
        advice = "number the items of an impression 1, 2, 3 ..., in the order they were shown"
        return Finding(
            self.name,
            graded(share(count, self._pages), 0, PAGES_FAIL),
            found,
            {"impressions": self._pages, **faults},
            tuple(examples[:5]),
            advice if count else "",
        )


class Positives:
    """`positives`: some answers are yes, but not nearly all."""

    name = "positives"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._labels: Counter[int] = Counter()
        self._unknown = 0
        self._some = Seen()

    def closed(self, one: Closed) -> None:
        """Add a closed question with the first labels of its samples."""
        self._unknown += len(one.unknown)
        for sample in one.samples:
            self._labels[sample.label] += 1
            self._some.note(one.offset, one.event_id)

    def finding(self) -> Finding:
        """Return the verdict.

        Three or more classes have no yes, so it is enough that more than one of them occurs.
        """
        classes, whole = self._settings.objectives.label_names, sum(self._labels.values())
        names = {classes[number]: count for number, count in sorted(self._labels.items())}
        yes = share(self._labels[1], whole)
        status: Status
        if not whole:  # unknown items are the fault of another rule
            status, found = PASS if self._unknown else FAIL, "no samples"
        elif len(self._labels) == 1:
            status, found = FAIL, f"all {whole:,} answers are {next(iter(names))!r}"
        elif len(classes) == 2:
            status = FAIL if yes > YES_MOST else WARN if yes < YES_LEAST else PASS
            found = f"{yes:.2%} of {whole:,} answers are {classes[1]!r}"
        else:
            status = PASS
            found = ", ".join(f"{name} {share(count, whole):.1%}" for name, count in names.items())
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
                "log items, and impressions or views "
                "(or purchases, with MAINSTEM_JOIN__QUESTIONS=purchases); "
                "or log texts of the classes that MAINSTEM_OBJECTIVES__CLASSES names"
            )
        if yes <= YES_LEAST:
            return (
                "log clicks, carts and purchases too, "
                "or set a longer MAINSTEM_JOIN__LABEL_WINDOW (see below)"
            )
        if self._settings.join.questions == "purchases":
            return "set MAINSTEM_JOIN__NEGATIVES=1 to draw items that were not bought"
        return "log every item that was shown, not only those that were clicked"


def _fault(given: list[int], items: int) -> str:
    if len(given) < items:
        return "missing"
    if len(set(given)) < items:
        return "repeated"
    return "" if min(given) == 1 else "not from 1"
