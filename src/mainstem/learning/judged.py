"""Samples that versions are measured on, with their questions and slices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mainstem.join import PlacedSample
from mainstem.learning.evaluation.counting import Counted, Counting
from mainstem.learning.evaluation.evaluation import Evaluation, measure
from mainstem.learning.slices import slices_of
from mainstem.store import Store
from mainstem.store.evaluations import frequent_queries, slice_facts
from mainstem.versions import Calibration

__all__ = ["Judged", "log_odds_of"]


@dataclass(frozen=True)
class Judged:
    """Samples that versions are measured on.

    Attributes:
        name: name of the samples: `gate`, `held_out` or `later`.
        samples: the samples.
        labels: true class of each sample, shape (N,).
        questions: number of the question of each sample, shape (N,).
        slices: for the name of each slice, which samples it holds, shape (N,); the first slice
            holds all and has the name of the samples.
    """

    name: str
    samples: Sequence[PlacedSample]
    labels: NDArray[np.int64]
    questions: NDArray[np.int64]
    slices: Mapping[str, NDArray[np.bool_]]

    @classmethod
    def of(
        cls,
        name: str,
        samples: Sequence[PlacedSample],
        store: Store,
        labels: Sequence[int] | None = None,
    ) -> Self:
        """Find the questions and slices of samples.

        Args:
            name: name of the samples.
            samples: samples that the history holds.
            store: the history.
            labels: true class of each sample; None takes the labels of the samples.
        """
        facts = slice_facts(store, [sample.sample_id for sample in samples])
        newest = max((sample.event_time for sample in samples), default=0)
        frequent = frequent_queries(store, newest + 1)
        numbers: dict[object, int] = {}
        questions = [
            numbers.setdefault(
                facts[one.sample_id].question_id if one.sample_id in facts else one.sample_id,
                len(numbers),
            )
            for one in samples
        ]
        parts = slices_of(samples, facts, frequent)
        truth = [sample.label for sample in samples] if labels is None else labels
        return cls(
            name=name,
            samples=samples,
            labels=np.array(truth, np.int64),
            questions=np.array(questions, np.int64),
            slices={name: np.ones(len(samples), np.bool_)}
            | {f"{name}/{part}": held for part, held in parts.items()},
        )

    def measured(
        self, logits: NDArray[np.float64], calibration: Calibration | None
    ) -> dict[str, Evaluation]:
        """Measure a version on each slice.

        Args:
            logits: logits of the version, shape (N, C).
            calibration: calibration of the version that was fitted on other samples, because on
                its own samples it has nearly no error; None measures no calibration error.
        """
        shares = calibration.shares_of(log_odds_of(logits)) if calibration else None
        return {
            name: measure(
                self.labels[held],
                logits[held],
                self.questions[held],
                None if shares is None else shares[held],
            )
            for name, held in self.slices.items()
        }

    def counted(self, counting: Counting) -> dict[str, Counted]:
        """Measure rankings by counting on each slice."""
        return counting.counted(self.samples, self.labels, self.slices)


def log_odds_of(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds of yes, shape (N,), out of the logits of no and yes, shape (N, 2)."""
    found: NDArray[np.float64] = logits[:, 1] - logits[:, 0]
    return found
