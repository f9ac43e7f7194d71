"""What a round knows before it trains: the samples that decide, and what the parent says."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mainstem.join import PlacedSample
from mainstem.learning.comparing import logits_of_each
from mainstem.learning.evaluation.ranked import as_ranked
from mainstem.learning.hard_errors import HardErrors
from mainstem.learning.judged import Judged
from mainstem.learning.rounds import Position
from mainstem.models import ActiveVersion
from mainstem.objectives.layout import Layout
from mainstem.scoring.reservoir import trusted_reservoir
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.trusted import trusted_labels

__all__ = ["Before", "before_training"]


@dataclass(frozen=True)
class Before:
    """What a round knows before it trains.

    Attributes:
        held_out: samples that came last, which choose the epoch.
        judged: gate samples and held-out ones, as versions are measured on them.
        logits: logits of the parent for each of these, each of shape (N, C).
        errors: how wrong labels are spread over the gate samples; None if nobody asks.
    """

    held_out: Sequence[PlacedSample]
    judged: Sequence[Judged]
    logits: Sequence[NDArray[np.float64]]
    errors: HardErrors | None

    @property
    def heeds(self) -> bool:
        """Whether draw and loss heed importance and evidence."""
        return self.errors is None or self.errors.weights_help


def before_training(
    active: ActiveVersion,
    held_out: Sequence[PlacedSample],
    position: Position,
    store: Store,
    settings: Settings,
) -> Before:
    """Read the samples that decide, and what the parent says of them.

    Args:
        active: the parent, ready to score.
        held_out: samples that came last.
        position: how far the input has come.
        store: the history.
        settings: settings of the objectives, the reservoirs, and of when evidence is heeded.

    Raises:
        NonFiniteError: if a logit is not finite.
    """
    gate = trusted_reservoir(store, settings, "gate", position.ends)
    judged = [
        Judged.of(name, as_ranked(some, settings.objectives), store)
        for name, some in (("gate", gate), ("held_out", held_out))
    ]
    logits = logits_of_each(active, judged)
    errors = None
    # of several targets, a confirmed label does not say which one was wrong
    if settings.learning.weigh != "always" and Layout.of(settings.objectives).is_single_answer:
        errors = _errors(judged[0], logits[0], position, store)
    return Before(held_out, judged, logits, errors)


def _errors(
    gate: Judged, logits: NDArray[np.float64], position: Position, store: Store
) -> HardErrors:
    """How wrong labels are spread over the gate samples that somebody confirmed."""
    labels = {
        one.sample_id: one.given
        for one in trusted_labels(store, position.ends)
        if one.part == "gate" and one.given is not None
    }
    known = np.array([one.sample_id in labels for one in gate.samples], np.bool_)
    given = [labels[one.sample_id] for one in gate.samples if one.sample_id in labels]
    return HardErrors.of(logits[known], gate.labels[known], np.array(given, np.int64))
