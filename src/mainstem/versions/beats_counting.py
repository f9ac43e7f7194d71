"""Whether a version ranks better than counting does, on the samples that the gate judged it on."""

from msgspec import Struct

__all__ = ["BeatsCounting"]


class BeatsCounting(Struct, frozen=True, kw_only=True):
    """The AUC of a version beside those of rankings that need no network.

    Attributes:
        judged_on: `gate` or `held_out`, the samples that all were measured on.
        samples: number of these samples.
        auc: AUC of the version.
        popularity: AUC of the number of purchases in 90 days, or of clicks in a log without
            purchases; None if no such feature is known.
        logistic: AUC of a logistic regression on the behaviour features, trained on the samples
            that the round drew; None if no feature is known.
        above: names of those that the version is above.
        not_above: names of those that it is not above.
    """

    judged_on: str
    samples: int
    auc: float
    popularity: float | None
    logistic: float | None
    above: list[str]
    not_above: list[str]
