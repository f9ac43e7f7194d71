"""The schedule: at which positions to judge and to learn, and how event time advances.

    sample accepted for the first time -> position + 1 -> judge this partition? start a round?

A position counts the samples of a partition that were accepted for the first time; a sample that
is delivered twice counts once. The embedded loop and the programs beside Kafka use this one
schedule, so a setting that counts samples means the same in both. The schedule reads no clock and
no store: all it knows is `Reached`, which is kept with each commit.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from msgspec import Struct

__all__ = ["NEVER", "Due", "Reached", "Run", "Schedule", "newest", "round_is_due"]

NEVER: Final = 1 << 62  # an event time, and a position, that no stream reaches


class _Sample(Protocol):
    @property
    def partition(self) -> int: ...
    @property
    def event_time(self) -> int: ...


_S = TypeVar("_S", bound=_Sample)


class Reached(Struct, frozen=True, kw_only=True):
    """How far a partition has come.

    Attributes:
        position: number of samples accepted so far, which is the position of the next one.
        event_time: largest event time among them, in milliseconds, whatever their parts.
    """

    position: int = 0
    event_time: int = 0


class Due(NamedTuple):
    """What is due at a position, before the next sample.

    Attributes:
        judge: whether the partition is to be judged.
        learn: whether a round is to be started.
    """

    judge: bool
    learn: bool


class Run(NamedTuple, Generic[_S]):
    """Samples to score together.

    Attributes:
        samples: the samples, in order.
        partition: partition of the last one.
        due: what is due after them.
    """

    samples: list[_S]
    partition: int
    due: Due


class Schedule:
    """Counts the samples of some partitions and says what is due.

    Args:
        judge_every: number of samples of a partition between two judgements.
        round_every: number of samples of all partitions between two rounds; 0 for no rounds.
        later_from: event time from which on samples are not learnt from, and do not count towards
            a round.
        rounds_at: for a repetition, the number of samples of all partitions at each recorded
            round; None: `round_every` decides.
        reached: how far each partition has come.
        counted: number of samples before `later_from` so far.

    Example:
        >>> schedule = Schedule(judge_every=2, round_every=3, reached={0: Reached(), 1: Reached()})
        >>> [schedule.take(partition, 7) for partition in (0, 0, 1)]
        [Due(judge=False, learn=False), Due(judge=True, learn=False), Due(judge=False, learn=True)]
        >>> schedule.reached[0]
        Reached(position=2, event_time=7)
    """

    def __init__(
        self,
        *,
        judge_every: int,
        round_every: int = 0,
        later_from: int = NEVER,
        rounds_at: Collection[int] | None = None,
        reached: Mapping[int, Reached] | None = None,
        counted: int = 0,
    ) -> None:
        self.reached: dict[int, Reached] = dict(reached or {})
        self.counted = counted
        self._judge_every, self._round_every = judge_every, round_every
        self._later_from = later_from
        self._rounds_at = rounds_at
        self._at_round = counted // round_every * round_every if round_every else 0

    @property
    def ends(self) -> dict[int, int]:
        """The position of the next sample of each partition."""
        return {partition: reached.position for partition, reached in self.reached.items()}

    @property
    def event_times(self) -> dict[int, int]:
        """The largest event time of each partition so far."""
        return {partition: reached.event_time for partition, reached in self.reached.items()}

    def positions(self, partitions: Iterable[int]) -> list[int]:
        """The positions that samples of these partitions will get if they are taken in this order.

        Args:
            partitions: partition of each sample.
        """
        ends, found = self.ends, []
        for partition in partitions:
            found.append(ends[partition])
            ends[partition] += 1
        return found

    def take(self, partition: int, event_time: int) -> Due:
        """Count one sample that was accepted for the first time; return what is due now."""
        before = self.reached[partition]
        now = Reached(position=before.position + 1, event_time=max(before.event_time, event_time))
        self.reached[partition] = now
        learnable = event_time < self._later_from
        self.counted += learnable
        is_due = round_is_due(self.counted, self._at_round, self._round_every)
        learn = bool(self._round_every) and learnable and is_due
        if self._rounds_at is not None:
            learn = sum(reached.position for reached in self.reached.values()) in self._rounds_at
        if learn:
            self._at_round = self.counted
        return Due(now.position % self._judge_every == 0, learn)

    def runs(self, samples: Iterable[_S], most: int) -> Iterator[Run[_S]]:
        """Take samples and group them into runs; each run is scored before what is due after it.

        Args:
            samples: samples accepted for the first time, in order.
            most: the most samples in a run.
        """
        waiting: list[_S] = []
        for sample in samples:
            waiting.append(sample)
            due = self.take(sample.partition, sample.event_time)
            if due.judge or due.learn or len(waiting) == most:
                yield Run(waiting, sample.partition, due)
                waiting = []
        if waiting:
            yield Run(waiting, waiting[-1].partition, Due(judge=False, learn=False))


def round_is_due(counted: int, at_last: int, every: int) -> bool:
    """Whether enough samples were counted since the last round.

    Args:
        counted: number of samples so far.
        at_last: number of samples at the last round.
        every: number of samples between two rounds.

    Example:
        >>> round_is_due(5999, 3000, 3000), round_is_due(6000, 3000, 3000)
        (False, True)
    """
    return counted - at_last >= every


def newest(ends: Mapping[int, int], budget: int, partitions: int) -> dict[int, tuple[int, int]]:
    """Positions [first, end) of the newest samples of each partition.

    A new version scores them again, and a round holds them out.

    Args:
        ends: position of the next sample of each partition that is asked for.
        budget: number of samples of all partitions together.
        partitions: number of partitions that share the budget.

    Example:
        >>> newest({0: 10, 1: 3}, 8, 2)
        {0: (6, 10), 1: (0, 3)}
    """
    share = budget // partitions
    return {partition: (max(end - share, 0), end) for partition, end in ends.items()}
