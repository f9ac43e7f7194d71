"""Logs that hypothesis makes up, the ways in which one can arrive, and what the join makes of it."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from mainstem.events import (
    Cart,
    Click,
    Event,
    Impression,
    Purchase,
    Refusal,
    Return,
    Search,
    Shown,
    Tick,
    View,
    decode,
)
from mainstem.join import Joiner, LedgerRow, Sample, digest_of, imbalance, totals
from mainstem.join.route import partitions_of_event
from tests.join.shop import KEY, shelf, short

GRACE = 30
SHELF = shelf("cup", "mug", "pot", "jug")  # "elf" is unknown
EXAMPLES = settings(deadline=None, max_examples=60)
WINDOWS: dict[str, Any] = {
    "label_window": 100,
    "revision_window": 400,
    "grace": GRACE,
    "dedupe_horizon": 10**6,
    "history_length": 2,
    "history_window": 300,
    "negatives": 2,
}
UNCOMPARED = {"tick", "control"}  # each partition has its own

times = st.integers(0, 100) | st.integers(0, 500) | st.integers(0, 1500)
jitters = st.integers(0, GRACE)
items = st.sampled_from(["cup", "cup", "cup", "mug", "elf"])
impressions = st.sampled_from(["m1", "m2"])
maybe_impression = st.sampled_from([None, None, None, "m1", "m2"])
who = {
    "event_id": st.just(""),
    "event_timestamp": times,
    "user_id": st.sampled_from(["ann", "ann", "cy"]),  # of three partitions in different ones
    "session_id": st.sampled_from([None, "s1", "s2"]),
}
answer = {**who, "item_id": items, "impression_id": maybe_impression}
shown = st.lists(st.builds(Shown, item_id=items), min_size=1, max_size=3).map(tuple)
events = st.one_of(
    st.builds(Search, **who, query=st.sampled_from(["tea", "red"])),
    st.builds(
        Impression,
        **who,
        impression_id=impressions,
        items=shown,
        query=st.sampled_from([None, "own"]),
    ),
    st.builds(View, **answer),
    st.builds(Click, **answer),
    st.builds(Cart, **answer),
    st.builds(Purchase, **answer),
    st.builds(Return, **answer),
)
asks = st.sampled_from(["shown", "purchases"])


@dataclass(frozen=True)
class Log:
    """Events in event time order, and one order in which they may arrive: within `GRACE`, some of them again."""

    ordered: list[Event | Refusal]
    arrived: list[Event | Refusal]
    copies: int

    @property
    def end(self) -> int:
        """An event time at which all windows of first labels have passed."""
        newest = max(
            (event.event_timestamp for event in self.ordered if not isinstance(event, Refusal)),
            default=0,
        )
        return newest + WINDOWS["label_window"] + GRACE + 1


@st.composite
def logs(draw: st.DrawFn, *, copies: bool = True, ticks: bool = True) -> Log:
    """A log and how it arrives."""
    told: list[tuple[int, Event | Refusal]] = []
    size = draw(
        st.integers(0, 40)
    )  # subtle: lists of hypothesis's own choice are too short to answer anything
    for number, event in enumerate(draw(st.lists(events, min_size=size, max_size=size))):
        named = type(event)(
            **{name: getattr(event, name) for name in event.__struct_fields__}
            | {"event_id": f"e{number}"}
        )
        told.append((event.event_timestamp, named))
    if ticks:
        told += [(time, Tick(event_timestamp=time)) for time in draw(st.lists(times, max_size=3))]
        told += [
            (time, decode(b"bad %d" % number))
            for number, time in enumerate(draw(st.lists(times, max_size=2)))
        ]
    arrivals = [(time + draw(jitters), event) for time, event in told]
    known = [arrival for arrival in arrivals if not isinstance(arrival[1], Tick | Refusal)]
    again = (
        draw(st.lists(st.tuples(st.sampled_from(known), st.integers(0, 1500)), max_size=8))
        if copies and known
        else []
    )
    arrivals += [(time + later, event) for (time, event), later in again]
    in_order = [event for _, event in sorted(told, key=lambda pair: pair[0])]
    return Log(
        in_order, [event for _, event in sorted(arrivals, key=lambda pair: pair[0])], len(again)
    )


@dataclass(frozen=True)
class Outcome:
    """What the join of a whole log gave, and what must be equal however it came."""

    samples: list[Sample]
    rows: list[LedgerRow]

    @property
    def content(self) -> Counter[tuple[str, int, str]]:
        """How often each (sample id, label version, digest) came: once."""
        return Counter(
            (str(sample.sample_id), sample.label_version, digest_of(sample))
            for sample in self.samples
        )

    @property
    def counts(self) -> dict[str, int]:
        """The totals of the ledger, but for ticks."""
        return {name: count for name, count in totals(self.rows).items() if name not in UNCOMPARED}


def joiners(partitions: int, questions: str) -> list[Joiner]:
    """New joiners over the same catalogue."""
    return [
        Joiner(number, short(**WINDOWS, questions=questions), SHELF, KEY)
        for number in range(partitions)
    ]


def join(
    arrived: list[Event | Refusal],
    end: int,
    questions: str,
    partitions: int = 1,
    cuts: frozenset[int] = frozenset(),
) -> Outcome:
    """Join what arrived; at each cut all joiners are replaced by new ones, restored from snapshots.

    After every step the ledger of the partition must balance.
    """
    using, samples = joiners(partitions, questions), []
    for place, event in enumerate(arrived):
        if place in cuts:
            snapshots = [joiner.snapshot() for joiner in using]
            using = joiners(partitions, questions)
            for joiner, snapshot in zip(using, snapshots, strict=True):
                joiner.restore(snapshot)
        for partition in partitions_of_event(event, partitions):
            samples += using[partition].step(using[partition].next_offset, event)
            assert imbalance(using[partition].ledger_row()) == 0
    rows = []
    for joiner in using:
        _, (*last, row) = joiner.closed(end)
        samples += last
        rows.append(row)
        assert imbalance(row) == 0
    return Outcome([output for output in samples if isinstance(output, Sample)], rows)
