"""Count the passes that every round needs whatever it draws, in short and in long logs.

No model is trained or run. What a round does goes through the code that does it, with a version
that counts the samples it is given.
"""

import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from mainstem.join import PlacedSample
from mainstem.learning.evaluation.evaluation import logits_of
from mainstem.scoring import SCORED, ScoringWorker, scale_of
from mainstem.scoring.reservoir import trusted_reservoir
from mainstem.scoring.schedule import newest
from mainstem.settings import Settings
from mainstem.store import Store, samples_between
from mainstem.store.filled_log import fill_log

if TYPE_CHECKING:
    from mainstem.models import ActiveVersion

__all__ = ["ALL", "PARTS_OF_A_ROUND", "bench_rounds"]

ALL: Final = 1_000_000_000  # more trusted samples than any log has
PARTS_OF_A_ROUND: Final = ("evaluation", "scale", "scored_again")


class _Counting:
    """Stands in for a version: counts the samples that it is to pass over."""

    def __init__(self) -> None:
        self.passes = 0

    def logits(self, given: Sequence[Any], **_: bool) -> NDArray[np.float64]:
        self.passes += len(given)
        return np.zeros((len(given), 2))

    def responses(self, given: Sequence[Any]) -> Any:
        self.passes += len(given)
        return SimpleNamespace(norm=np.ones(len(given), np.float32))


def bench_rounds(
    store: Store, samples: int, days: int, settings: Settings
) -> dict[str, dict[str, Any]]:
    """Passes of a round's fixed part after some samples.

    A pass is one sample through one model: a forward pass in an evaluation, a response otherwise.

    Args:
        store: an empty history, which is filled.
        samples: how many samples the log has.
        days: days of event time that they lie in.
        settings: settings of the rounds; those of the reservoirs are replaced in the second run.

    Returns:
        For `reservoirs` and for `all` trusted samples: passes by part of a round, `passes` of all
        parts, `a_new_sample`, which divides them by the samples between two rounds, and `seconds`
        that reading the history took.
    """
    trusted = settings.trusted
    shares = (trusted.direction_share, trusted.canary_share, trusted.gate_share)
    event_time = fill_log(store, samples, days, shares)
    ends = {0: samples}
    worker = ScoringWorker(store, settings, [0], trusted=False)
    worker.rebuild(ends, 0, {0: event_time - settings.responses.horizon})
    without = settings.but({"trusted.canary_maximum": ALL, "trusted.gate_maximum": ALL})
    return {
        name: _fixed_part(store, one, worker, ends)
        for name, one in (("reservoirs", settings), ("all", without))
    }


def _fixed_part(
    store: Store, settings: Settings, rebuilt: ScoringWorker, ends: dict[int, int]
) -> dict[str, Any]:
    begun = time.monotonic()
    version = _Counting()
    active = cast("ActiveVersion", version)  # it has what is called here
    held_out = _held_out(store, settings, ends)
    gate = trusted_reservoir(store, settings, "gate", ends)
    for _ in ("parent", "child"):
        logits_of(active, gate)
        logits_of(active, held_out)
    evaluation = version.passes
    scale_of(active, [*trusted_reservoir(store, settings, "canary", ends), *held_out])
    scale = version.passes - evaluation
    worker = ScoringWorker(store, settings, [], trusted=False)
    worker.rows, worker.held = rebuilt.rows, rebuilt.held
    worker.use(1, active, 1.0, {})
    again = len(worker.due(ends))
    passes = evaluation + scale + again
    parts = dict(zip(PARTS_OF_A_ROUND, (evaluation, scale, again), strict=True))
    return {
        **parts,
        "passes": passes,
        "a_new_sample": round(passes / settings.learning.round_every, 2),
        "seconds": round(time.monotonic() - begun, 2),
    }


def _held_out(store: Store, settings: Settings, ends: dict[int, int]) -> list[PlacedSample]:
    """The newest samples, which a round holds out."""
    found = samples_between(store, newest(ends, settings.learning.held_out, len(ends)))
    return [one for one in found if one.part in SCORED]
