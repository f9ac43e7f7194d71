"""How long the stages of this process took, each without the stages inside it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["SPENT", "Stopwatch"]


class Stopwatch:
    """Adds up seconds by stage. Stages may lie inside each other, in any thread.

    Attributes:
        seconds: seconds of each stage so far, by its name.

    Example:
        >>> spent = Stopwatch()
        >>> with spent.on("outer"), spent.on("inner"):
        ...     time.sleep(0.01)
        >>> spent.seconds["inner"] > 0.009 > spent.seconds["outer"]
        True
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._local = threading.local()

    @contextmanager
    def on(self, stage: str) -> Iterator[None]:
        """Count the time inside for a stage; the result may be a decorator too.

        Args:
            stage: name of the stage.
        """
        begun = time.perf_counter()
        outside: float = getattr(self._local, "inside", 0.0)
        self._local.inside = 0.0
        try:
            yield
        finally:
            taken = time.perf_counter() - begun
            own = taken - self._local.inside
            self.seconds[stage] = self.seconds.get(stage, 0.0) + own
            self._local.inside = outside + taken


SPENT = Stopwatch()
"""The stages of this process: join, features, score, rescore, train and evaluate."""
