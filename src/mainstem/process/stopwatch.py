"""What the stages of this process cost: seconds, and what their passes over a model read."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

__all__ = ["SPENT", "Cost", "Stopwatch"]

_OTHER: Final = "other"  # passes outside of every stage


class Cost(NamedTuple):
    """What some passes of samples through a model cost.

    Attributes:
        samples: samples that the passes read; one that three passes read counts three times. Work
            that is no pass, such as computing features, has samples and seconds alone.
        tokens: tokens that they read, without padding.
        forward_equivalents: tokens that plain passes, forward and backward, would have read for the
            same work; see `models.passes`.
        seconds: how long they took, with the work around them, such as reading texts.

    Example:
        >>> Cost(2, 30, 9.6, 0.5).plus(Cost(1, 10, 10.0, 0.25))
        Cost(samples=3, tokens=40, forward_equivalents=19.6, seconds=0.75)
    """

    samples: int = 0
    tokens: int = 0
    forward_equivalents: float = 0.0
    seconds: float = 0.0

    def plus(self, other: "Cost") -> "Cost":
        """The sum of two costs."""
        return Cost(
            samples=self.samples + other.samples,
            tokens=self.tokens + other.tokens,
            forward_equivalents=self.forward_equivalents + other.forward_equivalents,
            seconds=self.seconds + other.seconds,
        )


class Stopwatch:
    """Adds up what stages cost. Stages may lie inside each other, in any thread.

    The seconds of a stage are without those of the stages inside it.

    Attributes:
        costs: what each stage cost so far, by its name. Passes outside of every stage are under
            `other`, which has no seconds.

    Example:
        >>> spent = Stopwatch()
        >>> with spent.on("outer"), spent.on("inner"):
        ...     time.sleep(0.01)
        ...     spent.passed(samples=2, tokens=10, factor=0.5)
        >>> spent.seconds["inner"] > 0.009 > spent.seconds["outer"]
        True
        >>> spent.costs["inner"].forward_equivalents
        5.0
    """

    def __init__(self) -> None:
        self.costs: dict[str, Cost] = {}
        self._local = threading.local()

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds of each stage so far, by its name."""
        return {stage: cost.seconds for stage, cost in self.costs.items()}

    @contextmanager
    def on(self, stage: str) -> Iterator[None]:
        """Count the time and the passes inside for a stage; the result may be a decorator too.

        Args:
            stage: name of the stage.
        """
        begun = time.perf_counter()
        outside: float = getattr(self._local, "inside", 0.0)
        around: str = getattr(self._local, "stage", _OTHER)
        self._local.inside, self._local.stage = 0.0, stage
        try:
            yield
        finally:
            taken = time.perf_counter() - begun
            self._add(stage, Cost(seconds=taken - self._local.inside))
            self._local.inside, self._local.stage = outside + taken, around

    def passed(self, *, samples: int, tokens: int, factor: float) -> None:
        """Count a pass of samples through a model, for the innermost stage of this thread.

        Args:
            samples: samples that it read.
            tokens: tokens that it read, without padding; 0 for work that is no pass.
            factor: forward-equivalents of each token, by the kind of the pass.
        """
        stage: str = getattr(self._local, "stage", _OTHER)
        self._add(stage, Cost(samples, tokens, factor * tokens))

    @contextmanager
    def counting(self) -> Iterator[dict[str, Cost]]:
        """Count apart what this thread spends inside.

        Yields:
            What each stage cost inside, by its name. The seconds of a stage are there once it has
            ended, so a stage that began outside has none.

        Example:
            >>> spent = Stopwatch()
            >>> with spent.counting() as counted, spent.on("train"):
            ...     spent.passed(samples=2, tokens=10, factor=1.0)
            >>> counted["train"].tokens
            10
        """
        counted: dict[str, Cost] = {}
        around: tuple[dict[str, Cost], ...] = getattr(self._local, "counted", ())
        self._local.counted = (*around, counted)
        try:
            yield counted
        finally:
            self._local.counted = around

    def _add(self, stage: str, cost: Cost) -> None:
        for costs in (self.costs, *getattr(self._local, "counted", ())):
            costs[stage] = costs.get(stage, Cost()).plus(cost)


SPENT = Stopwatch()
"""The stages of this process: join, features, score, rescore, train, evaluate, scale, direction."""
