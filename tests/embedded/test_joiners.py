"""Hourly counts of an embedded replay: partitions, disorder, crashes and logs that grow."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import astuple

from mainstem.behaviour import HOUR, Hour
from mainstem.embedded.joiners import Joiners
from mainstem.events import Item, View, encode
from mainstem.join import Catalogue, Output, Sample, digest_of
from mainstem.settings import Settings
from mainstem.settings.durations import MINUTE
from mainstem.store import Store
from mainstem.store.counts import counts_hash, uncounted, write_hours
from mainstem.store.rewinding import rewind
from tests.join.shop import cart, click, impression, purchase, return_, search, view

KEY = b"secret"
GRACE = 10 * MINUTE
NEWEST = 100 * 24 * HOUR
NAMES = ("cup", "mug", "pot", "jug", "tin")
CATALOGUE = Catalogue()
for place, name in enumerate(NAMES):
    CATALOGUE.add(
        Item(event_id=name, event_timestamp=0, item_id=name, title=name, category="ab"[place % 2])
    )


def log(seed: int, events: int = 300) -> list[bytes]:
    """Lines of a log of a few shoppers over ten days, which arrive out of order within `grace`."""
    random, arrivals, time = Random(seed), list[tuple[int, bytes]](), 30 * HOUR
    kinds = (search, impression, view, click, click, cart, purchase, return_)
    for number in range(events):
        time += random.choice((1000, MINUTE, 20 * MINUTE, 70 * MINUTE, 3 * HOUR))
        kind, user = random.choice(kinds), f"user-{random.randrange(7)}"
        items = random.sample(NAMES, 3)
        what = ["tea pot"] if kind is search else items if kind is impression else items[:1]
        event = kind(f"e{number}", time, *what, user_id=user, session_id=user)
        arrivals.append((time + random.randrange(GRACE), encode(event)))
    return [raw for _, raw in sorted(arrivals)]


def joiners(partitions: int, questions: str = "shown") -> Joiners:
    """Make the joiners of a replay."""
    settings = Settings.of({"join.questions": questions, "join.partitions": partitions})
    return Joiners(settings, CATALOGUE, KEY)


def hours(outputs: Iterable[Output]) -> Iterator[Hour]:
    """Give the hours among outputs."""
    return (one for one in outputs if isinstance(one, Hour))


def whole(lines: Sequence[bytes], partitions: int, questions: str = "shown") -> list[Output]:
    """The outputs of a log, its end included."""
    mine = joiners(partitions, questions)
    outputs = list(mine.join(lines))
    return [*outputs, *itertools.chain(*mine.closed(NEWEST))]


def sums(outputs: Iterable[Output]) -> Counter[tuple[object, ...]]:
    """The numbers of all counts by their key, added up over the partitions."""
    found: Counter[tuple[object, ...]] = Counter()
    for hour in hours(outputs):
        for one in hour.counts:
            kind, key, other, position, *numbers = astuple(one)
            for place, number in enumerate(numbers):
                found[hour.first, kind, key, other, position, place] += number
    return +found


def content(outputs: Iterable[Output]) -> set[str]:
    """The digests of all samples."""
    return {digest_of(one) for one in outputs if isinstance(one, Sample)}


@pytest.mark.parametrize("questions", ["shown", "purchases"])
@pytest.mark.parametrize("seed", range(3))
def test_partitioning_and_disorder_change_no_count(seed: int, questions: str) -> None:
    """1, 2 and 4 partitions, in and out of order, give the same counts and samples."""
    lines = log(seed)
    ordered = sorted(lines, key=lambda raw: int(raw.split(b'"event_timestamp":')[1].split(b",")[0]))
    one = whole(ordered, 1, questions)
    assert 300 < len(sums(one))
    for partitions in (1, 2, 4):
        other = whole(lines, partitions, questions)
        assert sums(one) == sums(other)
        assert content(one) == content(other)
        assert 0 == sum(hour.uncounted for hour in hours(other))


def test_each_partition_closes_each_hour_once() -> None:
    """The hours of each partition follow each other without a gap, whoever has events in them."""
    found = list(hours(whole(log(0), 4)))
    for partition in range(4):
        mine = [hour for hour in found if hour.partition == partition]
        assert all(before.hour + 1 == after.first for before, after in itertools.pairwise(mine))
    assert {NEWEST // HOUR} == {max(h.hour for h in found if h.partition == p) for p in range(4)}


def test_hours_are_closed_before_the_samples_that_need_them() -> None:
    """When a sample comes, all partitions have closed the hours that end `grace` before it."""
    mine, closed = joiners(4), dict.fromkeys(range(4), 0)
    for output in mine.join(log(1)):
        if isinstance(output, Hour):
            closed[output.partition] = output.hour + 1
        elif isinstance(output, Sample):
            assert (output.event_time - GRACE) // HOUR <= min(closed.values())


@pytest.mark.parametrize("cut", [1, 40, 170, 299])
def test_a_crash_changes_no_count(cut: int) -> None:
    """Joiners that go on from a checkpoint close the same hours with the same counts."""
    lines, mine, rest = log(2), joiners(2), joiners(2)
    outputs = list(mine.join(lines[:cut]))
    rest.restore(mine.snapshots())
    outputs += [*rest.join(lines[cut:]), *itertools.chain(*rest.closed(NEWEST))]
    assert repr(list(hours(whole(lines, 2)))) == repr(list(hours(outputs)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open an empty history."""
    with Store(f"chdb://{tmp_path}/history") as opened:
        yield opened


def test_a_log_that_grows_withdraws_its_provisional_hours(store: Store) -> None:
    """After a final tick and a rewind, the history ends as if the log had been whole at once."""
    lines, mine = log(0), joiners(2)
    write_hours(store, list(hours(mine.join(lines[:150]))))
    snapshots, open_hours = mine.snapshots(), mine.open_hours
    write_hours(store, list(hours(mine.join(lines[150:170]))))
    write_hours(store, list(hours(itertools.chain(*mine.closed(NEWEST)))))
    early = counts_hash(store)
    assert [(1,)] == store.rows("SELECT max(provisional) FROM hours")
    rewind(store, {}, 0, open_hours)
    assert [(0,)] == store.rows("SELECT max(provisional) FROM hours")
    mine.restore(snapshots)
    for _ in range(2):  # writing an hour again is the same as writing it once
        rest = joiners(2)
        rest.restore(snapshots)
        write_hours(store, list(hours(rest.join(lines[150:]))))
        write_hours(store, list(hours(itertools.chain(*rest.closed(NEWEST)))))
    grown = counts_hash(store)
    store.execute("TRUNCATE TABLE counts")
    store.execute("TRUNCATE TABLE hours")
    assert early != grown != counts_hash(store)
    write_hours(store, list(hours(whole(lines, 1))))
    assert grown == counts_hash(store)


def test_late_events_are_uncounted_and_told(store: Store) -> None:
    """An event that comes after its hour was closed is in no count, and the history says so."""
    late = encode(View(event_id="late", event_timestamp=30 * HOUR, user_id="user-1", item_id="cup"))
    lines = log(0)
    write_hours(store, list(hours(whole([*lines, late], 1))))
    with_late = counts_hash(store)
    assert 1 == uncounted(store)
    write_hours(store, list(hours(whole(lines, 1))))
    assert with_late == counts_hash(store)
