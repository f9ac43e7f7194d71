"""The schedule: at which positions to judge, to learn and to score again, and how event time advances.

    sample accepted for the first time -> position + 1 -> judge this partition?  start a round?

A position counts the samples of a partition that were accepted for the first time, whatever carried them here: a sample
that comes twice moves nothing. The embedded loop and the programs beside Kafka ask this one schedule, so a setting that
counts samples means the same in both. It reads no clock and no store: what it knows is `Reached`, kept with each commit.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from msgspec import Struct

__all__ = ["NEVER", "Due", "Reached", "Run", "Schedule", "newest", "round_is_due"]

NEVER: Final = 1 << 62  # an event time, and a position, that no stream comes to


class _Sample(Protocol):
    @property
    def partition(self) -> int: ...
    @property
    def event_time(self) -> int: ...


_S = TypeVar("_S", bound=_Sample)


class Reached(Struct, frozen=True, kw_only=True):
    """How far a partition has come.

    Attributes:
        position: the samples accepted so far, which is the position of the next one.
        event_time: the largest event time among them, in milliseconds, whatever part they belong to.
    """

    position: int = 0
    event_time: int = 0


class Due(NamedTuple):
    """What is due at a position, before the next sample: to judge its partition, to start a round, or neither."""

    judge: bool
    learn: bool


class Run(NamedTuple, Generic[_S]):
    """Samples to score together, the partition of the last one, and what is due after them."""

    samples: list[_S]
    partition: int
    due: Due


class Schedule:
    """Counts the samples of some partitions and says what is due.

    Args:
        judge_every: samples of a partition between two judgements.
        round_every: samples of all partitions between two rounds; 0: whoever asks starts none.
        later_from: event time from which on nothing is learnt; such samples bring no round nearer.
        rounds_at: how many samples of all partitions there were at each round, where rounds of before are gone through
            again; None: `round_every` says when one is due.
        reached: how far each partition had come.
        counted: samples before `later_from` so far.

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
        self._judge_every, self._round_every, self._later_from = (
            judge_every,
            round_every,
            later_from,
        )
        self._rounds_at = rounds_at
        self._at_round = counted // round_every * round_every if round_every else 0

    @property
    def ends(self) -> dict[int, int]:
        """The next position of each partition."""
        return {partition: reached.position for partition, reached in self.reached.items()}

    @property
    def event_times(self) -> dict[int, int]:
        """The event time of each partition."""
        return {partition: reached.event_time for partition, reached in self.reached.items()}

    def positions(self, partitions: Iterable[int]) -> list[int]:
        """The positions that samples of these partitions will have once they are taken in this order."""
        ends, found = self.ends, []
        for partition in partitions:
            found.append(ends[partition])
            ends[partition] += 1
        return found

    def take(self, partition: int, event_time: int) -> Due:
        """Count one sample that was accepted for the first time; gives what is due now."""
        before = self.reached[partition]
        now = Reached(position=before.position + 1, event_time=max(before.event_time, event_time))
        self.reached[partition] = now
        learnable = event_time < self._later_from
        self.counted += learnable
        learn = (
            bool(self._round_every)
            and learnable
            and round_is_due(self.counted, self._at_round, self._round_every)
        )
        if self._rounds_at is not None:
            learn = sum(reached.position for reached in self.reached.values()) in self._rounds_at
        if learn:
            self._at_round = self.counted
        return Due(now.position % self._judge_every == 0, learn)

    def runs(self, samples: Iterable[_S], most: int) -> Iterator[Run[_S]]:
        """Take samples in their order, cut into runs that are scored before what is due after them.

        Args:
            samples: accepted for the first time.
            most: samples in a run.
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

    Example:
        >>> round_is_due(5999, 3000, 3000), round_is_due(6000, 3000, 3000)
        (False, True)
    """
    return counted - at_last >= every


def newest(ends: Mapping[int, int], budget: int, partitions: int) -> dict[int, tuple[int, int]]:
    """Positions [first, end) of the newest samples: those that a new version scores again, or that a round holds out.

    Args:
        ends: the next position of each partition that is asked for.
        budget: samples of all partitions together.
        partitions: how many share the budget.

    Example:
        >>> newest({0: 10, 1: 3}, 8, 2)
        {0: (6, 10), 1: (0, 3)}
    """
    share = budget // partitions
    return {partition: (max(end - share, 0), end) for partition, end in ends.items()}
