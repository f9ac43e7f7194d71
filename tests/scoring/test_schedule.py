"""The schedule: judgements and rounds fall at the same positions, however samples come."""

import random
from typing import NamedTuple

import msgspec
import pytest

from mainstem.scoring.schedule import NEVER, Due, Reached, Schedule, newest, round_is_due


class One(NamedTuple):
    """The fields of a sample that a schedule reads."""

    partition: int
    event_time: int


def schedule(**more: object) -> Schedule:
    """Schedule two partitions: a judgement every 3 samples of one, a round every 4 of both."""
    given = {"judge_every": 3, "round_every": 4, "reached": {0: Reached(), 1: Reached()}} | more
    return Schedule(**given)  # type: ignore[arg-type]


def some(count: int) -> list[One]:
    """Make samples of two partitions whose event times are out of order."""
    draws = random.Random(3)
    return [One(draws.randrange(2), draws.randrange(1000)) for _ in range(count)]


def done(cut: list[list[One]], most: int = 5) -> list[tuple[int, int, Due]]:
    """Return (partition, position, due) wherever something is due, with samples in these pieces."""
    one = schedule()
    return [
        (run.partition, one.reached[run.partition].position, run.due)
        for piece in cut
        for run in one.runs(piece, most)
        if any(run.due)
    ]


def test_judgements_fall_at_multiples_and_rounds_at_multiples_of_all() -> None:
    """A judgement is due at every third sample of a partition, a round at every fourth of all."""
    samples = some(40)
    counts, expected = {0: 0, 1: 0}, []
    for number, sample in enumerate(samples, 1):
        counts[sample.partition] += 1
        due = Due(counts[sample.partition] % 3 == 0, number % 4 == 0)
        expected += [(sample.partition, counts[sample.partition], due)] * any(due)
    assert expected == done([samples])


@pytest.mark.parametrize("size", [1, 7, 40])
def test_how_samples_are_cut_changes_nothing(size: int) -> None:
    """Pieces of any size give the same judgements and rounds at the same positions."""
    samples = some(40)
    assert done([samples]) == done(
        [samples[start : start + size] for start in range(0, 40, size)], most=2
    )


def test_every_sample_is_in_one_run_of_at_most_so_many() -> None:
    """The runs together are the samples in their order."""
    samples, one = some(40), schedule(judge_every=100, round_every=0)
    runs = list(one.runs(samples, 7))
    assert samples == [sample for run in runs for sample in run.samples]
    assert [7, 7, 7, 7, 7, 5] == [len(run.samples) for run in runs]


def test_a_schedule_goes_on_where_it_was_saved() -> None:
    """A schedule saved after any sample, as JSON, goes on as if nothing had stopped."""
    samples = some(30)
    for at in range(30):
        first = schedule()
        for sample in samples[:at]:
            first.take(*sample)
        kept = msgspec.json.decode(msgspec.json.encode(first.reached), type=dict[int, Reached])
        again = schedule(reached=kept, counted=first.counted)
        whole = [first.take(*sample) for sample in samples[at:]]
        assert whole == [again.take(*sample) for sample in samples[at:]]
        assert first.reached == again.reached


def test_event_time_never_goes_back() -> None:
    """The event time of a partition is the largest of its samples so far."""
    one = schedule()
    for time in (5, 9, 7):
        one.take(0, time)
    assert {0: 9, 1: 0} == one.event_times


def test_the_last_part_of_a_log_brings_no_round_nearer() -> None:
    """Samples from `later_from` on count for judgements and not for rounds."""
    one = schedule(later_from=100)
    dues = [one.take(0, time) for time in (1, 100, 2, 200, 3, 4)]
    assert [Due(False, False)] * 2 + [Due(True, False)] + [Due(False, False)] * 2 + [
        Due(True, True)
    ] == dues


def test_no_round_is_due_where_none_is_run() -> None:
    """With `round_every` 0 no round is ever due."""
    one = schedule(round_every=0, judge_every=NEVER)
    assert {Due(False, False)} == {one.take(*sample) for sample in some(50)}


def test_positions_are_told_before_they_are_taken() -> None:
    """Each partition counts for itself, and asking for positions takes no sample."""
    one = schedule()
    one.take(1, 0)
    assert [0, 1, 1, 2] == one.positions([0, 1, 0, 1])
    assert {0: 0, 1: 1} == one.ends


def test_a_round_waits_for_enough_samples_and_the_newest_share_a_budget() -> None:
    """One sample too few starts no round, and a budget is divided among all partitions."""
    assert [False, True, True] == [round_is_due(counted, 10, 4) for counted in (13, 14, 20)]
    assert {0: (7, 10), 2: (0, 2)} == newest({0: 10, 2: 2}, 12, 4)
