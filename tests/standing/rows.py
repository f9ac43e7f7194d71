"""Rows made by hand, for the judge."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np

from mainstem.importance import CANARY, STREAM, Rows
from mainstem.importance.canaries import Canaries
from mainstem.settings import Settings, Standing
from tests.importance.visiting import visits

SETTINGS = Settings(
    standing=Standing(
        canary_minimum=19,
        core_quantile=0.5,
        confidence=1.0,
        core_visits=2,
        spent_visits=2,
        spent_level=0.05,
        assumed_sound=1.0,
    )
)


def rows_of(*told: dict[str, float]) -> Rows:
    """Make rows with these values; by default a stream sample of label 1 with two equal visits.

    `margin` sets the running mean, and the recent margin too unless that is given.
    """
    rows, count = Rows(), len(told)
    made = visits(
        version=1,
        scale=1.0,
        ids=[UUID(int=number + 1) for number in range(count)],
        facts=[
            {
                "label_version": 0,
                "partition": 0,
                "offset": number,
                "event_time": 0,
                "label": int(row.get("label", 1)),
                "part": int(row.get("part", STREAM)),
            }
            for number, row in enumerate(told)
        ],
        norm=np.ones(count),
        margin=np.zeros(count),
        loss=np.ones(count),
    )
    rows.visit(made)
    for number, row in enumerate(told):
        known = {"visits": 2, "margin": 0.0, "importance": 1.0, "importance_m2": 0.0} | row
        known.setdefault("recent_margin", known["margin"])
        for name, value in known.items():
            rows[name][number] = value
    settle_canaries(rows)
    return rows


def settle_canaries(rows: Rows) -> None:
    """Record the canaries' present margins for version 1, which scored every row."""
    those = np.flatnonzero(rows["part"] == CANARY)
    rows.canaries = Canaries()
    margins = rows["recent_margin"][those].copy()
    score = np.where(rows["label"][those] > 0, margins, -margins).astype(np.float32)
    rows.canaries.saw(1, those, margins, score)


def canaries(margins: Sequence[float], **more: float) -> list[dict[str, float]]:
    """Describe canaries of these margins."""
    return [{"part": CANARY, "margin": float(margin), **more} for margin in margins]
