"""How a replay spent its time, beside its progress: a watcher that stands before another one."""

import time
from typing import Any, Final

from mainstem.learning import Round
from mainstem.loop import Loop, Watcher
from mainstem.process.stopwatch import SPENT

__all__ = ["Pace"]

_STAGES: Final = ("join", "features", "score", "rescore", "train", "evaluate")
_SCORING: Final = ("score", "rescore")


class Pace:
    """A watcher that measures a replay in this process, and passes everything on.

    Args:
        watcher: watcher that is told everything.
    """

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._begun = time.perf_counter()
        self._before = dict(SPENT.seconds)
        self._first: float | None = None
        self._available: dict[int, int] = {}

    def block_done(self, loop: Loop, line: int) -> None:
        """Pass it on."""
        self._watcher.block_done(loop, line)

    def round_done(self, done: Round) -> None:
        """Note what the round could draw from, and when the first version was promoted."""
        self._available[done.version] = done.available
        if self._first is None and done.decision.promoted:
            self._first = time.perf_counter() - self._begun
        self._watcher.round_done(done)

    def told(self, report: dict[str, Any]) -> dict[str, Any]:
        """The report of the replay, with what was measured of it.

        Args:
            report: report of the replay.

        Returns:
            The same report with `seconds` since the replay began; `first_promoted_s`, the seconds
            until the first version was promoted, None without one; `seconds_by` stage, without
            those of stages inside it; `scoring_share`, the share of these seconds that scoring and
            scoring again took; and in each round `available`, the number of samples it could draw
            from, None for a round before this process.
        """
        by = {
            stage: SPENT.seconds.get(stage, 0.0) - self._before.get(stage, 0.0) for stage in _STAGES
        }
        total = sum(by.values())
        rounds = [
            one | {"available": self._available.get(one["version"])} for one in report["rounds"]
        ]
        return report | {
            "rounds": rounds,
            "seconds": time.perf_counter() - self._begun,
            "first_promoted_s": self._first,
            "seconds_by": by,
            "scoring_share": sum(by[stage] for stage in _SCORING) / total if total else None,
        }
