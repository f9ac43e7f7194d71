"""Replay: order, copies, partitions and crashes do not change the samples of a log."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mainstem.behaviour import HOUR
from mainstem.events import Tick
from mainstem.join import BLOCK
from mainstem.join.state import JoinState
from tests.join.generated import EXAMPLES, Log, asks, join, joiners, logs
from tests.join.shop import joiner, step, view

cuts = st.frozensets(st.integers(0, 40), max_size=3)


@EXAMPLES
@given(logs(copies=False), asks)
def test_disorder_within_grace_changes_nothing(log: Log, questions: str) -> None:
    """Disorder within `grace` changes neither samples nor ledger."""
    ordered = join(log.ordered, log.end, questions)
    disordered = join(log.arrived, log.end, questions)
    assert ordered.content == disordered.content
    assert ordered.counts == disordered.counts


@EXAMPLES
@given(logs(), asks)
def test_copies_change_only_the_count_of_duplicates(log: Log, questions: str) -> None:
    """Copies of events within the horizon are counted as duplicates and change nothing else."""
    once, again = join(log.ordered, log.end, questions), join(log.arrived, log.end, questions)
    assert once.content == again.content
    assert {**once.counts, "duplicate": log.copies} == again.counts


@EXAMPLES
@given(logs(), asks)
def test_partitioning_by_shopper_changes_nothing(log: Log, questions: str) -> None:
    """One partition or three give the same samples and the same ledger in all."""
    one = join(log.ordered, log.end, questions)
    three = join(log.arrived, log.end, questions, partitions=3)
    assert one.content == three.content
    assert {**one.counts, "duplicate": log.copies} == three.counts


@EXAMPLES
@given(logs(), asks, cuts, st.sampled_from([1, 3]))
def test_a_crash_changes_nothing(
    log: Log, questions: str, cuts: frozenset[int], partitions: int
) -> None:
    """Joiners restored from snapshots anywhere give the same samples, in order, and ledger."""
    whole = join(log.arrived, log.end, questions, partitions)
    assert whole == join(log.arrived, log.end, questions, partitions, cuts)


@EXAMPLES
@given(logs(), asks)
def test_each_sample_comes_once_and_everything_closes(log: Log, questions: str) -> None:
    """No label version occurs twice, and at the end no question is open and no outcome parked."""
    found = join(log.arrived, log.end, questions)
    assert {1} >= set(found.content.values())
    versions = [(sample.sample_id, sample.label_version) for sample in found.samples]
    assert len(versions) == len(set(versions))
    assert (found.counts["open"], found.counts["parked"]) == (0, 0)


@EXAMPLES
@given(logs(), asks, cuts)
def test_the_same_prefix_gives_the_same_bytes(
    log: Log, questions: str, cuts: frozenset[int]
) -> None:
    """Two owners of a partition write the same snapshots, even after one was restored."""
    (first,), (second,) = joiners(1, questions), joiners(1, questions)
    for place, event in enumerate(log.arrived):
        if place in cuts:
            snapshot = second.snapshot()
            (second,) = joiners(1, questions)
            second.restore(snapshot)
        assert list(first.step(place, event)) == list(second.step(place, event))
        assert first.snapshot() == second.snapshot()


@EXAMPLES
@given(logs(), asks)
def test_a_long_silence_empties_the_state(log: Log, questions: str) -> None:
    """Once event time has passed every window, the state holds nothing but the counts."""
    (partition,) = joiners(1, questions)
    quiet = [Tick(event_timestamp=log.end + 10**7)] * (BLOCK + 2)
    step(partition, *log.arrived, *quiet)
    counts = partition.ledger_row().counts
    left = msgspec.msgpack.decode(partition.snapshot().state, type=JoinState)
    assert ({}, {}, []) == (left.users, left.seen, left.waiting)
    assert ([], []) == (left.deadlines, left.forget)
    assert (counts["open"], counts["parked"]) == (0, 0)


def test_state_does_not_grow_with_the_log() -> None:
    """With ever new shoppers state and open hour are as large after 12,000 events as after 6,000."""
    partition, sizes, hours = joiner(), [], []
    for place in range(12_000):
        user = f"user-{place // 10:06}"
        time = 100_000 + 100 * place + HOUR * (place // 100)
        step(partition, view(f"e{place:06}", time, user_id=user))
        if place % 50 == 49:
            snapshot = partition.snapshot()
            hour = msgspec.msgpack.encode(snapshot.decoded().open_hour)
            sizes.append(len(snapshot.state) - len(hour))
            hours.append(len(hour))
    for each in (sizes, hours):
        assert max(each[120:]) <= 1.1 * max(each[:120])
