"""What `mainstem stream verify` has found, and how it is shown."""

from dataclasses import asdict, dataclass
from typing import Final

from mainstem.printable import in_json

__all__ = ["Comparison"]

_RESPONSES_AGREE: Final = 1e-4  # largest relative difference of responses that agree
_FEATURES_AGREE: Final = 1e-5  # largest difference of features that agree; they lie within [-3, 3]


@dataclass(frozen=True)
class Comparison:
    """What a comparison of the deployed and the embedded results has found.

    Attributes:
        hash, embedded_hash: hash over samples and ledger, deployed and embedded.
        hash_0_1, embedded_hash_0_1: the same hash over the fields that samples had in release 0.1.
        counts_hash, embedded_counts_hash: hash over the counts of behaviour.
        versions: versions whose responses were compared: `all versions` under a schedule, otherwise
            `version 0`.
        responses: number of responses compared.
        worst: largest relative difference of a norm, loss, margin or alignment; infinite if only
            one side has an alignment. Sketches are stored with less precision and not compared.
        missing: number of responses that only one side has. Without a schedule, samples that the
            deployment accepted while a later version was in use need no response of version 0.
        features: number of samples whose features were compared.
        features_apart: largest difference of a feature; infinite if a sample has other features on
            the two sides.
        features_missing: number of samples that have features on one side only.
        standings: number of samples whose standing was compared; 0 if later versions have scored
            and no schedule was given, because standings are then not comparable.
        near: samples whose standings differ while the figures agree within 1e-3, one line each.
        other: all other samples whose standings differ, one line each.
        judgements: number of judgements compared; 0 without a schedule.
        judged_otherwise: judgements that differ, one line each.
    """

    hash: str
    embedded_hash: str
    hash_0_1: str
    embedded_hash_0_1: str
    counts_hash: str
    embedded_counts_hash: str
    versions: str
    responses: int
    worst: float
    missing: int
    features: int
    features_apart: float
    features_missing: int
    standings: int
    near: list[str]
    other: list[str]
    judgements: int
    judged_otherwise: list[str]

    @property
    def agrees(self) -> bool:
        """Whether the results agree; standings that differ near a threshold are tolerated."""
        responses = self.missing == 0 and self.worst <= _RESPONSES_AGREE
        judged = not self.other and not self.judged_otherwise
        counted = self.counts_hash == self.embedded_counts_hash
        known = self.features_missing == 0 and self.features_apart <= _FEATURES_AGREE
        return self.hash == self.embedded_hash and counted and responses and judged and known

    def show(self, *, as_json: bool) -> None:
        """Print the findings as one JSON object or as a short report."""
        if as_json:
            print(in_json({**asdict(self), "agrees": self.agrees}))
            return
        print(f"hash      {self.hash} deployed\n          {self.embedded_hash} embedded")
        print(f"counts    {self.counts_hash} deployed")
        print(f"          {self.embedded_counts_hash} embedded")
        apart = f"{self.worst:.1e} apart at most, {self.missing} missing"
        print(f"responses {self.responses:,} of {self.versions} compared, {apart}")
        apart = f"{self.features_apart:.1e} apart at most, {self.features_missing} missing"
        print(f"features  of {self.features:,} samples compared, {apart}")
        frozen = "versions after the first have scored: not compared" if not self.standings else ""
        print(f"standings {frozen or f'{self.standings:,} compared, {len(self.other)} differ'}")
        if self.judgements:
            differ = len(self.judged_otherwise)
            print(f"judged    {self.judgements:,} times compared, {differ} differ")
        for line in [*self.near, *self.other, *self.judged_otherwise]:
            print(f"          {line}")
        print("the same" if self.agrees else "NOT THE SAME")
