"""The rows of a partition: those that are judged, and those of confirmed samples held out.

Samples of direction and gate are never trained on and never judged. Those of them whose label
somebody confirmed are scored too, because evidence learns from direction and is measured on gate;
their rows stand apart, so that no draw and no judgement meets them.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from mainstem.importance import CANARY, STREAM, Rows, Visits
from mainstem.join import PlacedSample

__all__ = ["SCORED", "apart", "is_scored", "row_of"]

SCORED: Final = frozenset({"stream", "canary"})
"""The parts whose samples are scored and judged."""


def is_scored(sample: PlacedSample) -> bool:
    """Whether a sample is scored: all of the stream, all canaries, and all confirmed samples."""
    return sample.part in SCORED or sample.given >= 0


def apart(visits: Visits, rows: Rows, held: Rows) -> Iterator[tuple[Rows, Visits]]:
    """Divide visits between the rows that are judged and those that are held out.

    Args:
        visits: visits of samples of one partition.
        rows: rows of stream and canaries.
        held: rows of confirmed samples of direction and gate, which keep no sketches.
    """
    judged = np.isin(visits.facts.part, (STREAM, CANARY))
    if judged.all():
        yield rows, visits
        return
    if judged.any():
        yield rows, visits.only(judged)
    yield held, visits.only(~judged).without_sketches()


def row_of(
    sample: PlacedSample, rows: Mapping[int, Rows], held: Mapping[int, Rows]
) -> tuple[int, int]:
    """Label version and last version in a sample's row; -1 for both if it has no row."""
    its = (rows if sample.part in SCORED else held)[sample.partition]
    row = its.row_of(sample.sample_id)
    if row is None:
        return -1, -1
    return int(its["label_version"][row]), int(its["last_version"][row])
