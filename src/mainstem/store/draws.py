"""The samples that rounds drew, written and read back."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.store.named import Query
from mainstem.store.store import Store

__all__ = ["DRAWN", "Drawn", "DrawnSample", "drawn_for_promoted", "write_draw"]


class Drawn(NamedTuple):
    """The samples of one draw.

    Attributes:
        sample_id, label_version, standing: of each sample, when it was drawn.
        probability: probability that a single draw picks the sample, shape (N,).
    """

    sample_id: Sequence[UUID]
    label_version: Sequence[int]
    standing: Sequence[str]
    probability: NDArray[np.float64]


class DrawnSample(NamedTuple):
    """A sample that a promoted version was trained on."""

    version: int
    sample_id: str


class _DrawnId(NamedTuple):
    version: int
    sample_id: UUID


DRAWN: Final = Query(
    DrawnSample,
    """
    SELECT version, toString(sample_id) FROM versions_of_sample
    WHERE promoted ORDER BY version, sample_id""",
)
"""All samples that promoted versions were trained on, version by version."""
_UP_TO: Final = Query(
    _DrawnId,
    """
    SELECT version, sample_id FROM versions_of_sample
    WHERE promoted AND version <= {version:UInt32}""",
)


def write_draw(store: Store, version: int, drawn: Drawn) -> None:
    """Write the draw of a round, replacing the draw of a killed round for the same version.

    Args:
        store: the history.
        version: number of the version that the round makes.
        drawn: samples that the round drew.
    """
    store.execute("DELETE FROM draws WHERE version = {version:UInt32}", version=version)
    store.write("draws", {"version": [version] * len(drawn.sample_id), **drawn._asdict()})


def drawn_for_promoted(store: Store, version: int) -> dict[int, list[UUID]]:
    """Ids of the samples that each promoted version up to `version` was trained on, by version."""
    drawn: dict[int, list[UUID]] = {}
    for one in _UP_TO.stream(store, version=version):
        drawn.setdefault(one.version, []).append(one.sample_id)
    return drawn
