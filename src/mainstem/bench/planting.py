"""Planted errors: labels turned wrong on purpose, from a seed, so that it is known which; and how they were found."""

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
    """Turns a share of the labels over; trusted samples are spared.

    Example:
        >>> Plant(share=0.0, seed=0).is_planted("00" * 16, "stream")
        False
    """

    share: float
    seed: int

    @property
    def name(self) -> str:
        """What a home's results depend on."""
        return f"plant {self.share} from seed {self.seed}"

    def is_planted(self, sample_id: str, part: str) -> bool:
        """Whether this sample's label is turned over."""
        return part == "stream" and fraction_of("plant", self.seed, sample_id) < self.share

    def relabel(self, sample: Sample, part: str) -> Sample:
        """The sample as it comes in."""
        if self.is_planted(sample.sample_id.hex, part):
            return relabelled_sample(sample, 1 - sample.label)
        return sample

    def truth(self, sample: PlacedSample) -> int:
        """The label that a stored sample had before."""
        return (
            1 - sample.label if self.is_planted(sample.sample_id.hex, sample.part) else sample.label
        )

    def found(self, parts: list[tuple[Rows, Judgement]]) -> dict[str, Any]:
        """How well the planted errors were found, over all partitions.

        Returns:
            n: planted samples that were judged; called: samples called contradictory; found: planted ones among them;
            false: sound ones among them; auroc: how well the evidence ranks planted above sound ones.
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
