"""The validator's questions, outcomes and delays are those of the joiner."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstem.events import Refusal, Tick, decode
from mainstem.settings import Join
from mainstem.validate import RUNGS, Delays, Spread
from mainstem.validate.follow import Answered, Closed, Follower, Orphaned
from mainstem.validate.repeats import Repeats
from tests.join.generated import EXAMPLES, SHELF, WINDOWS, Log, asks, logs, short
from tests.join.generated import join as joined
from tests.validate.shelf import DAY, HOUR, MINUTE, held, lines_of, shop_log


@EXAMPLES
@given(logs(), asks)
def test_outcomes_are_counted_as_the_ledger_counts_them(log: Log, questions: str) -> None:
    """Joined, revised, late, orphaned and duplicate counts by delay agree with the ledger."""
    settings = short(**WINDOWS, questions=questions)
    events = [event for event in log.arrived if not isinstance(event, Refusal)]
    repeats = Repeats(
        settings.join, {event.event_id for event in events if not isinstance(event, Tick)}
    )
    follower, happened, dropped = Follower(settings, SHELF), [], 0
    for offset, event in enumerate(events):
        if not isinstance(event, Tick) and repeats.drops(offset, event):
            dropped += 1
        else:
            happened += follower.step(offset, event)
    happened += follower.finish()
    label, revision = settings.join.label_window, settings.join.revision_window
    found: Counter[str] = Counter(duplicate=dropped)
    for one in happened:
        if isinstance(one, Orphaned):
            found["orphaned"] += 1
        elif isinstance(one, Answered):
            names = (
                (label, "joined"),
                (revision, "revised"),
                (2 * revision, "late"),
                (10**9, "orphaned"),
            )
            found[next(name for end, name in names if one.delay <= end)] += 1
    ledger = joined(log.arrived, log.end, questions).counts
    expected = {
        name: ledger[name] for name in ("joined", "revised", "late", "orphaned", "duplicate")
    }
    assert expected == {name: found[name] for name in expected}
    closed = sum(isinstance(one, Closed) for one in happened)
    assert closed == ledger["answered"] + ledger["expired"]


@given(st.lists(st.integers(0, 4 * 10**10), min_size=1, max_size=200))
def test_a_spread_counts_exactly_at_its_edges(durations: list[int]) -> None:
    """Counts beyond a rung are exact, and a quantile is at most a quarter too long."""
    spread = Spread()
    for millis in durations:
        spread.note(millis)
    for rung in RUNGS:
        assert sum(millis > rung for millis in durations) == spread.beyond(rung)
    assert len(durations) == sum(spread.between(RUNGS))
    for part in (0.5, 0.9, 0.99):
        exact = int(np.quantile(durations, part, method="inverted_cdf"))
        assert exact <= spread.quantile(part) <= max(1.25 * exact + 1, 100)


def test_edges_lie_close_together() -> None:
    """Adjacent edges differ by at most a quarter, which bounds the error of a quantile."""
    edges = [edge for edge in Spread().edges if edge >= 100]
    assert max(later / edge for edge, later in pairwise(edges)) < 1.26


def test_windows_cost_what_the_delays_say() -> None:
    """A window costs the share of delays beyond it, and the shortest cheap one is suggested."""
    delays = Delays(Join())
    for number in range(1000):
        delays.note("click", 3 * MINUTE if number < 960 else 5 * HOUR if number < 998 else 20 * DAY)
    label, revision = delays.windows()
    costs = {one.millis: one.cost for one in label.candidates}
    assert {MINUTE: 1, 5 * MINUTE: 0.04, 6 * HOUR: 0.002} == {
        millis: pytest.approx(costs[millis]) for millis in (MINUTE, 5 * MINUTE, 6 * HOUR)
    }
    assert (5 * MINUTE, HOUR) == (label.suggested, label.now)
    assert 30 * DAY == revision.suggested
    assert [None] == [one.cost for one in revision.candidates if one.millis == 60 * DAY]


def test_returns_do_not_lengthen_the_label_window() -> None:
    """Returns count for the revision window only, because they always revise a label."""
    delays = Delays(Join())
    for _ in range(100):
        delays.note("click", MINUTE)
        delays.note("return", 9 * DAY)
    label, revision = delays.windows()
    assert (MINUTE, 14 * DAY) == (label.suggested, revision.suggested)


def test_the_delays_of_a_log_are_those_it_was_made_with() -> None:
    """The number and the largest delay of clicks are those of the log."""
    log = shop_log()
    found = held(lines_of(log))
    pages = {
        one["impression_id"]: one["event_timestamp"] for one in log if one["type"] == "impression"
    }
    exact = [
        one["event_timestamp"] - pages[one["impression_id"]]
        for one in log
        if one["type"] == "click"
    ]
    clicks = found.delays.kinds["click"]
    assert (len(exact), max(exact)) == (clicks.count, clicks.largest)
    assert "shown" == found.questions


def test_an_unknown_class_is_refused_as_the_joiner_does() -> None:
    """A labelled text of an unknown class fails rule `fields`, and known classes make samples."""
    texts = [
        b'{"type":"labelled","event_id":"e%d","event_timestamp":%d,'
        b'"user_id":"u","text":"t","label":"%s"}' % (number, 1_700_000_000_000 + number, label)
        for number, label in enumerate([b"sport", b"news", b"odd"] * 3)
    ]
    assert not isinstance(decode(texts[0]), Refusal)
    found = {one.rule: one for one in held(texts, classes="sport,news,film").findings}
    assert ("FAIL", 3) == (found["fields"].status, found["fields"].counts["refused"])
    assert ("PASS", 6) == (found["positives"].status, found["positives"].counts["samples"])
