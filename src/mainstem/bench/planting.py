"""Planted errors: labels turned wrong on purpose, to measure how many of them are found.

A hash of the seed and the sample chooses them, so it is always known which labels are wrong.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mainstem.ids import fraction_of
from mainstem.importance import STREAM, Rows
from mainstem.join import PlacedSample, Sample, relabelled_sample
from mainstem.learning.evaluation import auc
from mainstem.standing import REASONS, Judgement

__all__ = ["Plant"]


@dataclass(frozen=True)
class Plant:
    """Turns over a share of the labels; the labels of trusted samples stay.

    Attributes:
        share: share of the samples whose label is turned over, in [0, 1].
        seed: seed of the hash that chooses them.

    Example:
        >>> Plant(share=0.0, seed=0).is_planted("00" * 16, "stream")
        False
    """

    share: float
    seed: int

    @property
    def name(self) -> str:
        """The plant in words, which a home records because its results depend on it."""
        return f"plant {self.share} from seed {self.seed}"

    def is_planted(self, sample_id: str, part: str) -> bool:
        """Whether the label of a sample is turned over.

        Args:
            sample_id: id of the sample in hexadecimal digits.
            part: its part: `stream`, or one of the trusted parts.
        """
        return part == "stream" and fraction_of("plant", self.seed, sample_id) < self.share

    def relabel(self, sample: Sample, part: str) -> Sample:
        """Turn over the label of a sample that arrives, if it is planted.

        Args:
            sample: sample as the join made it, with label 0 or 1.
            part: its part: `stream`, or one of the trusted parts.
        """
        if self.is_planted(sample.sample_id.hex, part):
            return relabelled_sample(sample, 1 - sample.label)
        return sample

    def truth(self, sample: PlacedSample) -> int:
        """The label that a stored sample had before it was planted."""
        planted = self.is_planted(sample.sample_id.hex, sample.part)
        return 1 - sample.label if planted else sample.label

    def found(self, parts: list[tuple[Rows, Judgement]]) -> dict[str, Any]:
        """Measure how well the planted errors were found, over all partitions.

        Args:
            parts: rows and last judgement of each partition.

        Returns:
            `n`, the planted samples that were judged; `called`, the samples called contradictory;
            `found` and `false`, the planted and the sound samples among those; and `auroc`, how
            well the evidence ranks planted samples above sound ones.
        """
        planted: list[bool] = []
        evidence: list[float] = []
        called: list[bool] = []
        for rows, judged in parts:
            for row in np.flatnonzero(rows["part"] == STREAM):
                planted.append(self.is_planted(rows.id_of(row).hex, "stream"))
                evidence.append(float(judged.evidence[row]))
                called.append(REASONS[judged.reason[row]] == "contradictory")
        truth, calls = np.array(planted, np.int64), np.array(called, np.int64)
        return {
            "n": int(truth.sum()),
            "called": int(calls.sum()),
            "found": int((truth & calls).sum()),
            "false": int(((1 - truth) & calls).sum()),
            "auroc": auc(truth, np.array(evidence)),
        }
