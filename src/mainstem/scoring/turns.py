"""Turns: what a scoring worker does outside of the schedule.

A worker records a turn before it acts on it, so that a repetition can do the same.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from mainstem.join import PlacedSample
from mainstem.store import Store
from mainstem.store.turns import JUDGE, TAKE_OVER, Turn, last_turn, newest_turns, write_turns

__all__ = ["Turns", "in_effect"]


class Turns:
    """Records the turns of a worker in the partitions that it owns.

    Args:
        store: the history.
        publish: receives the turns once the history has them, and returns once they are published.
    """

    def __init__(
        self,
        store: Store,
        publish: Callable[[Sequence[Turn]], None] = lambda turns: None,  # noqa: ARG005
    ) -> None:
        self._store, self._publish = store, publish
        self._next: dict[int, int] = {}

    def take_over(self, partition: int, position: int, version: int) -> None:
        """Begin to own a partition, and shorten its last turn to the work that was done.

        Args:
            partition: the partition.
            position: its next position, from which this worker goes on.
            version: the version in use.
        """
        last = last_turn(self._store, partition)
        number = last.number + 1 if last else 0
        begun = Turn(partition, number, position, version, TAKE_OVER, [])
        write_turns(self._store, [last, begun] if last else [begun])
        # subtle: workers that died right here, one after the other, published neither their own
        # turns nor the turn that the first of them shortened
        self._publish(newest_turns(self._store, partition))
        self._next[partition] = number + 1

    def write(
        self, kind: str, version: int, ends: Mapping[int, int], samples: Sequence[PlacedSample] = ()
    ) -> None:
        """Write one turn for each of some partitions.

        Args:
            kind: kind of the turns: `take up`, `again` or `judge`.
            version: the version in use from these turns on.
            ends: next position of each of these partitions.
            samples: samples of these partitions that the version scores again.
        """
        # subtle: numbers go up only after the write, which is tried again after an outage
        turns = [
            Turn(
                partition=partition,
                number=self._next[partition],
                position=position,
                version=version,
                kind=kind,
                samples=[one.sample_id for one in samples if one.partition == partition],
            )
            for partition, position in ends.items()
        ]
        write_turns(self._store, turns)
        self._publish(turns)
        for partition in ends:
            self._next[partition] += 1


def in_effect(turns: Iterable[Turn]) -> list[Turn]:
    """Keep of the turns of one partition what still counts after each takeover.

    A worker that takes over goes on from the last commit, which may be earlier than where its
    predecessor stopped. Samples that the predecessor scored again count from that commit on,
    because the rows are rebuilt from the history. A judgement after the commit is made again.

    Args:
        turns: turns of the partition in the order of their numbers.

    Example:
        >>> before = [Turn(0, 1, 9, 1, "again", []), Turn(0, 2, 9, 1, "judge", [])]
        >>> found = in_effect([*before, Turn(0, 3, 5, 1, "take over", [])])
        >>> [(one.position, one.kind) for one in found]
        [(5, 'again'), (5, 'take over')]
    """
    found: list[Turn] = []
    for turn in turns:
        if turn.kind == TAKE_OVER:
            kept = [one for one in found if one.kind != JUDGE or one.position <= turn.position]
            found = [one._replace(position=min(one.position, turn.position)) for one in kept]
        found.append(turn)
    return found
